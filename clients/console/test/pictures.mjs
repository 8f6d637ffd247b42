// The pictures of the documentation: the console as it looks in use.
import { fileURLToPath } from "node:url";
import { ask } from "./broker.mjs";

const IMAGES = new URL("../../../docs/images/", import.meta.url);
const LIVE_MS = 62_000;
const PAUSE_MS = 9000;

/** Names, in which colours, and how to get there. */
const PICTURES = [
    ["overview", ["light", "dark"], traffic],
    ["addresses", ["light"], (view) => view.go("addresses?sort=messages_ready&order=desc")],
    ["messages", ["light"], messages],
    ["live", ["light", "dark"], live],
    ["sessions", ["light"], (view) => view.go("sessions")],
    ["user", ["light"], (view) => view.go("users/billing")],
    ["policies", ["light"], (view) => view.go("policies")],
    ["definitions", ["light"], definitions],
];

/** Something happens, so that the charts have something to show. */
async function traffic(view, { broker }) {
    await view.go("");
    await view.field("The last").selectOption("1");
    const load = (address, flags) => broker.run("bench", ["--address", address, ...flags]);
    load("payments/in", ["--rate", "40", "--messages", "100000", "--producers", "3"]);
    const began = Date.now();
    const rates = { mails: 60, parcels: 20, stock: 90, reports: 30 };
    for (const [name, rate] of Object.entries(rates)) {
        const count = String(Math.round((rate * PAUSE_MS) / 1000));
        load(`${name}/in`, ["--rate", String(rate), "--messages", count]);
        await view.page.waitForTimeout(PAUSE_MS);
        load(`${name}/out`, ["--rate", "50", "--messages", String(rate), "--consumers", "0"]);
    }
    await view.page.waitForTimeout(Math.max(0, LIVE_MS - (Date.now() - began)));
}

async function messages(view) {
    await view.go("addresses/localhost/orders%2Fnew");
    await view.page.locator("summary").nth(2).click();
}

async function live(view, { broker }) {
    await view.go("addresses/localhost/topic%2Fprices?tab=live");
    await view.page.locator(".badge", { hasText: /^open$/ }).waitFor();
    await view.page.locator(".facts > div", { hasText: /^subscriptions2$/ }).waitFor();
    for (let number = 1; number <= 14; number += 1) {
        const price = { share: ["ABC", "DEF", "GHI"][number % 3], price: 100 + (number % 7) / 4 };
        await ask(broker.host, "POST", "/addresses/topic%2Fprices/messages", {
            text: JSON.stringify(price),
            content_type: "application/json",
            properties: { market: "north" },
        });
        await view.page.waitForTimeout(150);
    }
    await view.shows("14 heard");
    await view.page.locator("summary").nth(1).click();
}

async function definitions(view, { broker }) {
    const wanted = await ask(broker.host, "GET", "/definitions");
    wanted.policies.find(({ name }) => name === "orders").ttl_ms = 3_600_000;
    const billing = wanted.users.find(({ name }) => name === "billing");
    billing.limits.connections_max = 20;
    billing.permissions = billing.permissions.slice(1);
    wanted.addresses.push({ host: "localhost", name: "orders/africa", kind: "queue" });
    await view.go("definitions");
    await view.fill({ "Or as text": JSON.stringify(wanted, null, 2) });
    await view.button("Compare").click();
    await view.shows("What would change");
    await view.page.getByRole("heading", { name: "What would change" }).scrollIntoViewIfNeeded();
    await view.page.evaluate(() => {
        const headings = [...document.querySelectorAll("h2")];
        headings.find(({ textContent }) => textContent === "What would change").scrollIntoView();
    });
}

export async function pictures(world) {
    const { view, colorScheme } = world;
    for (const [name, schemes, prepare] of PICTURES) {
        if (!schemes.includes(colorScheme) && !process.env.WHARF_CONSOLE_ALL) continue;
        await prepare(view, world);
        await view.page.mouse.move(0, 0);
        await view.page.waitForTimeout(500);
        const path = fileURLToPath(new URL(`console-${name}-${colorScheme}.png`, IMAGES));
        await view.page.screenshot({ path });
        console.log(`picture: ${path}`);
    }
}
