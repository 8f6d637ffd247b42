// A broker of one's own on a free port, with a configuration, and programs that are its clients.
import { spawn } from "node:child_process";
import { openSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const START_MS = 60_000;
export const ADMIN = ["admin", "a password: ü"];

const CONFIGURATION = `
[listen]
hosts = ["localhost", "shop.example"]

[[policies]]
pattern = "logs/**"
kind = "topic"
ttl_ms = 3600000
`;

/** A free port outside the range that the system hands out, which nobody takes during a restart. */
async function lastingPort() {
    for (;;) {
        const port = 10_000 + Math.floor(Math.random() * 22_000);
        const probe = createServer();
        const isFree = await new Promise((resolve) => {
            probe.once("error", () => resolve(false));
            probe.listen(port, "127.0.0.1", () => resolve(true));
        });
        await new Promise((resolve) => probe.close(resolve));
        if (isFree) return port;
    }
}

export class Broker {
    constructor(binary) {
        this.binary = binary;
        this.programs = [];
    }

    async begin() {
        this.host = `127.0.0.1:${await lastingPort()}`;
        this.directory = await mkdtemp(join(tmpdir(), "wharf-console-"));
        this.log = openSync(join(this.directory, "log"), "a");
        this.configuration = join(this.directory, "wharf.toml");
        await this.configure("");
        await writeFile(join(this.directory, "password"), `${ADMIN[1]}\n`, { mode: 0o600 });
        await this.start();
    }

    async start() {
        const flags = ["--config", this.configuration, "--listen", this.host];
        flags.push("--data", join(this.directory, "data"), "--user", ADMIN.join(":"));
        this.process = spawn(this.binary, ["serve", ...flags], {
            stdio: ["ignore", "pipe", this.log],
        });
        this.ended = new Promise((resolve) => this.process.once("exit", resolve));
        await new Promise((resolve, reject) => {
            this.process.stdout.on("data", (chunk) => {
                if (String(chunk).includes("is ready")) resolve();
            });
            this.ended.then((code) => reject(new Error(`the broker ended with ${code}`)));
            this.process.once("error", reject);
            setTimeout(() => reject(new Error("the broker is not ready")), START_MS).unref();
        });
    }

    /** What the file of the configuration says, beside what it always does. */
    configure(more) {
        return writeFile(this.configuration, CONFIGURATION + more);
    }

    /** A verb of the command line as a client; it is ended with the broker, or before. */
    run(verb, flags, input) {
        const who = ["--user", ADMIN[0], "--password-file", join(this.directory, "password")];
        const url = ["--url", `ws://${this.host}/ws`];
        const program = spawn(this.binary, [verb, ...url, ...who, ...flags], {
            stdio: [input === undefined ? "ignore" : "pipe", "ignore", this.log],
        });
        if (input !== undefined) program.stdin.end(input);
        program.ended = new Promise((resolve) => program.once("exit", resolve));
        this.programs.push(program);
        return program;
    }

    /** A client that is killed, and leaves a session. */
    async leave() {
        const program = this.run("receive", ["orders/asia", "--follow"]);
        const isThere = async () =>
            (await ask(this.host, "GET", "/addresses/orders%2Fasia")).consumers === 1;
        while (!(await isThere())) await new Promise((resolve) => setTimeout(resolve, 50));
        program.kill("SIGKILL");
        await program.ended;
    }

    async kill() {
        this.process.kill("SIGKILL");
        await this.ended;
    }

    async stop() {
        const all = [...this.programs, this.process];
        for (const one of all) {
            if (!one || one.exitCode !== null || one.signalCode !== null) continue;
            one.kill(one === this.process ? "SIGTERM" : "SIGKILL");
        }
        await Promise.all(this.programs.map(({ ended }) => ended));
        await this.ended;
        await rm(this.directory, { recursive: true, force: true });
    }
}

/** Asks the API as the administrator. */
export async function ask(host, method, path, body) {
    const response = await fetch(`http://${host}/api/v1${path}`, {
        method,
        headers: {
            Authorization: `Basic ${Buffer.from(ADMIN.join(":")).toString("base64")}`,
            ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
}
