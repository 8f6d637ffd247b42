// AMQP by rhea in node, over TCP, WebSockets, and either of them in TLS. Usage: README.md one folder up.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import rhea from "rhea";
import WebSocket from "ws";
import { run } from "./run.mjs";
import { BaseWorld } from "./world.mjs";

const STRINGS = ["url", "user", "password", "proxy", "control", "ca", "dead-letter", "limited", "limited-address"];
const DEFAULTS = { queues: "conformance/rhea/", topics: "topic/conformance/rhea/", messages: "1000", large: "67108864", run: `${process.pid}` };

const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
        ...Object.fromEntries(STRINGS.map((name) => [name, { type: "string" }])),
        ...Object.fromEntries(Object.entries(DEFAULTS).map(([name, value]) => [name, { type: "string", default: value }])),
        anonymous: { type: "boolean", default: false },
        killable: { type: "boolean", default: false },
    },
});
const given = { ...values, messages: Number(values.messages), large: Number(values.large) };

class World extends BaseWorld {
    details({ proxy } = {}) {
        const url = new URL(proxy ? given.proxy : given.url);
        const login = { username: given.user, password: given.password };
        const ca = given.ca ? readFileSync(given.ca) : undefined;
        if (url.protocol.startsWith("ws")) {
            const connect = rhea.websocket_connect(WebSocket);
            return { ...login, hostname: url.hostname, connection_details: connect(url.href, ["amqp"], { ca }) };
        }
        const transport = url.protocol === "amqps:" ? "tls" : "tcp";
        return { ...login, transport, ca, host: url.hostname, port: Number(url.port || 5672) };
    }

    async control(what) {
        const answer = await fetch(`${given.control}/${what}`, { method: "POST" });
        const body = await answer.text();
        if (!answer.ok) throw new Error(`the harness: ${body}`);
        return body;
    }
}

process.exit((await run(World, given, positionals[0] ?? "all", (line) => console.log(line))) ? 1 : 0);
