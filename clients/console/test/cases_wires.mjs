// The console as a client of the broker: what it hears when its wire is cut, and what it leaves behind.
import assert from "node:assert/strict";
import { ADMIN, ask } from "./broker.mjs";
import { killPages, launch } from "./chromium.mjs";
import { Front } from "./front.mjs";

const NEWS = "/addresses/topic%2Fnews";

const subscribed = async (host) => (await ask(host, "GET", NEWS)).subscriptions;

async function until(isSo) {
    for (let tries = 0; !(await isSo()); tries += 1) {
        assert.ok(tries < 200, String(isSo));
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}

/** A page at a proxy which cuts its socket in the middle of frames hears everything, once, in order. */
async function cut(world) {
    const { broker } = world;
    const front = new Front(broker.host);
    await front.listen();
    const view = await world.as(...ADMIN);
    Object.assign(view, { host: front.host, isLost: true });
    try {
        await view.go("addresses/localhost/topic%2Fnews");
        front.octetsMax = 1500;
        await view.go("addresses/localhost/topic%2Fnews?tab=live");
        await view.page.locator(".facts > div", { hasText: /^subscriptions1$/ }).waitFor();
        const numbers = Array.from({ length: 200 }, (_, number) => `number ${number + 1}`);
        for (const text of numbers) {
            await ask(broker.host, "POST", `${NEWS}/messages`, { text, content_type: "", properties: {} });
        }
        await view.shows("200 heard");
        const heard = await view.page.locator(".messages .preview").allTextContents();
        assert.deepEqual(heard.reverse(), numbers);
        assert.ok(front.cuts >= 3, `${front.cuts} cuts`);
        front.octetsMax = Infinity;
        await view.page.locator(".badge", { hasText: /^(open|recovered)$/ }).waitFor();
    } finally {
        await view.page.close();
        front.close();
    }
}

/** What the broker tells by itself comes whole over wires that are cut, and then nothing is asked for. */
async function told(world) {
    const { broker } = world;
    const front = new Front(broker.host);
    await front.listen();
    const view = await world.as(...ADMIN);
    Object.assign(view, { host: front.host, isLost: true });
    const names = Array.from({ length: 100 }, (_, number) => `told/${number}/`);
    const path = (name) => `/addresses/${encodeURIComponent(name)}`;
    try {
        // What is told is alike, and compressed.
        front.octetsMax = 1000;
        await view.go("logs");
        for (const name of names) {
            await ask(broker.host, "PUT", path(name), {});
            await view.page.waitForTimeout(40);
        }
        const rows = view.page.locator("tbody tr", { hasText: "putAddress" });
        await rows.filter({ hasText: names.at(-1) }).waitFor();
        const heard = (await rows.allTextContents()).join().match(/told\/\d+\//g);
        assert.deepEqual(heard.reverse(), names);
        assert.ok(front.cuts >= 3, `${front.cuts} cuts`);
        front.octetsMax = Infinity;
        await view.go("");
        let asked = 0;
        view.page.on("request", (request) => (asked += request.url().endsWith("/overview")));
        const beats = () => view.page.locator(".legend dd").first().textContent();
        await view.page.waitForTimeout(6000);
        assert.match(await beats(), /\d/);
        assert.ok(asked <= 1, `${asked} questions`);
    } finally {
        await view.page.close();
        front.close();
        for (const name of names) await ask(broker.host, "DELETE", path(name));
    }
}

/** Nothing of a page is left in the broker: not when it is closed, and not for long when it is killed. */
async function leaves(world) {
    const { broker } = world;
    const browser = await launch();
    const view = await world.as(...ADMIN, browser);
    const context = view.page.context();
    const isSubscribed = (count) => async () => (await subscribed(broker.host)) === count;
    const listens = async () => {
        await view.go("addresses/localhost/topic%2Fnews?tab=live");
        await until(isSubscribed(1));
    };
    try {
        await until(isSubscribed(0));
        await listens();
        await view.page.goto("about:blank");
        await until(isSubscribed(0));

        await listens();
        const crashed = view.page.waitForEvent("crash");
        await killPages(browser);
        await crashed;
        await until(async () => {
            const { items } = await ask(broker.host, "GET", "/sessions?attached=false");
            return items.some(({ origin }) => origin === `http://${view.host}`);
        });
        assert.ok(await isSubscribed(1)());
        const page = await context.newPage();
        await view.page.close();
        await page.goto(`http://${view.host}/console#/`);
        await until(isSubscribed(0));
    } finally {
        await browser.close();
    }
}

export const wires = [
    { name: "a wire that is cut in the middle of frames", run: cut },
    { name: "what the broker tells by itself", run: told },
    { name: "a page leaves nothing behind", run: leaves },
];
