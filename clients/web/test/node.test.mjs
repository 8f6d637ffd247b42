// The client in node against the real broker, over a wire that breaks.
import assert from "node:assert/strict";
import { after, afterEach, before, test as timeless } from "node:test";
import WebSocket from "ws";
import { connect } from "../dist/index.min.js";
import { Broker, PASSWORD, TOKEN, USER } from "./broker.mjs";
import { collect, numbers, open, QUICK, statesOf, until } from "./helpers.mjs";
import { Proxy, randomFrom } from "./proxy.mjs";

const broker = new Broker();
const proxy = new Proxy(broker);
const clients = [];
const TEST_MS = process.env.WHARF_TEST_FULL ? 300_000 : 30_000;
const test = (name, run) => timeless(name, { timeout: TEST_MS }, run);
let addresses = 0;

const client = async (options) => {
    const made = await open(proxy.url, options);
    clients.push(made);
    return made;
};
const address = () => `node/${(addresses += 1)}`;

before(async () => {
    await broker.start();
    await proxy.listen();
});

afterEach(async () => {
    proxy.cutAfter = () => Infinity;
    proxy.isClosed = false;
    await Promise.all(clients.splice(0).map((made) => made.close()));
});

after(async () => {
    proxy.close();
    await broker.stop();
});

test("text, octets and JSON arrive as they were sent", async () => {
    const [a, to] = [await client(), address()];
    const large = new Uint8Array(3 << 20).map((_, at) => at * 7);
    const bodies = ["", "grüße 😀", "x".repeat(200_000), Uint8Array.of(0, 255, 128), large];
    for (const body of bodies) await a.send(to, body, { contentType: "a/b", properties: [["k", "😀"], ["k", ""]] });
    await a.send(to, { x: [1, null] }, { properties: { a: "b" } });
    await a.send(["", to], large.buffer.slice(0, 5));
    const got = [];
    for await (const delivery of a.receive(to)) {
        got.push(delivery);
        assert.equal(await delivery.ack(), true);
        if (got.length === 7) break;
    }
    assert.deepEqual(got.map(({ body }) => body).slice(0, 5), bodies);
    assert.deepEqual(got.slice(0, 5).map(({ contentType, properties, address }) => [contentType, properties, address]), Array(5).fill(["a/b", [["k", "😀"], ["k", ""]], to]));
    assert.deepEqual([got[5].json(), got[5].contentType, got[5].property("a"), got[5].property("b")], [{ x: [1, null] }, "application/json", "b", undefined]);
    assert.deepEqual([got[6].bytes(), got[1].bytes().length, got[3].text().length], [large.slice(0, 5), 12, 3]);
    assert.equal(new Set(got.map(({ id }) => id)).size, 7);
});

// Messages from a client to itself; `disturb` is called with what is known of them.
async function loop(total, disturb, { body = (n) => String(n), credit = 40 } = {}) {
    const [sender, receiver, to] = [await client(), await client(), address()];
    const states = statesOf(receiver);
    const got = [];
    const received = (async () => {
        for await (const delivery of receiver.receive(to, { credit })) {
            got.push(delivery.text());
            void delivery.ack();
            if (got.length === total) break;
        }
    })();
    const stop = disturb?.(got);
    let resolved = 0;
    for (let at = 0; at < total; ) {
        const burst = [];
        for (let left = 1 + (at % 40); left > 0 && at < total; left -= 1, at += 1) burst.push(sender.send(to, body(at)));
        await Promise.all(burst);
        resolved += burst.length;
    }
    await received;
    await stop;
    // Nothing more comes: what is sent now is the next.
    await sender.send(to, "end");
    assert.deepEqual(await collect(receiver, to, 1), ["end"]);
    assert.equal(resolved, total);
    assert.deepEqual(got, numbers(total), "lost, doubled or out of order");
    assert.ok(!states.some(({ state }) => state === "lost" || state === "closed"));
    return states;
}

