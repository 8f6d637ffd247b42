// What stands between the browser and the broker: a page under the same host, and a wire that can be cut or go silent.
import { readFile } from "node:fs/promises";
import net from "node:net";
import { extname } from "node:path";

const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8" };
const HEAD_MAX_BYTES = 65_536;

export class Front {
    constructor(broker, folder) {
        Object.assign(this, { broker, folder });
        this.wires = new Set();
        this.cutAfter = null;
        this.cuts = 0;
        this.server = net.createServer({ allowHalfOpen: true }, (client) => this.accept(client));
    }

    async listen() {
        await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
        this.host = `127.0.0.1:${this.server.address().port}`;
    }

    accept(client) {
        let head = Buffer.alloc(0);
        client.on("error", () => client.destroy());
        const read = (chunk) => {
            head = Buffer.concat([head, chunk]);
            if (head.length > HEAD_MAX_BYTES) client.destroy();
            const end = head.indexOf("\r\n\r\n");
            if (end < 0) return;
            client.off("data", read);
            const text = head.subarray(0, end).toString("latin1");
            if (/^GET \/ws\b/.test(text)) this.join(client, head);
            else if (/^GET \/page\b/.test(text)) this.page(client, text);
            else this.ask(client, text);
        };
        client.on("data", read);
    }

    async page(client, head) {
        const answer = (status, fields, body) => {
            const lines = [`HTTP/1.1 ${status}`, ...fields, `Content-Length: ${body.length}`, "Connection: close"];
            client.end(Buffer.concat([Buffer.from(lines.join("\r\n") + "\r\n\r\n"), body]));
        };
        const name = head.split(" ")[1].replace(/^\/page\/?/, "").replace(/\?.*/, "") || "index.html";
        try {
            if (!/^[a-z]+\.(html|js)$/.test(name)) throw new Error(name);
            const body = await readFile(new URL(name, this.folder));
            answer("200 OK", [`Content-Type: ${TYPES[extname(name)]}`, "Cache-Control: no-store"], body);
        } catch {
            answer("404 Not Found", [], Buffer.alloc(0));
        }
    }

    // A request that the broker answers. The wire is not kept: the browser would ask it for pages too.
    ask(client, head) {
        const [host, port] = this.broker().split(":");
        const broker = net.connect(Number(port), host, () => {
            broker.write(head.replace(/^connection:.*$/im, "Connection: close") + "\r\n\r\n", "latin1");
        });
        broker.on("error", () => client.destroy());
        broker.pipe(client);
    }

    join(client, head) {
        const [host, port] = this.broker().split(":");
        const broker = net.connect({ port: Number(port), host, allowHalfOpen: true });
        const wire = { client, broker, left: this.cutAfter?.() ?? Infinity, isSilent: false, held: [] };
        this.wires.add(wire);
        const cut = () => this.cutWire(wire);
        const pass = (to) => (chunk) => {
            if (wire.isSilent) return wire.held.push(chunk);
            // The wire breaks in mid-write: what fits still arrives.
            to.write(chunk.subarray(0, Math.max(0, Math.min(chunk.length, wire.left))));
            wire.left -= chunk.length;
            if (wire.left <= 0) {
                this.cuts += 1;
                setImmediate(cut);
            }
        };
        client.on("data", pass(broker)).on("close", cut);
        // The status line of the broker's answer, which a page is not told.
        broker.once("data", (chunk) => {
            this.lastStatus = Number(chunk.subarray(9, 12).toString("latin1"));
        });
        broker.on("data", pass(client)).on("close", cut).on("error", cut);
        pass(broker)(head);
    }

    cutWire(wire) {
        this.wires.delete(wire);
        // With data unread on either side this is a reset, otherwise an end without a Close.
        wire.client.destroy();
        wire.broker.destroy();
    }

    cutAll() {
        this.cuts += this.wires.size;
        for (const wire of [...this.wires]) this.cutWire(wire);
    }

    // Nothing passes any more and nothing ends: the half-open state of a lost radio link.
    silenceAll() {
        for (const wire of this.wires) wire.isSilent = true;
    }

    close() {
        this.cutAll();
        this.server.close();
    }
}
