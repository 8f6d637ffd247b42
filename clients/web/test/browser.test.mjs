// The client in chromium against the real broker: reloads, tabs, crashes, discards, wires that break.
import assert from "node:assert/strict";
import { after, afterEach, before, test as timeless } from "node:test";
import { begin, opened, produce, ready, sendNumbers, Stage } from "./chromium.mjs";
import { collect, numbers, until } from "./helpers.mjs";
import { randomFrom } from "./proxy.mjs";

const TEST_MS = 60_000;
const test = (name, run) => timeless(name, { timeout: TEST_MS }, run);
const stage = new Stage();
const { proxy, broker } = stage;
let observer;

before(async () => {
    await stage.set();
    observer = stage.observer;
});
afterEach(() => stage.clear());
after(() => stage.strike());

const keeps = (page, name, count) =>
    until(async () => (await page.evaluate((name) => kept(name), name)) === count, `${count} kept`);

async function reload(page) {
    await page.reload();
    await ready(page);
}

/** What came from an address until the text `end`. */
async function untilEnd(to) {
    await observer.send(to, "end");
    const texts = [];
    for await (const delivery of observer.receive(to, { credit: 1000 })) {
        await delivery.ack();
        if (delivery.text() === "end") return texts;
        texts.push(delivery.text());
    }
}

test("an outbox that no network took outlives a reload, and goes out once and in order", async () => {
    const [page, to] = [await stage.newPage(), stage.address()];
    proxy.isClosed = true;
    await begin(page, "reload");
    await sendNumbers(page, to, 0, 200);
    await keeps(page, "reload", 200);
    await reload(page);
    await begin(page, "reload");
    await sendNumbers(page, to, 200, 210);
    proxy.isClosed = false;
    assert.deepEqual(await collect(observer, to, 210, { credit: 500 }), numbers(210));
    await keeps(page, "reload", 0);
});

test("reloads under load on a wire that breaks: stored is there once, nothing twice", async () => {
    const [page, to, total, reloads] = [await stage.newPage(), stage.address(), 800, 4];
    const random = randomFrom(5);
    const cuts = proxy.cuts;
    proxy.cutAfter = () => 900 + random(1500);
    await begin(page, "load");
    await page.evaluate(() => localStorage.clear());
    await produce(page, to, "", total);
    for (let at = 1; at <= reloads; at += 1) {
        const goal = (at * total) / (reloads + 1);
        await page.waitForFunction((goal) => Number(localStorage["next:"] ?? 0) >= goal, goal);
        await reload(page);
        await begin(page, "load");
        await produce(page, to, "", total);
    }
    await page.waitForFunction(() => window.isDone);
    await page.evaluate(() => client.drain());
    await keeps(page, "load", 0);
    const got = (await untilEnd(to)).map(Number);
    const ordered = [...new Set(got)].sort((a, b) => a - b);
    assert.deepEqual(got, ordered, "doubled or out of order");
    const stored = await page.evaluate(() => storedOf(""));
    const missing = stored.filter((number) => !got.includes(number));
    assert.deepEqual(missing, [], "lost");
    // What was sent just before a page went may not have reached its outbox.
    assert.ok(got.length >= total - 10 * reloads, `${got.length} of ${total}`);
    assert.ok(proxy.cuts > cuts, "the wire did not break");
    assert.deepEqual([await page.evaluate(() => lost.length), page.problems], [0, []]);
});

test("what a page has acknowledged does not come again to the next, what it has not does", async () => {
    const [page, to, total] = [await stage.newPage(), stage.address(), 300];
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
        await reload(page);
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
    const [first, second, to] = [await stage.newPage(), await stage.newPage(), stage.address()];
    const total = 300;
    const random = randomFrom(9);
    proxy.cutAfter = () => 900 + random(4000);
    await first.evaluate(() => localStorage.clear());
    for (const page of [first, second]) {
        await begin(page, "tabs");
        if (page === first) await first.waitForFunction(() => client.isLeader);
    }
    assert.equal(await second.evaluate(() => client.isLeader), false);
    await produce(first, to, "L", total);
    await produce(second, to, "O", total);
    // The leader dies half way; what it had put into the outbox goes out all the same.
    await first.waitForFunction((half) => Number(localStorage["next:L"]) > half, total / 2);
    await first.close();
    await second.waitForFunction(() => window.isDone);
    assert.equal(await second.evaluate(() => client.isLeader), true);
    await opened(second);
    await second.evaluate(() => client.drain());
    await keeps(second, "tabs", 0);
    const got = await untilEnd(to);
    const of = (prefix) =>
        got.filter((text) => text.startsWith(prefix)).map((text) => Number(text.slice(1)));
    assert.deepEqual(of("O"), numbers(total).map(Number), "the tab that stayed");
    const ordered = [...new Set(of("L"))].sort((a, b) => a - b);
    assert.deepEqual(of("L"), ordered, "the tab that died: doubled or out of order");
    const stored = await second.evaluate(() => storedOf("L"));
    const missing = stored.filter((number) => !of("L").includes(number));
    assert.deepEqual(missing, [], "stored, and lost");
    assert.deepEqual([second.problems, await second.evaluate(() => lost.length)], [[], 0]);
});

test("of two tabs one receives, and the other when it is gone", async () => {
    const [first, to] = [await stage.newPage(), stage.address()];
    const second = await stage.newPage();
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
    const [page, to, total] = [await stage.newPage(), stage.address(), 400];
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
    await page.waitForFunction((total) => got.length >= total, total);
    assert.deepEqual(await page.evaluate(() => got), numbers(total), "lost, doubled or out of order");
    const states = await page.evaluate(() => states);
    assert.ok(states.filter((state) => state === "recovered").length >= 2 && !states.includes("lost"), String(states));
});

test("a browser that crashed goes on with its outbox", async () => {
    const folder = await stage.newFolder();
    const to = stage.address();
    let other = await stage.browser(folder);
    const page = await stage.newPage(other);
    proxy.isClosed = true;
    await begin(page, "crash");
    await sendNumbers(page, to, 0, 100);
    await keeps(page, "crash", 100);
    const gone = new Promise((resolve) => other.once("close", resolve));
    const devtools = await other.browser()?.newBrowserCDPSession() ?? (await other.newCDPSession(page));
    devtools.send("Browser.crash").catch(() => {});
    await gone;
    proxy.isClosed = false;
    other = await stage.browser(folder);
    const again = await stage.newPage(other);
    await begin(again, "crash");
    assert.deepEqual(await collect(observer, to, 100, { credit: 500 }), numbers(100));
    await other.close();
});

test("a tab that is told it will be frozen lets another one lead, and comes back", async () => {
    const [first, to] = [await stage.newPage(), stage.address()];
    const second = await stage.newPage();
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
    const [page, to] = [await stage.newPage(), stage.address()];
    await begin(page, "online", { retryFirstMs: 60_000, retryMaxMs: 60_000 });
    await page.evaluate((to) => client.send(to, "1"), to);
    await stage.context.setOffline(true);
    proxy.cutAll();
    await page.waitForFunction(() => client.state === "recovering");
    const sent = page.evaluate((to) => client.send(to, "2"), to);
    await stage.context.setOffline(false);
    await sent;
    assert.deepEqual(await collect(observer, to, 2), ["1", "2"]);
});

test("without an outbox a page is a client like any other, logged in as the browser is", async () => {
    const [page, to] = [await stage.newPage(), stage.address()];
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
    const [page, to] = [await stage.newPage(), stage.address()];
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
