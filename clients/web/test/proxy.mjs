// A wire to the broker that breaks for real: after so many octets in either direction, on demand, or by falling silent.
// It also serves the files of pages, so that they are of the broker's origin.
import { readFile } from "node:fs/promises";
import net from "node:net";
import { extname } from "node:path";
import { freePort } from "./ports.mjs";

const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8" };
const HEAD_MAX_BYTES = 65_536;

export class Proxy {
    constructor(broker, files = {}) {
        Object.assign(this, { broker, files });
        this.wires = new Set();
        this.cuts = 0;
        this.requests = 0;
        /** Octets that the next wire carries, both directions together. */
        this.cutAfter = () => Infinity;
        /** Whether nobody is let through. */
        this.isClosed = false;
        this.server = net.createServer({ allowHalfOpen: true }, (client) => this.accept(client));
    }

    async listen() {
        this.port = await freePort();
        await new Promise((resolve) => this.server.listen(this.port, "127.0.0.1", resolve));
        this.host = `127.0.0.1:${this.port}`;
        this.url = `ws://${this.host}/ws`;
    }

    accept(client) {
        let head = Buffer.alloc(0);
        client.on("error", () => client.destroy());
        const read = (chunk) => {
            head = Buffer.concat([head, chunk]);
            if (head.length > HEAD_MAX_BYTES) client.destroy();
            if (!head.includes("\r\n\r\n")) return;
            client.off("data", read);
            const path = head.toString("latin1").split(" ")[1].replace(/\?.*/, "");
            // Nothing but WebSockets reaches the broker: a browser would ask it for pages on the same connection.
            if (path !== "/ws") this.answer(client, this.files[path]);
            else if (this.isClosed) client.destroy();
            else this.join(client, head);
        };
        client.on("data", read);
    }

    async answer(client, file) {
        const body = file ? await readFile(file) : Buffer.alloc(0);
        const type = file ? TYPES[extname(file.pathname)] : "text/plain";
        const fields = [`Content-Type: ${type}`, `Content-Length: ${body.length}`, "Cache-Control: no-store"];
        const head = [`HTTP/1.1 ${file ? "200 OK" : "404 Not Found"}`, ...fields, "Connection: close", "\r\n"];
        client.end(Buffer.concat([Buffer.from(head.join("\r\n")), body]));
    }

    join(client, head) {
        this.requests += 1;
        const broker = net.connect({ port: this.broker.port, host: "127.0.0.1", allowHalfOpen: true });
        const wire = { client, broker, left: this.cutAfter(), isSilent: false };
        this.wires.add(wire);
        const cut = () => this.cut(wire);
        const pass = (to) => (chunk) => {
            if (wire.isSilent) return;
            // The wire breaks in mid-write: what fits still arrives.
            to.write(chunk.subarray(0, Math.max(0, Math.min(chunk.length, wire.left))));
            wire.left -= chunk.length;
            if (wire.left > 0) return;
            this.cuts += 1;
            setImmediate(cut);
        };
        client.on("data", pass(broker)).on("close", cut);
        broker.on("data", pass(client)).on("close", cut).on("error", cut);
        // Whoever says goodbye is answered by the other one.
        client.on("end", () => broker.end());
        broker.on("end", () => client.end());
        pass(broker)(head);
    }

    cut(wire) {
        this.wires.delete(wire);
        wire.client.destroy();
        wire.broker.destroy();
    }

    cutAll() {
        this.cuts += this.wires.size;
        for (const wire of [...this.wires]) this.cut(wire);
    }

    /** Nothing passes any more and nothing ends: the half-open state of a lost radio link. */
    silenceAll() {
        for (const wire of this.wires) wire.isSilent = true;
    }

    close() {
        for (const wire of [...this.wires]) this.cut(wire);
        this.server.close();
    }
}

/** Numbers that look random and are the same each time. */
export function randomFrom(seed) {
    let state = seed;
    return (below) => (state = (state * 48_271) % 2_147_483_647) % below;
}
