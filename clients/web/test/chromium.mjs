// Chromium with pages of the client in it, over a wire that breaks.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { Broker, TOKEN } from "./broker.mjs";
import { open } from "./helpers.mjs";
import { Proxy } from "./proxy.mjs";

const EXTENSION = fileURLToPath(new URL("extension", import.meta.url));
const FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    `--disable-extensions-except=${EXTENSION}`,
    `--load-extension=${EXTENSION}`,
];

/** A broker, the wire to it, a browser behind that wire, and an observer in front of it. */
export class Stage {
    broker = new Broker();
    proxy = new Proxy(this.broker, {
        "/page/": new URL("page.html", import.meta.url),
        "/page/page.js": new URL("page.js", import.meta.url),
        "/page/wharf.js": new URL("../dist/index.min.js", import.meta.url),
    });
    folders = [];
    addresses = 0;

    async set() {
        await this.broker.start();
        await this.proxy.listen();
        this.context = await this.browser(await this.newFolder());
        // In node, straight to the broker: what arrives is seen from outside.
        this.observer = await open(`ws://127.0.0.1:${this.broker.port}/ws`);
    }

    async clear() {
        this.proxy.cutAfter = () => Infinity;
        this.proxy.isClosed = false;
        const pages = this.context.pages();
        // This one keeps the browser alive.
        await this.context.newPage();
        for (const page of pages) await page.close();
    }

    async strike() {
        await this.observer?.close();
        await this.context?.close();
        this.proxy.close();
        await this.broker.stop();
        for (const folder of this.folders) {
            await rm(folder, { recursive: true, force: true, maxRetries: 5 });
        }
    }

    browser(folder) {
        return chromium.launchPersistentContext(folder, {
            executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
            headless: true,
            args: FLAGS,
            ignoreDefaultArgs: ["--disable-extensions"],
        });
    }

    async newFolder() {
        const folder = await mkdtemp(join(tmpdir(), "wharf-web-profile-"));
        this.folders.push(folder);
        return folder;
    }

    address() {
        return `browser/${(this.addresses += 1)}`;
    }

    async newPage(where = this.context) {
        const page = await where.newPage();
        follow(page);
        await page.goto(`http://${this.proxy.host}/page/`);
        return ready(page);
    }

    /**
     * Discards the tab of this page, as a browser does that is short of memory: the page is gone without a word, and
     * is made anew when somebody looks at the tab. Resolves with that new page.
     */
    async discard(page) {
        const [worker] = this.context.serviceWorkers();
        // A tab that is looked at is not discarded.
        await this.context.pages().find((other) => other !== page).bringToFront();
        const tab = await tabOf(worker, page);
        const gone = page.waitForEvent("close");
        const id = await worker.evaluate(async (id) => (await chrome.tabs.discard(id)).id, tab);
        await gone;
        const back = this.context.waitForEvent("page");
        await worker.evaluate((id) => chrome.tabs.update(id, { active: true }), id);
        const again = await ready(follow(await back));
        if (!(await again.evaluate(() => document.wasDiscarded))) throw new Error("not discarded");
        return again;
    }
}

/** The number that the browser has for the tab. */
async function tabOf(worker, page) {
    const title = `tab ${Math.random()}`;
    const before = await page.evaluate((title) => {
        const before = document.title;
        document.title = title;
        return before;
    }, title);
    const [tab] = await worker.evaluate((title) => chrome.tabs.query({ title }), title);
    await page.evaluate((title) => void (document.title = title), before);
    return tab.id;
}

function follow(page) {
    page.problems = [];
    page.on("pageerror", (error) => page.problems.push(String(error)));
    return page;
}

export async function ready(page) {
    await page.waitForFunction(() => window.isReady);
    return page;
}

export const begin = (page, persist, options = {}) =>
    page.evaluate((options) => open(options), { persist, token: TOKEN, ...options });

export const opened = (page) =>
    page.waitForFunction(() => ["open", "recovered"].includes(client.state));

/** Sends some numbers, and does not wait for the broker to have them. */
export const sendNumbers = (page, to, from, below) =>
    page.evaluate(
        ([to, from, below]) => {
            for (let at = from; at < below; at += 1) client.send(to, String(at)).catch(() => {});
        },
        [to, from, below],
    );

/** Has the page send, until `count` are sent over all its lives or it is told to stop. */
export const produce = (page, to, prefix, count) =>
    page.evaluate(
        ([to, prefix, count]) => {
            const done = () => (window.isDone = true);
            void window.produce(to, prefix, count).then(done, (error) => (window.failure = error));
        },
        [to, prefix, count],
    );