for (const kind of ["text", "binary"]) {
    const body = (n) => (kind === "text" ? String(n) : new TextEncoder().encode(String(n)));

    test(`${kind}: cut at any octet, nothing is lost and nothing comes twice`, async () => {
        const random = randomFrom(kind === "text" ? 7 : 8);
        const cuts = proxy.cuts;
        proxy.cutAfter = () => 900 + random(6000);
        const states = await loop(process.env.WHARF_TEST_FULL ? 20_000 : 1500, () => {}, { body });
        assert.ok(proxy.cuts - cuts > 10, `${proxy.cuts - cuts} cuts`);
        assert.ok(states.some(({ state }) => state === "recovering") && states.some(({ state }) => state === "recovered"));
    });
}

test("the broker is killed under load, nothing is lost and nothing comes twice", async () => {
    const total = process.env.WHARF_TEST_FULL ? 10_000 : 2000;
    const kills = process.env.WHARF_TEST_FULL ? 10 : 3;
    await loop(total, async (got) => {
        for (let kill = 1; kill <= kills; kill += 1) {
            await until(() => got.length >= (total * kill) / (kills + 1), "progress");
            await broker.restart("SIGKILL");
        }
    });
});

test("MBWS-A09: a restart of the broker", async () => {
    await loop(600, async (got) => {
        await until(() => got.length >= 200, "progress");
        await broker.restart("SIGTERM");
    });
});

test("many senders: everything once, and in the order of each", async () => {
    const random = randomFrom(11);
    proxy.cutAfter = () => 3000 + random(20_000);
    const [to, count] = [address(), 300];
    const senders = await Promise.all(Array.from({ length: 5 }, () => client()));
    const sent = senders.flatMap((sender, who) => numbers(count, `${who}:`).map((body) => sender.send(to, body)));
    const got = await collect(await client(), to, sent.length, { credit: 100 });
    await Promise.all(sent);
    for (const who of senders.keys()) assert.deepEqual(got.filter((text) => text.startsWith(`${who}:`)), numbers(count, `${who}:`));
});

test("MBWS-A14: a wire that fell silent is left for another", async () => {
    const [a, to] = [await client({ answerTimeoutMs: 400 }), address()];
    const states = statesOf(a);
    await a.send(to, "1");
    proxy.silenceAll();
    await a.send(to, "2");
    assert.deepEqual(await collect(a, to, 2), ["1", "2"]);
    assert.deepEqual(states.map(({ state }) => state).slice(-2), ["recovering", "recovered"]);
});

test("a silent wire is noticed by who only receives", async () => {
    const [a, b, to] = [await client({ answerTimeoutMs: 400, heartbeatMs: 400 }), await client(), address()];
    const got = collect(a, to, 1);
    await until(() => a.state === "open" && a.pending === 0, "open");
    const states = statesOf(a);
    proxy.silenceAll();
    proxy.cut([...proxy.wires].at(-1));
    await b.send(to, "x");
    assert.deepEqual(await got, ["x"]);
    assert.deepEqual(states.map(({ state }) => state), ["recovering", "recovered"]);
});

test("MBWS-050: a connection that is gone is told of, and what is uncertain is rejected", async () => {
    const [a, to] = [await client(), address()];
    const lost = [];
    a.addEventListener("lost", ({ detail }) => lost.push(detail));
    const states = statesOf(a);
    const got = collect(a, to, 2);
    await a.send(to, "before");
    await until(() => a.pending === 0, "settled");
    // Sent into silence, and then the broker forgets everything.
    proxy.silenceAll();
    const uncertain = assert.rejects(a.send(to, "uncertain", { properties: { k: "v" } }), { name: "WharfError", code: "uncertain" });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await broker.stop();
    broker.directory = undefined;
    proxy.cutAll();
    await until(() => states.some(({ state }) => state === "recovering"), "recovering");
    const kept = a.send(to, "kept");
    await broker.start();
    await uncertain;
    await kept;
    assert.deepEqual(await got, ["before", "kept"]);
    assert.deepEqual(states.map(({ state }) => state).slice(-2), ["lost", "open"]);
    assert.deepEqual(lost.map(({ uncertain, resent }) => [uncertain.map(({ body, properties }) => [body, properties]), resent]), [[[["uncertain", [["k", "v"]]]], false]]);
});

