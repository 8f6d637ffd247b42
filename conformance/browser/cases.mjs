// What a web page can rely on. Each case runs in a page of its own; the codec and the client are in page/.
import assert from "node:assert/strict";

export const cases = [];

// Registers a case for one or both kinds of frame, with the requirements that it holds the broker to.
function test(requirements, name, run, kinds = ["text", "binary"]) {
    for (const kind of kinds) cases.push({ name: `${name}/${kind}`, requirements, run: (world) => run(world, kind) });
}

test("MBWS-004 MBWS-010 MBWS-011 MBWS-013 MBWS-101 MBWS-113", "the Connect exchange, octet by octet", async ({ page }, kind) => {
    const seen = await page.evaluate(
        (kind) =>
            new Promise((resolve, reject) => {
                const socket = new WebSocket(url(), ["MBWS.huawei.com", "MBLWS.huawei.com"]);
                socket.binaryType = "arraybuffer";
                socket.onopen = () => socket.send(kind === "text" ? "1 0 0 " : Uint8Array.of(1, 0, 0));
                socket.onclose = ({ code }) => reject(new Error(`closed with ${code}`));
                socket.onmessage = ({ data }) => {
                    const octets = typeof data === "string" ? data : String.fromCharCode(...new Uint8Array(data));
                    resolve({ octets, type: typeof data, protocol: socket.protocol });
                };
            }),
        kind,
    );
    assert.equal(seen.protocol, "MBWS.huawei.com");
    assert.equal(seen.type, kind === "text" ? "string" : "object");
    assert.match(seen.octets, kind === "text" ? /^1 \d+ urn:[!-~]+0 $/ : /^\x01.urn:[!-~]+\0$/);
});

test("MBWS-033 MBWS-073 MBWS-A03", "send and receive", async ({ page, address }, kind) => {
    const got = await page.evaluate(
        async ([address, kind]) => {
            const got = [];
            const client = new Client(url(`?address=${address}`), { kind, onMessage: (m) => got.push(m) });
            const bodies = ["", "grüße 😀", "a".repeat(100_000), " 1 2 3 "];
            for (const body of bodies) client.send([address], body, [["k", "😀"], ["k", ""]]);
            await client.until(() => client.isSettled() && got.length === bodies.length);
            const text = (body) => (typeof body === "string" ? body : new TextDecoder().decode(body));
            return got.map((m, at) => [m.seq, m.kind, m.addresses, m.properties, text(m.body) === bodies[at]]);
        },
        [address, kind],
    );
    const properties = [["k", "😀"], ["k", ""]];
    assert.deepEqual(got, [1, 2, 3, 4].map((seq) => [seq, kind, [address], properties, true]));
});

test("MBWS-A01", "lengths are what String.length says", async ({ page, address }, kind) => {
    const got = await page.evaluate(
        async ([address, kind]) => {
            const name = `${address}/é漢😀`;
            const got = [];
            const query = `?unit=utf16&address=${encodeURIComponent(name)}`;
            const client = new Client(url(query), { kind, unit: "utf16", onMessage: (m) => got.push(m) });
            client.send([name], "body 😀", [["😀".repeat(40), "𝔘𝔫𝔦"]]);
            await client.until(() => got.length === 1);
            return [got[0].addresses[0] === name, got[0].properties];
        },
        [address, kind],
    );
    assert.deepEqual(got, [true, [["😀".repeat(40), "𝔘𝔫𝔦"]]]);
});

test("MBWS-A01 MBWS-A03", "both units and both kinds meet", async ({ page, address }) => {
    const got = await page.evaluate(async (address) => {
        const got = [];
        const receiver = new Client(url(`?unit=utf16&address=${address}`), { unit: "utf16", onMessage: (m) => got.push(m) });
        const sender = new Client(url(), { kind: "binary" });
        sender.send([address], Uint8Array.of(0, 255, 128), [["😀", "é"]]);
        sender.send([address], "text", [["é", "😀"]], "text");
        await receiver.until(() => got.length === 2);
        return got.map((m) => [m.kind, typeof m.body === "string" ? m.body : [...m.body], m.properties]);
    }, address);
    assert.deepEqual(got, [["binary", [0, 255, 128], [["😀", "é"]]], ["text", "text", [["é", "😀"]]]]);
}, ["text"]);

