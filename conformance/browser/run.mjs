// MBWS in a real browser.
//
//     node run.mjs BINARY [--only TEXT]
//
// Starts a broker and a headless chromium, runs every case in a page of its own and prints `N passed, N failed` last.
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { Broker } from "./broker.mjs";
import { cases } from "./cases.mjs";
import { Front } from "./front.mjs";

const CREDENTIALS = ["browser", "a password: ü"];
const CASE_MS = 60_000;
const FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];
const FOLDER = new URL("page/", import.meta.url);
const SCREENSHOTS = fileURLToPath(new URL("screenshots/", import.meta.url));

const [binary, , only = ""] = process.argv.slice(2);
const broker = new Broker(binary, CREDENTIALS);
// The page under the broker's host, and the same page under another.
const front = new Front(() => broker.host, FOLDER);
const other = new Front(() => broker.host, FOLDER);
const profiles = await mkdtemp(join(tmpdir(), "wharf-profiles-"));
let contexts = 0;

function browser(options = {}) {
    contexts += 1;
    const settings = { executablePath: "/usr/bin/chromium", headless: true, args: FLAGS, ...options };
    return chromium.launchPersistentContext(join(profiles, String(contexts)), settings);
}

async function openIn(context, url) {
    const page = await context.newPage();
    await page.goto(url);
    return page;
}

async function run(context, { name, run: body }, index) {
    const open = (host = front.host) => openIn(context, `http://${host}/page/`);
    const page = await open();
    const world = {
        page,
        open,
        front,
        broker,
        credentials: CREDENTIALS,
        elsewhere: other.host,
        address: `browser/${index}`,
        anonymous: async (options) => openIn(await browser(options), `http://${front.host}/page/`),
        screenshot: (label) => page.screenshot({ path: join(SCREENSHOTS, `${label}.png`) }),
    };
    const problems = [];
    page.on("pageerror", (error) => problems.push(String(error)));
    let timer;
    const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error("took too long")), CASE_MS);
    });
    try {
        await Promise.race([body(world), late]);
        if (problems.length) throw new Error(`errors in the page: ${problems.join("; ")}`);
        return null;
    } catch (error) {
        return `${error.message ?? error}${problems.length ? ` [${problems.join("; ")}]` : ""}`.slice(0, 800);
    } finally {
        clearTimeout(timer);
        front.cutAfter = null;
        await page.close().catch(() => {});
    }
}

let passed = 0;
let failed = 0;
try {
    await mkdir(SCREENSHOTS, { recursive: true });
    await Promise.all([broker.start(), front.listen(), other.listen()]);
    const [username, password] = CREDENTIALS;
    const context = await browser({ httpCredentials: { username, password } });
    // The browser is asked once, for a page; its WebSockets to this host are then logged in as well.
    await (await openIn(context, `http://${front.host}/login`)).close();
    console.log(`chromium ${context.browser()?.version() ?? ""}`.trim());
    for (const [index, entry] of cases.entries()) {
        if (!entry.name.includes(only)) continue;
        const why = await run(context, entry, index);
        if (why === null) passed += 1;
        else {
            failed += 1;
            console.log(`FAILED ${entry.name} (${entry.requirements})\n    ${why}`);
        }
    }
    await context.close();
} finally {
    front.close();
    other.close();
    await broker.stop();
    await rm(profiles, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