test("`uncertain: resend` sends again what may be stored", async () => {
    const [a, to] = [await client({ uncertain: "resend" }), address()];
    await a.send(to, "before");
    proxy.silenceAll();
    const sent = [a.send(to, "1"), a.send(to, "2")];
    await new Promise((resolve) => setTimeout(resolve, 50));
    await broker.stop();
    broker.directory = undefined;
    proxy.cutAll();
    await broker.start();
    await Promise.all(sent);
    assert.deepEqual(await collect(a, to, 2), ["1", "2"]);
});

test("an acknowledgement for a connection that is gone says so", async () => {
    const [a, to] = [await client(), address()];
    await a.send(to, "1");
    const deliveries = a.receive(to);
    const { value } = await deliveries.next();
    await broker.stop();
    broker.directory = undefined;
    await broker.start();
    await a.send(to, "2");
    assert.equal(await value.ack(), false);
    assert.equal((await deliveries.next()).value.text(), "2");
});

test("MBWS-A11: what is taken out of order stays taken over a loss, what is not comes again elsewhere", async () => {
    const [a, to] = [await client(), address()];
    await Promise.all(numbers(5).map((body) => a.send(to, body)));
    const deliveries = a.receive(to);
    const got = [];
    for (let at = 0; at < 5; at += 1) got.push((await deliveries.next()).value);
    await got[3].ack();
    await got[0].ack();
    proxy.cutAll();
    await until(() => a.state === "recovered", "recovered");
    await got[1].ack();
    await a.send(to, "5");
    assert.equal((await deliveries.next()).value.text(), "5", "repeated what the application has");
    await a.close();
    // Cumulative: 2 was never taken, so the broker could not be told of 3.
    assert.deepEqual(await collect(await client(), to, 4), ["2", "3", "4", "5"]);
});

test("MBWS-A15: no more is sent than credit", async () => {
    const [a, b, to] = [await client(), await client(), address()];
    await Promise.all(numbers(20).map((body) => a.send(to, body)));
    const slow = a.receive(to, { credit: 3 });
    const first = (await slow.next()).value;
    // The other 17 are for whoever wants them.
    assert.deepEqual(await collect(b, to, 17), numbers(20).slice(3));
    await first.ack();
    await slow.return();
});

test("an iteration that ended leaves what it had not read to the next one", async () => {
    const [a, to] = [await client(), address()];
    await Promise.all(numbers(4).map((body) => a.send(to, body)));
    assert.deepEqual(await collect(a, to, 2), ["0", "1"]);
    const abort = new AbortController();
    const deliveries = a.receive(to, { signal: abort.signal });
    assert.throws(() => a.receive(to), TypeError);
    assert.deepEqual([(await deliveries.next()).value.text(), (await deliveries.next()).value.text()], ["2", "3"]);
    const next = deliveries.next();
    abort.abort();
    assert.deepEqual([await next, await deliveries.next()], [{ done: true, value: undefined }, { done: true, value: undefined }]);
});

test("a durable subscription keeps what comes while nobody is there", async () => {
    const to = `topic/${address()}`;
    const a = await client();
    const options = { subscription: "s" };
    const deliveries = a.receive(to, options);
    await a.send(to, "1");
    assert.equal((await deliveries.next()).value.text(), "1");
    await a.close();
    const b = await client();
    await b.send(to, "2");
    assert.deepEqual(await collect(b, to, 2, options), ["2", "1"].sort());
});

test("closing brings out what is unsent, also over a loss", async () => {
    const [a, to] = [await client(), address()];
    await a.send(to, "0");
    proxy.cutAll();
    const sent = numbers(50).slice(1).map((body) => a.send(to, body));
    await a.close();
    await Promise.all(sent);
    assert.equal(a.state, "closed");
    await assert.rejects(a.send(to, "x"), { code: "closed" });
    assert.deepEqual(await collect(await client(), to, 50), numbers(50));
});

test("`drain`, and what is disposed of is closed", async () => {
    const [to, states] = [address(), []];
    const a = await client();
    a.addEventListener("state", ({ detail }) => states.push(detail.state));
    for (const body of numbers(20)) void a.send(to, body);
    await a.drain();
    assert.equal(a.pending, 0);
    await a[Symbol.asyncDispose]();
    assert.equal(states.at(-1), "closed");
});