test("MBWS-002 MBWS-103", "eight megabytes", async ({ page, address }) => {
    const same = await page.evaluate(async (address) => {
        const got = [];
        const client = new Client(url(`?address=${address}`), { kind: "binary", onMessage: (m) => got.push(m) });
        const body = new Uint8Array(8 << 20);
        for (let at = 0; at < body.length; at += 65_536) crypto.getRandomValues(body.subarray(at, at + 65_536));
        client.send([address], body);
        await client.until(() => got.length === 1);
        return got[0].body.length === body.length && got[0].body.every((octet, at) => octet === body[at]);
    }, address);
    assert.ok(same);
}, ["binary"]);

// Messages from the page to itself while the wire breaks again and again, at any octet.
async function loop(world, kind, total, whileRunning) {
    const { page, address } = world;
    await page.evaluate(
        ([address, kind, total]) => {
            window.got = [];
            window.client = new Client(url(`?address=${address}&credit=40`), {
                kind,
                onMessage: (m) => got.push(Number(typeof m.body === "string" ? m.body : new TextDecoder().decode(m.body))),
            });
            let next = 0;
            window.feeding = setInterval(() => {
                for (let burst = 0; burst < 7 && next < total && client.state.window.length < 100; burst += 1) {
                    client.send([address], String(next));
                    next += 1;
                }
                const lost = Math.max(0, client.isSettled() && next >= total ? total - new Set(got).size : 0);
                show({ sent: next, received: got.length, twice: got.length - new Set(got).size, lost, cuts: client.losses.length });
            }, 5);
            window.complete = client.until(() => got.length >= total && client.isSettled());
        },
        [address, kind, total],
    );
    let isComplete = false;
    const complete = page.evaluate(() => complete).then(() => (isComplete = true));
    await whileRunning(() => isComplete);
    await complete;
    const { got, losses, refusals } = await page.evaluate(() => {
        clearInterval(feeding);
        return { got, losses: client.losses, refusals: client.refusals };
    });
    assert.deepEqual(got, Array.from({ length: total }, (_, at) => at), "lost, doubled or out of order");
    assert.equal(refusals, 0);
    return losses;
}

test("MBWS-020 MBWS-026 MBWS-031 MBWS-046 MBWS-047 MBWS-048", "cut at any octet, nothing lost and nothing twice", async (world, kind) => {
    const { front } = world;
    let seed = kind === "text" ? 7 : 8;
    const random = () => (seed = (seed * 48_271) % 2_147_483_647);
    // The first connections break before they get far, later ones carry more.
    front.cutAfter = () => 900 + (random() % 6000);
    const losses = await loop(world, kind, 1500, async () => {});
    front.cutAfter = null;
    assert.ok(losses.length > 10, `${losses.length} cuts`);
    assert.ok(losses.every(({ code, wasClean }) => code === 1006 && !wasClean), JSON.stringify(losses));
    await world.screenshot(`cut-${kind}`);
});

test("MBWS-020 MBWS-022 MBWS-026 MBWS-A11", "the broker is killed, nothing lost and nothing twice", async (world, kind) => {
    const losses = await loop(world, kind, 600, async (isComplete) => {
        for (let kills = 0; kills < 3 && !isComplete(); kills += 1) {
            await world.page.evaluate((goal) => client.until(() => got.length >= goal), 100 + kills * 150);
            await world.broker.kill();
            await world.broker.start();
        }
    });
    assert.ok(losses.length >= 3, `${losses.length} losses`);
    await world.screenshot(`kill-${kind}`);
});

test("MBWS-A09 MBWS-020", "a restart of the broker", async (world, kind) => {
    const losses = await loop(world, kind, 300, async () => {
        await world.page.evaluate(() => client.until(() => got.length >= 100));
        await world.broker.kill("SIGTERM");
        await world.broker.start();
    });
    const [first] = losses;
    assert.ok(first.wasClean && [1001, 1012].includes(first.code), JSON.stringify(first));
});

test("MBWS-A14", "a wire that went silent is left for another", async (world, kind) => {
    const { page, front, address } = world;
    await page.evaluate(
        async ([address, kind]) => {
            window.got = [];
            window.client = new Client(url(`?address=${address}`), { kind, onMessage: (m) => got.push(m.seq) });
            client.send([address], "1");
            await client.until(() => client.isSettled() && got.length === 1);
        },
        [address, kind],
    );
    front.silenceAll();
    const seen = await page.evaluate(async (address) => {
        // Never seen by the broker on this wire; the page loses patience and opens another.
        client.send([address], "2");
        client.open();
        await client.until(() => client.isSettled() && got.length === 2);
        return { got, refusals: client.refusals };
    }, address);
    assert.deepEqual(seen, { got: [1, 2], refusals: 0 });
});

