// The client in chromium against the real broker: reloads, tabs, crashes, wires that break, brokers that are killed.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test as timeless } from "node:test";
import { chromium } from "playwright-core";
import { Broker, TOKEN } from "./broker.mjs";
import { collect, numbers, open, until } from "./helpers.mjs";
import { Proxy, randomFrom } from "./proxy.mjs";

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const IS_FULL = Boolean(process.env.WHARF_TEST_FULL);
const TEST_MS = IS_FULL ? 300_000 : 40_000;

const broker = new Broker();
const files = {
    "/page/": new URL("page.html", import.meta.url),
    "/page/page.js": new URL("page.js", import.meta.url),
    "/page/wharf.js": new URL("../dist/index.min.js", import.meta.url),
};
const proxy = new Proxy(broker, files);
const folders = [];
let context;
/** In node, straight to the broker: what arrives is seen from outside. */
let observer;
let addresses = 0;

const test = (name, run) => timeless(name, { timeout: TEST_MS }, run);
const address = () => `browser/${(addresses += 1)}`;

async function browser(folder) {
    const settings = { executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: FLAGS };
    return chromium.launchPersistentContext(folder, settings);
}

async function newFolder() {
    const folder = await mkdtemp(join(tmpdir(), "wharf-web-profile-"));
    folders.push(folder);
    return folder;
}

async function newPage(where = context) {
    const page = await where.newPage();
    page.problems = [];
    page.on("pageerror", (error) => page.problems.push(String(error)));
    await visit(page);
    return page;
}

async function visit(page) {
    await page.goto(`http://${proxy.host}/page/`);
    await page.waitForFunction(() => window.isReady);
}

const begin = (page, persist, options = {}) => page.evaluate((options) => open(options), { persist, token: TOKEN, ...options });
const opened = (page) => page.waitForFunction(() => ["open", "recovered"].includes(client.state));

before(async () => {
    await broker.start();
    await proxy.listen();
    context = await browser(await newFolder());
    observer = await open(`ws://127.0.0.1:${broker.port}/ws`);
});

afterEach(async () => {
    proxy.cutAfter = () => Infinity;
    proxy.isClosed = false;
    const pages = context.pages();
    // The last one keeps the browser alive.
    const blank = await context.newPage();
    for (const page of pages) await page.close();
    assert.equal(context.pages().length, 1, String(blank));
});

