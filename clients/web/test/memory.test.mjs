// The memory of a page that receives a million messages stays what it is: `run.sh full` alone.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import { PASSWORD, USER } from "./broker.mjs";
import { begin, Stage } from "./chromium.mjs";
import { until } from "./helpers.mjs";

const COUNT = Number(process.env.WHARF_TEST_MESSAGES ?? 1_000_000);
const TEST_MS = 1_200_000;
const MB = 1 << 20;
const stage = new Stage();

before(() => stage.set());
after(() => stage.strike());

/** Fills an address by a program that is quicker than a page. */
function fill(address) {
    const where = ["--url", `ws://127.0.0.1:${stage.broker.port}/ws`, "--address", address];
    const what = ["--producers", "1", "--consumers", "0", "--messages", String(COUNT), "--size", "64"];
    const environment = { ...process.env, WHARF_USER: USER, WHARF_PASSWORD: PASSWORD };
    execFileSync(process.env.WHARF_BIN, ["bench", ...where, ...what], { env: environment, stdio: "ignore" });
}

test(`a page receives ${COUNT} messages`, { timeout: TEST_MS }, async (t) => {
    const address = stage.address();
    fill(address);
    const page = await stage.newPage();
    const tools = await stage.context.newCDPSession(page);
    /** What is held after everything that can go is gone. */
    const heldMb = async () => {
        await tools.send("HeapProfiler.collectGarbage");
        return (await tools.send("Runtime.getHeapUsage")).usedSize / MB;
    };
    await begin(page, "memory");
    await page.evaluate((address) => {
        window.taken = 0;
        void (async () => {
            for await (const delivery of client.receive(address, { credit: 500 })) {
                taken += 1;
                void delivery.ack();
            }
        })();
    }, address);
    const held = [];
    for (const part of [0.1, 0.5, 1]) {
        await until(() => page.evaluate((goal) => taken >= goal, COUNT * part), `${COUNT * part}`, TEST_MS);
        held.push(await heldMb());
        t.diagnostic(`after ${COUNT * part}: ${held.at(-1).toFixed(1)} MB`);
    }
    await until(() => page.evaluate(() => client.pending === 0), "nothing waits");
    assert.ok(held[2] < held[0] + 4, "a page's memory grows with what it has received");
    assert.equal(await page.evaluate(() => taken), COUNT);
});