test("MBWS-012 MBWS-021 MBWS-024", "a page that is loaded again goes on", async ({ page, address }, kind) => {
    const begin = ([address, kind]) => {
        window.got = [];
        window.client = new Client(url(`?address=${address}&credit=1`), { kind, store: "wharf", onMessage: (m) => got.push(m.seq) });
    };
    await page.evaluate(begin, [address, kind]);
    const name = await page.evaluate(async (address) => {
        for (let number = 0; number < 5; number += 1) client.send([address], String(number));
        await client.until(() => client.isSettled() && got.length === 5);
        // In the window of the page when it goes away.
        client.isOpen = false;
        client.send([address], "5");
        return client.state.name;
    }, address);
    await page.reload();
    await page.evaluate(begin, [address, kind]);
    const seen = await page.evaluate(async () => {
        await client.until(() => client.isSettled() && got.length === 1);
        return [client.state.name, got, client.refusals];
    });
    assert.deepEqual(seen, [name, [6], 0]);
});

for (const [label, code, isEnd] of [["without a code", undefined, true], ["1000", 1000, true], ["3000", 3000, false], ["4000", 4000, false]]) {
    test("MBWS-015 MBWS-A09", `close ${label}`, async ({ page }) => {
        const seen = await page.evaluate(async (code) => {
            const first = new Client(url());
            await first.until(() => first.isOpen);
            const closed = await first.end(code);
            const again = new Client(url());
            Object.assign(again.state, { name: first.state.name });
            await again.until(() => again.isOpen);
            return { closed, isSame: again.state.name === first.state.name };
        }, code);
        assert.deepEqual(seen, { closed: { code: code ?? 1005, wasClean: true }, isSame: !isEnd });
    }, ["text"]);
}

test("MBWS-A06 MBWS-016", "tabs do not disturb each other", async ({ page, open, address }) => {
    const begin = (address) => {
        window.got = [];
        window.client = new Client(url(`?address=${address}`), { onMessage: (m) => got.push(m.seq) });
        return client.until(() => client.isOpen);
    };
    const tabs = [page, await open(), await open()];
    for (const [at, tab] of tabs.entries()) await tab.evaluate(begin, `${address}/${at}`);
    const names = await Promise.all(tabs.map((tab) => tab.evaluate(() => client.state.name)));
    assert.equal(new Set(names).size, 3);
    for (const [at, tab] of tabs.entries()) {
        await tab.evaluate((address) => {
            client.send([address], "x");
            return client.until(() => client.isSettled() && got.length === 1);
        }, `${address}/${at}`);
    }
    await Promise.all(tabs.slice(1).map((tab) => tab.close()));
}, ["text"]);

test("MBWS-120", "a malformed frame is told by its close code", async ({ page }) => {
    const codes = await page.evaluate(async () => {
        const codes = [];
        for (const frame of ["9 ", "2 1 ", Uint8Array.of(3, 1, 1, 255, 0, 0), "1 0 0 "]) {
            const client = new Client(url());
            await client.until(() => client.isOpen);
            client.isWanted = false;
            client.socket.send(frame);
            await client.until(() => client.losses.length === 1);
            codes.push(client.losses[0].code);
        }
        return codes;
    });
    assert.deepEqual(codes, [1002, 1002, 1007, 1002]);
}, ["text"]);

test("MBWS-060 MBWS-063", "MBLWS", async ({ page, address }, kind) => {
    const got = await page.evaluate(
        ([address, kind]) =>
            new Promise((resolve, reject) => {
                const socket = new WebSocket(url(`?address=${address}`), "MBLWS.huawei.com");
                socket.binaryType = "arraybuffer";
                socket.onopen = () => socket.send(codec.encode(codec.message([address], "at once"), kind));
                socket.onclose = ({ code }) => reject(new Error(`closed with ${code}`));
                socket.onmessage = ({ data }) => resolve([codec.decode(data).id, codec.decode(data).addresses]);
            }),
        [address, kind],
    );
    assert.deepEqual(got, [3, [address]]);
});

