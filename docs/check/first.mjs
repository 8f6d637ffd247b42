// From nothing to the page /demo: starts Wharf by the command that is given, without a configuration,
// opens the page that it names, cuts the wires there, and says how long all of that took.
//
//     node first.mjs COMMAND...          such as: wharf, or cargo run --release
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DemoPage } from "../../conformance/demo/page.mjs";

const require = createRequire(new URL("../../conformance/browser/package.json", import.meta.url));
const { chromium } = require("playwright-core");
const FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run"];
// What is promised, without the build.
const MAX_S = 60;

const [command, ...args] = process.argv.slice(2);
const data = await mkdtemp(join(tmpdir(), "wharf-first-"));
const start = performance.now();
const seconds = () => ((performance.now() - start) / 1000).toFixed(1);
// The port of the command as it stands may be somebody else's here.
const env = { ...process.env, WHARF_LISTEN__ADDRESS: "127.0.0.1:0", WHARF_DATA__DIRECTORY: data };
const broker = spawn(command, args, { env, stdio: ["ignore", "pipe", "ignore"], detached: true });

async function greeting() {
    const found = {};
    for await (const line of createInterface({ input: broker.stdout })) {
        const [, name, value] = /^ +(\w+) +(\S+)/.exec(line) ?? [];
        if (name) found[name] = value;
        if (found.demo && found.password) return found;
    }
    throw new Error(`${command} has not started`);
}

let browser;
try {
    const { demo: url, user: username, password } = await greeting();
    console.log(`${seconds()} s: ${url}`);
    browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: FLAGS });
    const context = await browser.newContext({ httpCredentials: { username, password } });
    const page = await context.newPage();
    await page.goto(url);
    console.log(`${seconds()} s: the page is open`);
    if (seconds() > MAX_S) throw new Error(`more than ${MAX_S} s`);
    const demo = new DemoPage(page);
    await demo.start("mbws", 100);
    await demo.goesOn(20, "the start");
    await demo.cut("#cut-all", 1);
    await demo.goesOn(20, "a cut");
    const { verdict, word } = await demo.stop();
    if (word !== "good") throw new Error(verdict);
    console.log(`${seconds()} s: ${verdict}`);
} finally {
    await browser?.close();
    // cargo and what it runs are one group.
    process.kill(-broker.pid, "SIGTERM");
    await new Promise((resolve) => broker.once("exit", resolve));
    await rm(data, { recursive: true, force: true });
}
