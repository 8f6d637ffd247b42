// See run.sh, which has the settings.
import { start } from "./brokers.mjs";
import { sizes } from "./bundle.mjs";
import { Chaos, planOf } from "./chaos.mjs";
import { count, NAMES, row, versions } from "./sizes.mjs";

const setting = (name, value) => Number(process.env[name] ?? value);
const cuts = setting("CUTS", 1000);
const messages = setting("MESSAGES", 20_000);
const seed = setting("SEED", 1);
const rate = setting("RATE", 40);
const connections = setting("CONNECTIONS", 21);

/** Nothing more is waited for after so much silence: long when something is missing. */
const QUIET_MS = 3_000;
const QUIET_LONG_MS = 30_000;
const END_MS = 180_000;
const FIRST_MS = 30_000;
const CLOSE_MS = 10_000;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
/** Rejects instead of waiting for ever. */
const within = (ms, promise, what) => {
    const late = sleep(ms).then(() => Promise.reject(new Error(`waited too long: ${what}`)));
    return Promise.race([promise, late]);
};

let names = 0;
const nameless = () => `losses-${process.pid}-${(names += 1)}`;

/** Milliseconds from `connect` of a new client to the first message, which it sends to itself. */
async function first({ make }, port) {
    const address = nameless();
    const client = make({ address, id: address });
    const begun = performance.now();
    await client.connect(`ws://127.0.0.1:${port}/ws`);
    // The message follows the subscription over the same wire.
    const got = new Promise((resolve) => void client.subscribe(resolve));
    await Promise.all([got, client.publish(1)]);
    const ms = performance.now() - begun;
    await within(CLOSE_MS, client.close(), "close");
    return ms;
}

/** Sends the numbers from 1 on while the plan happens; resolves with what became of them. */
async function lose({ make }, port) {
    const address = nameless();
    const sides = {};
    for (const side of ["publisher", "subscriber"]) {
        const proxy = new Chaos({ port });
        await proxy.listen();
        sides[side] = { proxy, client: make({ address, id: `${address}-${side}` }) };
    }
    const { publisher, subscriber } = sides;
    const plan = planOf(seed, cuts, messages);
    const got = [];
    const known = new Set();
    const sent = new Set();
    let failed = 0;
    let changedAt = performance.now();
    const made = () => publisher.proxy.made + subscriber.proxy.made;

    await within(FIRST_MS, subscriber.client.connect(subscriber.proxy.url), "subscriber");
    const taken = (n) => {
        changedAt = performance.now();
        got.push(n);
        known.add(n);
    };
    await within(FIRST_MS, subscriber.client.subscribe(taken), "subscription");
    await within(FIRST_MS, publisher.client.connect(publisher.proxy.url), "publisher");

    const begun = performance.now();
    for (let n = 1; n <= messages; n += 1) {
        const early = begun + (n * 1000) / rate - performance.now();
        if (early > 1) await sleep(early);
        const settled = (done) => () => {
            changedAt = performance.now();
            done();
        };
        publisher.client.publish(n).then(settled(() => sent.add(n)), settled(() => (failed += 1)));
        while (plan[0]?.after <= n) {
            const cut = plan.shift();
            sides[cut.side].proxy.cutSoon(cut);
        }
    }
    const seconds = (performance.now() - begun) / 1000;
    const isWhole = () => made() === cuts && sent.size === messages && known.size === messages;
    const last = performance.now() + END_MS;
    while (performance.now() < Math.min(last, changedAt + (isWhole() ? QUIET_MS : QUIET_LONG_MS))) await sleep(100);

    const cutsMade = made();
    for (const { client, proxy } of Object.values(sides)) {
        await within(CLOSE_MS, client.close(), "close").catch((error) => console.error(error.message));
        proxy.close();
    }
    return { ...judge(got, sent), failed, cuts: cutsMade, seconds: Math.round(seconds) };
}

/** What came, against what the application was told is stored. */
function judge(got, sent) {
    const known = new Set();
    let [duplicated, reordered, highest] = [0, 0, 0];
    for (const n of got) {
        if (known.has(n)) {
            duplicated += 1;
            continue;
        }
        // A repetition is counted once, and not as out of order as well.
        if (n < highest) reordered += 1;
        highest = Math.max(highest, n);
        known.add(n);
    }
    const lost = [...sent].filter((n) => !known.has(n)).length;
    const unconfirmed = messages - sent.size;
    return { sent: sent.size, unconfirmed, lost, duplicated, reordered };
}

const wanted = process.env.ONLY?.split(",");
const rows = [];
for (const key of ["wharf", "stomp", "mqtt", "centrifuge"]) {
    if (!wanted || wanted.includes(key)) rows.push(...(await import(`./clients/${key}.mjs`)).rows);
}

async function main(ports) {
    const runs = rows.filter(({ broker }) => ports[broker]);
    for (const { key, how, broker } of rows) {
        if (!ports[broker]) console.error(`${NAMES[key]}, ${how}: no broker (${broker})`);
    }
    console.error(`seed ${seed}, ${cuts} cuts, ${count(messages)} messages, ${rate} a second`);
    // They take turns, so that a disturbance does not hit one alone. The first of each warms up.
    for (const run of runs) run.firsts = [];
    for (let round = 0; round <= connections; round += 1) {
        for (const run of runs) {
            const ms = await within(FIRST_MS, first(run, ports[run.broker]), `${run.key}, ${run.broker}`);
            if (round) run.firsts.push(ms);
        }
    }
    // All at the same time: each waits most of its time, and what is counted here is no speed.
    await Promise.all(
        runs.map(async (run) => {
            run.result = await lose(run, ports[run.broker]);
            console.error(`${NAMES[run.key]}, ${run.how}, ${run.broker}: ${JSON.stringify(run.result)}`);
        }),
    );
    const [made, known] = [await sizes(), await versions()];
    const texts = ["client", "broker", "sent again by"];
    const numbers = ["cuts", "sent", "lost", "duplicated", "out of order", "first message, ms", "gzip"];
    row([...texts, ...numbers]);
    row([...texts.map(() => "---"), ...numbers.map(() => "--:")]);
    for (const { key, how, broker, repeats, firsts, result } of runs) {
        const { cuts, sent, lost, duplicated, reordered } = result;
        const client = `${[NAMES[key], known[key]].filter(Boolean).join(" ")}, ${how}`;
        const counts = [cuts, sent, lost, duplicated, reordered].map(count);
        row([client, broker, repeats, ...counts, median(firsts)?.toFixed(1) ?? "", count(made[key].gzip)]);
    }
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));
const brokers = await start();
await main(brokers.ports);
await brokers.stop();
process.exit(0);