test("WS-HS-15", "compression is agreed on", async ({ page }) => {
    const extensions = await page.evaluate(async () => {
        const client = new Client(url());
        await client.until(() => client.isOpen);
        return client.socket.extensions;
    });
    assert.match(extensions, /^permessage-deflate/);
}, ["text"]);

test("MBWS-020", "a page that was frozen goes on", async (world, kind) => {
    const { page, address } = world;
    const devtools = await page.context().newCDPSession(page);
    await loop(world, kind, 300, async () => {
        await page.evaluate(() => client.until(() => got.length >= 50));
        await devtools.send("Page.setWebLifecycleState", { state: "frozen" });
        await new Promise((resolve) => setTimeout(resolve, 300));
        await devtools.send("Page.setWebLifecycleState", { state: "active" });
    });
});

// What the handshake was answered with, which a page is not told.
async function handshake(page, target) {
    const devtools = await page.context().newCDPSession(page);
    await devtools.send("Network.enable");
    const answered = new Promise((resolve) => {
        devtools.once("Network.webSocketHandshakeResponseReceived", ({ response }) => resolve(response.status));
        devtools.once("Network.webSocketFrameError", ({ errorMessage }) =>
            resolve(Number(/response code: (\d+)/.exec(errorMessage)?.[1] ?? errorMessage)),
        );
    });
    const outcome = page.evaluate(
        (target) =>
            new Promise((resolve) => {
                const socket = new WebSocket(target, "MBWS.huawei.com");
                socket.onopen = () => resolve("open");
                socket.onclose = ({ code }) => resolve(code);
            }),
        target,
    );
    return { outcome: await outcome, status: await Promise.race([answered, outcome.then(() => null)]) };
}

test("WS-HS-11 MBWS-005", "a page of another origin is refused with 403", async ({ open, elsewhere, front, credentials }) => {
    const page = await open(elsewhere);
    const [user, password] = credentials.map(encodeURIComponent);
    const seen = await handshake(page, `ws://${user}:${password}@${front.host}/ws`);
    assert.equal(seen.outcome, 1006);
    assert.ok(front.lastStatus === 403, `answered ${front.lastStatus}`);
    await page.close();
}, ["text"]);

test("MBWS-008 WS-HS-10", "a page without credentials is refused with 401", async ({ anonymous, front }) => {
    const page = await anonymous();
    const seen = await handshake(page, `ws://${front.host}/ws`);
    assert.equal(seen.outcome, 1006);
    assert.equal(front.lastStatus, 401);
    await page.context().close();
}, ["text"]);

test("MBWS-008", "the login page is a way to log in", async ({ anonymous, front, credentials }) => {
    const [username, password] = credentials;
    const page = await anonymous({ httpCredentials: { username, password } });
    const response = await page.goto(`http://${front.host}/login`);
    assert.equal(new URL(page.url()).pathname, "/");
    assert.equal(response.status(), 200);
    await page.goto(`http://${front.host}/page/`);
    assert.equal((await handshake(page, `ws://${front.host}/ws`)).outcome, "open");
    await page.context().close();
}, ["text"]);

test("MBWS-008", "a wrong password at the login page is refused", async ({ anonymous, front, credentials }) => {
    const page = await anonymous({ httpCredentials: { username: credentials[0], password: "wrong" } });
    const response = await page.goto(`http://${front.host}/login`);
    assert.equal(response.status(), 401);
    await page.goto(`http://${front.host}/page/`);
    assert.equal((await handshake(page, `ws://${front.host}/ws`)).outcome, 1006);
    await page.context().close();
}, ["text"]);

test("MBWS-008", "credentials in the URL are a way to log in", async ({ anonymous, front, credentials }) => {
    const page = await anonymous();
    const [user, password] = credentials.map(encodeURIComponent);
    assert.equal((await handshake(page, `ws://${user}:${password}@${front.host}/ws`)).outcome, "open");
    // The browser remembers them for this host.
    assert.equal((await handshake(page, `ws://${front.host}/ws`)).outcome, "open");
    await page.context().close();
}, ["text"]);

test("MBWS-008", "wrong credentials in the URL are refused", async ({ anonymous, front, credentials }) => {
    const page = await anonymous();
    assert.equal((await handshake(page, `ws://${credentials[0]}:wrong@${front.host}/ws`)).outcome, 1006);
    assert.equal(front.lastStatus, 401);
    await page.context().close();
}, ["text"]);
