// A broker of one's own, started on a free port, killed and started again by its process id.
import { spawn } from "node:child_process";
import { openSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const START_MS = 60_000;

// A free port outside the range that the system hands out, so that nobody takes it during a restart.
async function lastingPort() {
    for (;;) {
        const port = 10_000 + Math.floor(Math.random() * 22_000);
        const probe = createServer();
        const isFree = await new Promise((resolve) => {
            probe.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true));
        });
        await new Promise((resolve) => probe.close(resolve));
        if (isFree) return port;
    }
}

export class Broker {
    constructor(binary, [user, password]) {
        Object.assign(this, { binary, user: `${user}:${password}` });
    }

    async start() {
        this.host ??= `127.0.0.1:${await lastingPort()}`;
        this.directory ??= await mkdtemp(join(tmpdir(), "wharf-browser-"));
        const log = openSync(join(this.directory, "log"), "a");
        const flags = ["--listen", this.host, "--data", join(this.directory, "data"), "--user", this.user];
        this.process = spawn(this.binary, ["serve", ...flags], { stdio: ["ignore", "pipe", log] });
        this.ended = new Promise((resolve) => this.process.once("exit", resolve));
        this.host = await new Promise((resolve, reject) => {
            let text = "";
            this.process.stdout.on("data", (chunk) => {
                text += chunk;
                const found = /ws:\/\/([^/\s]+)\/ws/.exec(text);
                if (found) resolve(found[1]);
            });
            this.ended.then((code) => reject(new Error(`the broker ended with ${code}`)));
            this.process.once("error", reject);
            setTimeout(() => reject(new Error("the broker did not say that it is ready")), START_MS).unref();
        });
    }

    async kill(signal = "SIGKILL") {
        this.process.kill(signal);
        await this.ended;
    }

    async stop() {
        if (this.process?.exitCode === null && this.process.signalCode === null) await this.kill("SIGTERM");
        await rm(this.directory, { recursive: true, force: true });
    }
}
