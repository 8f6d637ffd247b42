// Everything at once, in chromium: two tabs that share an outbox send and receive over a wire that breaks, while they
// are reloaded and discarded and the broker is killed. WHARF_TEST_FULL makes it long.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { begin, produce, ready, Stage } from "./chromium.mjs";
import { collect, until } from "./helpers.mjs";
import { randomFrom } from "./proxy.mjs";

const PLAN = process.env.WHARF_TEST_FULL
    ? { cuts: 1000, reloads: 50, discards: 10, kills: 10 }
    : { cuts: 30, reloads: 4, discards: 2, kills: 1 };
const TEST_MS = 1_800_000;
/** A page sends so many at once. */
const BURST = 10;

const stage = new Stage();
const { proxy, broker } = stage;
const [up, down] = [stage.address(), stage.address()];
/** The two tabs, and whose messages each sends. */
const tabs = new Map();

before(() => stage.set());
after(() => stage.strike());

async function live(prefix, page) {
    tabs.set(prefix, page);
    await begin(page, "storm");
    await produce(page, up, prefix, Infinity);
    await page.evaluate((down) => void receiveOnce(down, { credit: 20 }), down);
}

/** Evenly spread, in an order that looks random. */
function eventsOf({ reloads, discards, kills }) {
    const random = randomFrom(3);
    const events = [
        ...Array(reloads).fill("reload"),
        ...Array(discards).fill("discard"),
        ...Array(kills).fill("kill"),
    ];
    return events
        .map((event) => [random(1 << 20), event])
        .sort(([a], [b]) => a - b)
        .map(([, event]) => event);
}

async function happen(event, prefix) {
    if (event === "kill") return broker.restart("SIGKILL");
    const page = tabs.get(prefix);
    if (event === "discard") return live(prefix, await stage.discard(page));
    await page.reload();
    return live(prefix, await ready(page));
}

/** Sends numbers to the pages until told to stop; resolves with their count. */
async function feed(signal) {
    let count = 0;
    while (!signal.aborted) {
        const burst = Array.from({ length: 5 }, () => stage.observer.send(down, String(count++)));
        await Promise.all(burst);
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return count;
}

/** Texts that have come to the observer, until one says `end`. */
async function watch() {
    const texts = [];
    for await (const delivery of stage.observer.receive(up, { credit: 1000 })) {
        void delivery.ack();
        if (delivery.text() === "end") return texts;
        texts.push(delivery.text());
    }
}

/** Of one sender: what came, against what its pages say is stored. */
async function judge(prefix, texts) {
    const page = tabs.get(prefix);
    const got = texts.filter((text) => text.startsWith(prefix)).map((text) => Number(text.slice(1)));
    const arrived = new Set(got);
    const stored = await page.evaluate((prefix) => storedOf(prefix), prefix);
    const begun = await page.evaluate((prefix) => Number(localStorage[`next:${prefix}`]), prefix);
    return {
        begun,
        stored: stored.length,
        arrived: arrived.size,
        lost: stored.filter((number) => !arrived.has(number)).length,
        doubled: got.length - arrived.size,
        reordered: got.filter((number, at) => at > 0 && number < got[at - 1]).length,
    };
}

test(`a storm: ${JSON.stringify(PLAN)}`, { timeout: TEST_MS }, async (t) => {
    const random = randomFrom(4);
    const startedAt = Date.now();
    const feeding = new AbortController();
    const [watched, fed] = [watch(), feed(feeding.signal)];
    for (const prefix of ["A", "B"]) await live(prefix, await stage.newPage());
    proxy.cutAfter = () => 900 + random(4000);
    // The wires that are there know nothing of it.
    proxy.cutAll();
    const events = eventsOf(PLAN);
    for (const [at, event] of events.entries()) {
        const goal = (PLAN.cuts * (at + 1)) / (events.length + 1);
        await until(() => proxy.cuts >= goal, `${goal} cuts`, TEST_MS);
        await happen(event, at % 2 ? "A" : "B");
    }
    await until(() => proxy.cuts >= PLAN.cuts, `${PLAN.cuts} cuts`, TEST_MS);

    feeding.abort();
    const sent = await fed;
    const [a, b] = tabs.values();
    await a.evaluate(() => (localStorage.isStopped = 1));
    for (const page of [a, b]) await page.waitForFunction(() => window.isDone);
    for (const page of [a, b]) await page.evaluate(() => client.drain());
    await until(async () => (await a.evaluate(() => kept("storm"))) === 0, "all gone out");
    await a.waitForFunction((sent) => Number(localStorage.count) >= sent, sent, { timeout: 60_000 });
    const cuts = proxy.cuts;
    proxy.cutAfter = () => Infinity;
    await stage.observer.send(up, "end");
    const texts = await watched;

    for (const prefix of ["A", "B"]) {
        const result = await judge(prefix, texts);
        t.diagnostic(`sent by ${prefix}: ${JSON.stringify(result)}`);
        const { begun, arrived, lost, doubled, reordered } = result;
        assert.deepEqual({ lost, doubled, reordered }, { lost: 0, doubled: 0, reordered: 0 });
        // What was sent just before a page went may not have reached its outbox.
        assert.ok(begun - arrived <= BURST * (PLAN.reloads + PLAN.discards), `${begun - arrived}`);
    }
    const received = await a.evaluate(() =>
        Object.keys(localStorage)
            .filter((key) => key.startsWith("id "))
            .map((key) => localStorage[key].split(" ").map(Number))
            .sort(([a], [b]) => a - b)
            .map(([, number]) => number),
    );
    const wanted = Array.from({ length: sent }, (_, number) => number);
    assert.deepEqual(received, wanted, "to the pages: lost, doubled or out of order");
    // Between an effect and its acknowledgement a page may go: only then a message is repeated, with the same id.
    const repeated = await a.evaluate(() => Number(localStorage.repeated ?? 0));
    assert.ok(repeated <= PLAN.reloads + PLAN.discards, `${repeated} repeated`);
    for (const page of [a, b]) assert.deepEqual([page.problems, await page.evaluate(() => lost)], [[], []]);
    const seconds = Math.round((Date.now() - startedAt) / 1000);
    t.diagnostic(`received by pages: ${sent}, lost 0, doubled 0, reordered 0`);
    t.diagnostic(`repeated to a page after its death, with the same id: ${repeated}`);
    t.diagnostic(`cuts ${cuts}, ${JSON.stringify(PLAN)}, ${seconds} s`);
    // Nothing of all this is left.
    await a.evaluate(() => client.close());
    await b.evaluate(() => client.close({ forget: true }));
    await stage.observer.send(down, "last");
    assert.deepEqual(await collect(stage.observer, down, 1), ["last"]);
});
