// What stands before a broker that does not serve /demo itself: the page's files from the source
// tree under the same origin as the broker, which answers everything else.
//
//     node front.mjs [BROKER [PORT]]           127.0.0.1:8080 and 8081 where left out
import { readFile } from "node:fs/promises";
import http from "node:http";
import net from "node:net";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";

const ASSETS = new URL("../../crates/server/assets/demo/", import.meta.url);
const TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
};
/** What the broker will say of the page. */
const POLICY =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
    "img-src 'self' data:";

export class Front {
    /** `broker` says where the broker is. */
    constructor(broker) {
        Object.assign(this, { broker, wires: new Set() });
        this.server = http.createServer((request, response) => this.answer(request, response));
        this.server.on("upgrade", (request, client, head) => this.join(request, client, head));
    }

    async listen(port = 0) {
        await new Promise((resolve) => this.server.listen(port, "127.0.0.1", resolve));
        this.host = `127.0.0.1:${this.server.address().port}`;
    }

    answer(request, response) {
        const { pathname } = new URL(request.url, "http://front");
        if (/^\/demo(\/|$)/.test(pathname)) return this.file(pathname.slice(6), response);
        const [host, port] = this.broker().split(":");
        const { method, url: path, headers } = request;
        const asked = http.request({ host, port, method, path, headers }, (answer) => {
            response.writeHead(answer.statusCode, answer.rawHeaders);
            answer.pipe(response);
        });
        asked.on("error", () => response.writeHead(502).end());
        request.pipe(asked);
    }

    async file(name, response) {
        try {
            if (!/^([a-z-]+\.[a-z]+)?$/.test(name)) throw new Error(name);
            const body = await readFile(new URL(name || "index.html", ASSETS));
            response.writeHead(200, {
                "Content-Type": TYPES[extname(name) || ".html"],
                "Content-Security-Policy": POLICY,
                "Cache-Control": "no-store",
            });
            response.end(body);
        } catch {
            response.writeHead(404).end();
        }
    }

    join(request, client, head) {
        const [host, port] = this.broker().split(":");
        const broker = net.connect(Number(port), host);
        const wire = { client, broker };
        this.wires.add(wire);
        const lines = [`GET ${request.url} HTTP/1.1`];
        for (let at = 0; at < request.rawHeaders.length; at += 2) {
            lines.push(request.rawHeaders.slice(at, at + 2).join(": "));
        }
        broker.write(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
        broker.write(head);
        client.pipe(broker).pipe(client);
        for (const socket of [client, broker]) {
            socket.on("error", () => {}).on("close", () => this.cut(wire));
        }
    }

    /** Who loses one end loses the other, as without a front. */
    cut(wire) {
        this.wires.delete(wire);
        wire.client.resetAndDestroy();
        wire.broker.resetAndDestroy();
    }

    close() {
        this.server.close();
        this.server.closeAllConnections();
        for (const wire of [...this.wires]) this.cut(wire);
    }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    const [broker = "127.0.0.1:8080", port = "8081"] = process.argv.slice(2);
    const front = new Front(() => broker);
    await front.listen(Number(port));
    console.log(`http://${front.host}/demo`);
}
