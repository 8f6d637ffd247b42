// The console as it is in the source tree, under the same origin as a broker, which answers all
// else: for a broker that does not serve /console itself, and while the console changes.
//
//     node test/front.mjs [BROKER [PORT [FOLDER]]]     127.0.0.1:8080 and 8081 where left out
import { readFile } from "node:fs/promises";
import http from "node:http";
import net from "node:net";
import { extname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const ASSETS = new URL("../../../crates/server/assets/console/", import.meta.url);
const TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
};
/** What the broker says of its pages. */
export const POLICY =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export class Front {
    constructor(broker, assets = ASSETS) {
        // After so many octets from the broker, a WebSocket is cut, wherever that is in a frame.
        Object.assign(this, { broker, assets, octetsMax: Infinity, cuts: 0 });
        this.server = http.createServer((request, response) => this.answer(request, response));
        this.server.on("upgrade", (request, client, head) => this.join(request, client, head));
    }

    async listen(port = 0) {
        await new Promise((resolve) => this.server.listen(port, "127.0.0.1", resolve));
        this.host = `127.0.0.1:${this.server.address().port}`;
    }

    answer(request, response) {
        const { pathname } = new URL(request.url, "http://front");
        const name = /^\/console(?:\/([a-z.]*))?$/.exec(pathname);
        if (name) return this.file(name[1] || "index.html", response);
        const [host, port] = this.broker.split(":");
        const { method, url: path, headers } = request;
        const asked = http.request({ host, port, method, path, headers }, (answer) => {
            response.writeHead(answer.statusCode, answer.rawHeaders);
            answer.pipe(response);
        });
        asked.on("error", () => response.destroy());
        request.pipe(asked);
    }

    async file(name, response) {
        try {
            const body = await readFile(new URL(name, this.assets));
            response.writeHead(200, {
                "Content-Type": TYPES[extname(name)],
                "Content-Security-Policy": POLICY,
                "Cache-Control": "no-store",
            });
            response.end(body);
        } catch {
            response.writeHead(404).end();
        }
    }

    join(request, client, head) {
        const [host, port] = this.broker.split(":");
        const broker = net.connect(Number(port), host);
        const lines = [`GET ${request.url} HTTP/1.1`];
        for (let at = 0; at < request.rawHeaders.length; at += 2) {
            lines.push(request.rawHeaders.slice(at, at + 2).join(": "));
        }
        broker.write(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
        broker.write(head);
        client.pipe(broker);
        this.carry(broker, client);
        client.on("error", () => broker.destroy()).on("close", () => broker.destroy());
        broker.on("error", () => client.destroy()).on("close", () => client.destroy());
    }

    carry(broker, client) {
        let left = this.octetsMax;
        broker.on("end", () => client.end());
        broker.on("data", (chunk) => {
            if (left <= 0) return;
            left -= chunk.length;
            if (left > 0) return client.write(chunk);
            this.cuts += 1;
            client.write(chunk.subarray(0, chunk.length + left), () => client.resetAndDestroy());
        });
    }

    close() {
        this.server.close();
        this.server.closeAllConnections();
    }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    const [broker = "127.0.0.1:8080", port = "8081", folder] = process.argv.slice(2);
    const front = new Front(broker, folder ? pathToFileURL(`${folder}/`) : ASSETS);
    await front.listen(Number(port));
    console.log(`http://${front.host}/console`);
}
