// A broker of one's own on one port, killed and started again by its process id.
import { spawn } from "node:child_process";
import { openSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./ports.mjs";

const START_MS = 60_000;

export const USER = "web";
export const PASSWORD = "a password: ü%41";
export const TOKEN = `${USER}:${PASSWORD}`;

export class Broker {
    constructor(flags = []) {
        this.flags = flags;
    }

    async start() {
        this.binary ??= process.env.WHARF_BIN;
        if (!this.binary) throw new Error("WHARF_BIN names the broker");
        this.port ??= await freePort();
        this.directory ??= await mkdtemp(join(tmpdir(), "wharf-web-"));
        const log = openSync(join(this.directory, "log"), "a");
        const where = ["--listen", `127.0.0.1:${this.port}`, "--data", join(this.directory, "data"), "--user", TOKEN];
        this.process = spawn(this.binary, ["serve", ...where, ...this.flags], { stdio: ["ignore", "pipe", log] });
        this.ended = new Promise((resolve) => this.process.once("exit", resolve));
        await new Promise((resolve, reject) => {
            let text = "";
            this.process.stdout.on("data", (chunk) => /ws:\/\//.test((text += chunk)) && resolve());
            this.ended.then((code) => reject(new Error(`the broker ended with ${code}`)));
            this.process.once("error", reject);
            setTimeout(() => reject(new Error("the broker did not say that it is ready")), START_MS).unref();
        });
    }

    async kill(signal = "SIGKILL") {
        this.process.kill(signal);
        await this.ended;
    }

    async restart(signal) {
        await this.kill(signal);
        await this.start();
    }

    async stop() {
        if (this.process?.exitCode === null && this.process.signalCode === null) await this.kill();
        if (this.directory) await rm(this.directory, { recursive: true, force: true });
    }
}
