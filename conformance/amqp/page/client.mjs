// AMQP by rhea in a headless chromium, through the browser's own WebSocket. Usage: README.md one folder up.
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { Front } from "../../browser/front.mjs";

const STRINGS = ["url", "user", "password", "proxy", "control", "ca", "dead-letter", "limited", "limited-address"];
const DEFAULTS = {
    queues: "conformance/browser/",
    topics: "topic/conformance/browser/",
    messages: "1000",
    large: "67108864",
    run: `${process.pid}`,
    page: "",
    screenshots: "",
};
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];

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

async function control(what) {
    const answer = await fetch(`${given.control}/${what}`, { method: "POST" });
    const body = await answer.text();
    if (!answer.ok) throw new Error(`the harness: ${body}`);
    return body;
}

const browser = fileURLToPath(new URL("../../browser/package.json", import.meta.url));
const { chromium } = createRequire(browser)("playwright-core");
// Only the page comes from here.
const front = new Front(() => new URL(given.url).host, pathToFileURL(`${given.page}/`));
const profile = await mkdtemp(join(tmpdir(), "wharf-amqp-profile-"));
let failed = 1;
try {
    await front.listen();
    const settings = { executablePath: "/usr/bin/chromium", headless: true, args: FLAGS };
    const context = await chromium.launchPersistentContext(profile, settings);
    const page = await context.newPage();
    page.on("pageerror", (error) => console.error(`in the page: ${error}`));
    page.on("console", (line) => console.error(line.text()));
    await page.exposeFunction("control", control);
    await page.exposeFunction("say", (line) => console.log(line));
    await page.goto(`http://${front.host}/page/`);
    failed = await page.evaluate(([given, wanted]) => window.run(given, wanted), [given, positionals[0] ?? "all"]);
    if (given.screenshots) {
        await mkdir(given.screenshots, { recursive: true });
        await page.screenshot({ path: join(given.screenshots, "amqp-in-a-browser.png"), fullPage: true });
    }
    await context.close();
} finally {
    front.close();
    await rm(profile, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);