after(async () => {
    await observer.close();
    await context.close();
    proxy.close();
    await broker.stop();
    for (const folder of folders) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

test("an outbox that no network took outlives a reload, and goes out once and in order", async () => {
    const [page, to] = [await newPage(), address()];
    proxy.isClosed = true;
    await begin(page, "reload");
    await page.evaluate((to) => { for (let at = 0; at < 200; at += 1) client.send(to, String(at)).catch(() => {}); }, to);
    await until(() => page.evaluate(() => kept("reload")).then((count) => count === 200), "200 kept");
    await page.reload();
    await page.waitForFunction(() => window.isReady);
    await begin(page, "reload");
    await page.evaluate((to) => { for (let at = 200; at < 210; at += 1) client.send(to, String(at)).catch(() => {}); }, to);
    proxy.isClosed = false;
    assert.deepEqual(await collect(observer, to, 210, { credit: 500 }), numbers(210));
    await until(() => page.evaluate(() => kept("reload")).then((count) => count === 0), "all gone out");
});

test("reloads under load on a wire that breaks: what was stored is there once, nothing twice, in order", async () => {
    const [page, to, total] = [await newPage(), address(), IS_FULL ? 6000 : 800];
    const random = randomFrom(5);
    proxy.cutAfter = () => 900 + random(2500);
    const sending = () => page.evaluate(([to, total]) => void produce(to, "", total).then(() => (window.isDone = true), (error) => (window.failure = error)), [to, total]);
    const next = () => page.evaluate(() => Number(localStorage["next:"] ?? 0));
    await begin(page, "load");
    await page.evaluate(() => localStorage.clear());
    await sending();
    const reloads = IS_FULL ? 30 : 4;
    for (let reload = 1; reload <= reloads; reload += 1) {
        await until(async () => (await next()) >= (reload * total) / (reloads + 1), "progress");
        await page.reload();
        await page.waitForFunction(() => window.isReady);
        await begin(page, "load");
        await sending();
    }
    await page.waitForFunction(() => window.isDone, undefined, { timeout: TEST_MS });
    await page.evaluate(() => client.drain());
    await until(() => page.evaluate(() => kept("load")).then((count) => count === 0), "all gone out");
    await observer.send(to, "end");
    const got = [];
    for await (const delivery of observer.receive(to, { credit: 1000 })) {
        await delivery.ack();
        if (delivery.text() === "end") break;
        got.push(Number(delivery.text()));
    }
    const stored = await page.evaluate(() => JSON.parse(localStorage["stored:"]));
    assert.deepEqual(got, [...new Set(got)].sort((a, b) => a - b), "doubled or out of order");
    const missing = stored.filter((text) => !got.includes(Number(text)));
    assert.deepEqual(missing, [], "lost");
    assert.ok(got.length > total - 20 * reloads && proxy.cuts > 5, `${got.length} of ${total}, ${proxy.cuts} cuts`);
    assert.deepEqual([await page.evaluate(() => lost.length), page.problems], [0, []]);
});

test("what a page has acknowledged does not come again to the next, what it has not does", async () => {
    const [page, to, total] = [await newPage(), address(), 300];
    const random = randomFrom(6);
    proxy.cutAfter = () => 900 + random(4000);
    await page.evaluate(() => localStorage.clear());
    const receiving = async () => {
        await begin(page, "receive");
        await page.evaluate((to) => void receive(to, { credit: 20 }), to);
    };
    await receiving();
    const sent = Promise.all(numbers(total).map((body) => observer.send(to, body)));
    for (const goal of [60, 120, 200]) {
        await page.waitForFunction((goal) => got.length >= goal, goal);
        await page.reload();
        await page.waitForFunction(() => window.isReady);
        await receiving();
    }
    await sent;
    await page.waitForFunction((total) => new Set(got).size >= total, total);
    const got = await page.evaluate(() => got);
    // Between an effect and its acknowledgement a reload may come: then, and only then, that message is repeated.
    const repeated = got.length - new Set(got).size;
    assert.deepEqual([...new Set(got)], numbers(total), "lost or out of order");
    assert.ok(repeated <= 3, `${repeated} repeated over 3 reloads`);
    assert.deepEqual(page.problems, []);
});

test("two tabs at once share one sequence, and the one that stays takes over", async () => {
    const [first, to, total] = [await newPage(), address(), IS_FULL ? 2000 : 300];
    const second = await newPage();
    const random = randomFrom(9);
    proxy.cutAfter = () => 900 + random(4000);
    await first.evaluate(() => localStorage.clear());
    for (const page of [first, second]) await begin(page, "tabs");
    await until(async () => (await first.evaluate(() => client.isLeader)) !== (await second.evaluate(() => client.isLeader)), "one leader");
    const [leader, other] = (await first.evaluate(() => client.isLeader)) ? [first, second] : [second, first];
    for (const [page, prefix] of [[leader, "L"], [other, "O"]]) {
        await page.evaluate(([to, prefix, total]) => void produce(to, prefix, total).then(() => (window.isDone = true), (error) => (window.failure = error)), [to, prefix, total]);
    }
    // The leader dies half way; what it had put into the outbox goes out all the same.
    await leader.waitForFunction((half) => Number(localStorage["next:L"]) > half, total / 2);
    await leader.close();
    await other.waitForFunction(() => window.isDone, undefined, { timeout: TEST_MS });
    assert.equal(await other.evaluate(() => client.isLeader), true);
    await opened(other);
    await other.evaluate(() => client.drain());
    await until(() => other.evaluate(() => kept("tabs")).then((count) => count === 0), "all gone out");
    await observer.send(to, "end");
    const got = [];
    for await (const delivery of observer.receive(to, { credit: 1000 })) {
        await delivery.ack();
        if (delivery.text() === "end") break;
        got.push(delivery.text());
    }
    const of = (prefix) => got.filter((text) => text.startsWith(prefix)).map((text) => Number(text.slice(1)));
    assert.deepEqual(of("O"), numbers(total).map(Number), "the tab that stayed: lost, doubled or out of order");
    assert.deepEqual(of("L"), [...new Set(of("L"))].sort((a, b) => a - b), "the tab that died: doubled or out of order");
    const stored = await other.evaluate(() => JSON.parse(localStorage["stored:L"]));
    assert.deepEqual(stored.filter((text) => !got.includes(text)), [], "stored, and lost");
    assert.deepEqual([other.problems, await other.evaluate(() => lost.length)], [[], 0]);
});

test("of two tabs one receives, and the other when it is gone", async () => {
    const [first, to] = [await newPage(), address()];
    const second = await newPage();
    await first.evaluate(() => localStorage.clear());
    for (const page of [first, second]) {
        await begin(page, "turns");
        await page.evaluate((to) => void receive(to), to);
        await opened(page);
    }
    await observer.send(to, "1");
    await first.waitForFunction(() => got.length === 1);
    await first.close();
    await observer.send(to, "2");
    await second.waitForFunction(() => got.length >= 1);
    assert.deepEqual(await second.evaluate(() => got), ["2"]);
    assert.equal(await second.evaluate(() => client.state), "recovered");
});

test("the broker is killed under a page", async () => {
    const [page, to, total] = [await newPage(), address(), IS_FULL ? 3000 : 400];
    await page.evaluate(() => localStorage.clear());
    await begin(page, "kills");
    await page.evaluate(([to, total]) => {
        void receive(to, { credit: 50 });
        void produce(to, "", total);
    }, [to, total]);
    for (let kill = 1; kill <= 2; kill += 1) {
        await page.waitForFunction((goal) => got.length >= goal, (kill * total) / 3);
        await broker.restart("SIGKILL");
    }
    await page.waitForFunction((total) => got.length >= total, total, { timeout: TEST_MS });
    assert.deepEqual(await page.evaluate(() => got), numbers(total), "lost, doubled or out of order");
    const states = await page.evaluate(() => states);
    assert.ok(states.filter((state) => state === "recovered").length >= 2 && !states.includes("lost"), String(states));
});

test("a browser that crashed goes on with its outbox", async () => {
    const folder = await newFolder();
    const to = address();
    let other = await browser(folder);
    const page = await newPage(other);
    proxy.isClosed = true;
    await begin(page, "crash");
    await page.evaluate((to) => { for (let at = 0; at < 100; at += 1) client.send(to, String(at)).catch(() => {}); }, to);
    await until(() => page.evaluate(() => kept("crash")).then((count) => count === 100), "100 kept");
    const gone = new Promise((resolve) => other.once("close", resolve));
    const devtools = await other.browser()?.newBrowserCDPSession() ?? (await other.newCDPSession(page));
    devtools.send("Browser.crash").catch(() => {});
    await gone;
    proxy.isClosed = false;
    other = await browser(folder);
    const again = await newPage(other);
    await begin(again, "crash");
    assert.deepEqual(await collect(observer, to, 100, { credit: 500 }), numbers(100));
    await other.close();
});

test("a tab that is told it will be frozen lets another one lead, and comes back", async () => {
    const [first, to] = [await newPage(), address()];
    const second = await newPage();
    for (const page of [first, second]) {
        await begin(page, "frozen");
        await opened(page);
    }
    assert.equal(await first.evaluate(() => client.isLeader), true);
    // Chromium freezes no page that is visible, and headless all are: the page hears what it would hear.
    await first.evaluate(() => document.dispatchEvent(new Event("freeze")));
    await second.waitForFunction(() => client.isLeader);
    await second.evaluate((to) => client.send(to, "meanwhile"), to);
    await first.evaluate(() => document.dispatchEvent(new Event("resume")));
    await first.evaluate((to) => client.send(to, "awake"), to);
    assert.equal(await first.evaluate(() => client.isLeader), false);
    await second.close();
    await first.evaluate((to) => client.send(to, "alone"), to);
    assert.deepEqual(await collect(observer, to, 3), ["meanwhile", "awake", "alone"]);
});

test("a network that is back is noticed at once", async () => {
    const [page, to] = [await newPage(), address()];
    await begin(page, "online", { retryFirstMs: 60_000, retryMaxMs: 60_000 });
    await page.evaluate((to) => client.send(to, "1"), to);
    await context.setOffline(true);
    proxy.cutAll();
    await page.waitForFunction(() => client.state === "recovering");
    const sent = page.evaluate((to) => client.send(to, "2"), to);
    await context.setOffline(false);
    await sent;
    assert.deepEqual(await collect(observer, to, 2), ["1", "2"]);
});

test("without an outbox a page is a client like any other, logged in as the browser is", async () => {
    const [page, to] = [await newPage(), address()];
    await page.evaluate(() => localStorage.clear());
    // The browser was given the credentials in the URL by the tests before, and remembers them for this host.
    await begin(page, false, { token: undefined });
    await page.evaluate((to) => void receive(to), to);
    const octets = await page.evaluate(async (to) => {
        await client.send(to, Uint8Array.of(104, 105));
        await client.send(to, { a: 1 });
        return client.pending;
    }, to);
    assert.equal(octets, 0);
    await page.waitForFunction(() => got.length === 2);
    assert.deepEqual(await page.evaluate(() => got), ["hi", '{"a":1}']);
    await page.evaluate(() => client.close());
    assert.deepEqual(await page.evaluate(() => states), ["open", "closed"]);
});

test("`forget` leaves nothing behind", async () => {
    const [page, to] = [await newPage(), address()];
    await begin(page, "forget");
    await page.evaluate((to) => void client.receive(to).next(), to);
    await observer.send(to, "x");
    await page.waitForFunction(() => client.state === "open" && client.pending === 0);
    await page.evaluate(() => client.close({ forget: true }));
    assert.equal(await page.evaluate(() => kept("forget")), 0);
    // Nobody acknowledged it: it is there for others.
    assert.deepEqual(await collect(observer, to, 1), ["x"]);
    await begin(page, "forget");
    await opened(page);
    assert.equal((await page.evaluate(() => states)).at(-1), "open");
});