test("a signal closes the client, and iterations end", async () => {
    const abort = new AbortController();
    const a = await client({ signal: abort.signal });
    const got = collect(a, address(), 1);
    abort.abort();
    assert.deepEqual(await got, []);
    await a.close();
    assert.equal(a.state, "closed");
});

test("a full outbox rejects", async () => {
    const a = await client({ outboxMax: 2, token: () => new Promise(() => {}) });
    const sent = [a.send("x", "1"), a.send("x", "2")].map((promise) => assert.rejects(promise, { code: "closed" }));
    await assert.rejects(a.send("x", "3"), { code: "full" });
    void a.close();
    await Promise.all(sent);
});

test("MBWS-008: a token is asked for before each WebSocket", async () => {
    let asked = 0;
    const token = async () => ((asked += 1) === 1 ? `${USER}:wrong` : TOKEN);
    const a = await client({ token });
    const states = statesOf(a);
    await a.send(address(), "x");
    assert.equal(asked, 2);
    assert.deepEqual([states[0].state, states[0].reason, states.at(-1).state], ["connecting", "HTTP 401", "open"]);
});

test("MBWS-008: a bearer token lets in, until it is revoked", async () => {
    const api = `http://127.0.0.1:${broker.port}/api/v1/tokens`;
    const headers = { authorization: `Basic ${Buffer.from(TOKEN).toString("base64")}`, "content-type": "application/json" };
    const body = JSON.stringify({ user: USER });
    const { secret, token: { id } } = await (await fetch(api, { method: "POST", headers, body })).json();
    const [a, to] = [await client({ token: secret }), address()];
    await a.send(to, "by token");
    assert.deepEqual(await collect(a, to, 1), ["by token"]);
    await fetch(`${api}/${id}`, { method: "DELETE", headers });
    await until(() => a.state === "closed", "closed");
    await assert.rejects(a.send(to, "more"), { code: /closed|unauthorized/ });
});

test("MBWS-008: a wrong password that cannot change closes the client", async () => {
    const a = await client({ token: `${USER}:${PASSWORD}!` });
    const [states, got] = [statesOf(a), assert.rejects(collect(a, address(), 1), { code: "unauthorized" })];
    await assert.rejects(a.send("x", "x"), { code: "unauthorized" });
    await got;
    await until(() => a.state === "closed", "closed");
    assert.equal(states.at(-1).error.code, "unauthorized");
    await assert.rejects(connect(proxy.url, { token: "x" }), TypeError, "no WebSocket");
});

test("a broker that says when to come back is left alone until then", async () => {
    const wrong = await client({ token: () => `${USER}:wrong`, retryFirstMs: 1, retryMaxMs: 1 });
    const states = statesOf(wrong);
    await until(() => states.some(({ reason }) => reason === "HTTP 429"), () => JSON.stringify(states.at(-1)));
    assert.ok(states.find(({ reason }) => reason === "HTTP 429").pauseMs >= 1000);
});

test("a message that the broker refuses is found among others, and they go on", async () => {
    const [a, to] = [await client(), address()];
    const bodies = ["0", "1", "2".repeat(17 << 20), "3", "4", new Uint8Array(17 << 20), "6"];
    const sent = await Promise.allSettled(bodies.map((body) => a.send(to, body)));
    assert.deepEqual(sent.map(({ status, reason }) => reason?.code ?? status), ["fulfilled", "fulfilled", "refused", "fulfilled", "fulfilled", "refused", "fulfilled"]);
    assert.deepEqual(await collect(a, to, 5), ["0", "1", "3", "4", "6"]);
});

test("an address that may not be received fails its iteration alone", async () => {
    const [a, to] = [await client(), address()];
    const refused = assert.rejects(collect(a, "wharf/secret\u0001", 1), { name: "WharfError", code: "refused" });
    const got = collect(a, to, 2);
    await a.send(to, "1");
    await refused;
    await a.send(to, "2");
    assert.deepEqual(await got, ["1", "2"]);
});
