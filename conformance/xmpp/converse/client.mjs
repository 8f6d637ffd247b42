// Two pages of converse.js in a headless chromium, one for alice and one for bob, talking through the broker.
//   client.mjs --url URL --host H --password P [--screenshots FOLDER]
import { createServer } from "node:http";
import { readFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const WAIT_MS = 30_000;
const { values: given } = parseArgs({
    options: {
        url: { type: "string" },
        host: { type: "string" },
        password: { type: "string" },
        screenshots: { type: "string" },
        proxy: { type: "string" },
        control: { type: "string" },
    },
});
const dist = fileURLToPath(new URL("../node_modules/converse.js/dist/", import.meta.url));
const require = createRequire(fileURLToPath(new URL("../../browser/package.json", import.meta.url)));
const { chromium } = require("playwright-core");

const TYPES = { ".js": "text/javascript", ".css": "text/css", ".json": "application/json", ".wasm": "application/wasm" };

function page(user) {
    const settings = {
        authentication: "login",
        auto_login: true,
        jid: `${user}@${given.host}`,
        password: given.password,
        websocket_url: given.url,
        discover_connection_methods: false,
        view_mode: "overlayed",
        show_controlbox_by_default: true,
        allow_registration: false,
        auto_subscribe: true,
        enable_smacks: true,
        notify_all_room_messages: false,
        play_sounds: false,
        i18n: "en",
        loglevel: "warn",
    };
    return `<!doctype html><meta charset="utf-8"><title>${user}</title>
<link rel="stylesheet" href="/dist/converse.min.css">
<body class="converse-website" style="background: #e8edf2"><h1 style="font-family: sans-serif; padding: 1rem">${user}</h1>
<script type="module">
import "/dist/converse.min.js";
window.converse.plugins.add("test", { initialize() {
    const { api, _converse } = this._converse;
    window.api = this._converse.api;
    api; _converse;
    window.api.listen.on("connected", () => (window.connected = true));
    window.api.listen.on("rosterContactsFetched", () => (window.rostered = true));
} });
window.converse.initialize({ ...${JSON.stringify(settings)}, whitelisted_plugins: ["test"] });
</script>`;
}

const server = createServer(async (request, response) => {
    const path = new URL(request.url, "http://page").pathname;
    try {
        if (path.startsWith("/page/")) {
            response.setHeader("Content-Type", "text/html; charset=utf-8");
            response.end(page(path.slice(6).replace(/[^a-z]/g, "")));
            return;
        }
        const file = normalize(path.replace(/^\/dist\//, "")).replace(/^(\.\.[/\\])+/, "");
        const body = await readFile(join(dist, file));
        response.setHeader("Content-Type", TYPES[extname(file)] ?? "application/octet-stream");
        response.end(body);
    } catch {
        response.statusCode = 404;
        response.end();
    }
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const origin = `http://127.0.0.1:${server.address().port}`;

const profile = await mkdtemp(join(tmpdir(), "wharf-converse-"));
let failed = false;
try {
    // A browser knows no certificate authority of a test.
    const trust = given.url.startsWith("wss:") ? ["--ignore-certificate-errors"] : [];
    const browser = await chromium.launch({
        executablePath: "/usr/bin/chromium",
        headless: true,
        args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", ...trust],
    });
    const people = {};
    for (const user of ["alice", "bob"]) {
        const context = await browser.newContext({ viewport: { width: 900, height: 640 } });
        const tab = await context.newPage();
        tab.on("pageerror", (error) => console.error(`${user}: ${error}`));
        tab.on("console", (line) => console.error(`${user}: ${line.text()}`));
        await tab.goto(`${origin}/page/${user}`);
        await tab.waitForFunction(() => window.connected && window.rostered, null, { timeout: WAIT_MS });
        people[user] = tab;
    }
    const say = async (from, to, body) => {
        await people[from].evaluate(
            async ([jid, body]) => {
                const chat = await window.api.chats.open(jid, {}, true);
                await chat.sendMessage({ body });
            },
            [`${to}@${given.host}`, body],
        );
        // As rendered, not as received.
        await people[to].evaluate((jid) => window.api.chats.open(jid, {}, true), `${from}@${given.host}`);
        await people[to].waitForFunction((body) => document.body.innerText.includes(body), body, { timeout: WAIT_MS });
    };
    await people.alice.evaluate((jid) => window.api.contacts.add({ jid, name: "Bob" }), `bob@${given.host}`).catch((error) => console.error(error));
    await say("alice", "bob", "Is the wire still cut?");
    await say("bob", "alice", "Twice today. Nothing was lost.");
    await say("alice", "bob", "And the broker?");
    await say("bob", "alice", "Killed with -9. Nothing came twice either.");
    if (given.screenshots) {
        await mkdir(given.screenshots, { recursive: true });
        for (const [user, tab] of Object.entries(people)) {
            await tab.screenshot({ path: join(given.screenshots, `converse-${user}.png`) });
        }
    }
    console.log("ok converse");
    await browser.close();
} catch (error) {
    failed = true;
    console.log(`FAIL converse ${String(error.message ?? error).replaceAll(/\s+/g, " ").slice(0, 600)}`);
} finally {
    server.close();
    await rm(profile, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);
