// Addresses and what is in them.
import assert from "node:assert/strict";
import { ask } from "./broker.mjs";
import { crowd } from "./world.mjs";

const at = (name) => `/addresses/${encodeURIComponent(name)}`;
const names = (view) => view.page.locator("tbody th a").allTextContents();

async function list({ view }) {
    await view.go("addresses");
    assert.ok((await names(view)).includes("orders/new"));
    await view.field("Kind").selectOption("topic");
    await view.hides(view.row("orders/new"));
    const topics = await names(view);
    assert.ok(topics.includes("topic/news") && topics.includes("topic/prices"), String(topics));
    await view.field("Kind").selectOption("");
    await view.field("Name").fill("orders/*");
    await view.page.keyboard.press("Enter");
    await view.hides(view.row("archive"));
    await view.row("orders/new").waitFor();
    assert.ok((await names(view)).every((name) => name.startsWith("orders/")));

    await view.button("Ready").click();
    await view.page.locator("th[aria-sort=descending]").waitFor();
    await view.page.waitForFunction(
        () => document.querySelector("tbody th a").textContent === "orders/new",
    );
    await view.button("Ready").click();
    await view.page.waitForFunction(
        () => [...document.querySelectorAll("tbody th a")].at(-1).textContent === "orders/new",
    );
    // Where one is can be carried elsewhere.
    const url = view.page.url();
    await view.go("");
    await view.page.goto(url);
    await view.page.locator("th[aria-sort=ascending]").waitFor();
    assert.equal(await view.field("Name").inputValue(), "orders/*");

    await view.go("addresses");
    await view.field("Host").selectOption("shop.example");
    await view.row("returns").waitFor();
    assert.deepEqual(await names(view), ["returns"]);
    await view.field("Name").fill("nothing like it");
    await view.page.keyboard.press("Enter");
    await view.shows("There are no such addresses.");
    await view.judge("an empty list");
}

async function declare({ view, broker }) {
    await view.go("addresses");
    await view.button("Declare an address").click();
    const dialog = view.dialog();
    await view.fill({ Name: "wharf/own" }, dialog);
    await view.button("Declare", dialog).click();
    await view.note().waitFor();
    await view.judge("dialog with a problem");
    const refused = await view.note().textContent();
    assert.match(refused, /wharf\/own/);
    await view.fill({ Name: "made here/ü", Kind: "topic" }, dialog);
    await view.button("Declare", dialog).click();
    await view.page.getByRole("heading", { name: "made here/ü" }).waitFor();
    assert.equal((await ask(broker.host, "GET", at("made here/ü"))).kind, "topic");
    await view.button("Delete…").click();
    await view.confirm("Delete the address", /dropped for good/);
    await view.shows("made here/ü is deleted.");
    assert.equal(await view.heading(), "Addresses");
    await assert.rejects(ask(broker.host, "GET", at("made here/ü")), /404/);
}

async function peek({ view }) {
    await view.go("addresses/localhost/orders%2Fnew");
    const entries = view.page.locator(".messages > li");
    await entries.first().waitFor();
    assert.equal(await entries.count(), 20);
    await view.field("At most").selectOption("50");
    await view.page.waitForFunction(
        () => document.querySelectorAll(".messages > li").length === 30,
    );
    await view.page.locator("summary").first().click();
    await view.page.locator("pre", { hasText: '"order": 1,' }).waitFor();
    await view.judge("a message");
    const text = await entries.first().textContent();
    assert.match(text, /prioritynormal/);

    await view.go("addresses/localhost/archive");
    await entries.nth(1).waitFor();
    assert.match(await entries.first().textContent(), /octets: 00 01 02/);
    await view.page.locator("summary").first().click();
    await view.page.locator("pre", { hasText: "000030  30 31 32" }).waitFor();
    // What looks like HTML is text.
    await view.page.locator("summary").nth(1).click();
    await view.page.locator("pre", { hasText: '<b>not bold</b> & "quoted"' }).waitFor();
    assert.equal(await view.page.locator(".messages b").count(), 0);
}

async function publish({ view, broker }) {
    await view.go("addresses/localhost/parcels?tab=publish");
    await ask(broker.host, "PUT", at("parcels"), { kind: "queue" });
    await view.go("addresses/localhost/archive");
    await view.go("addresses/localhost/parcels?tab=publish");
    await view.fill({ Body: "first", "Content type": "text/plain", Properties: "no colon" });
    await view.button("Publish").click();
    await view.note().getByText("expected name: value").waitFor();
    await view.fill({ Properties: "from: the console\nnote: a: b" });
    await view.button("Publish").click();
    await view.shows("The message is on disk.");
    await view.fill({ Body: "not base64!", "The body is": "base64", Properties: "" });
    await view.button("Publish").click();
    await view.note().getByText("base64").waitFor();
    await view.judge("publish with a problem");
    await view.fill({ Body: "/wAB" });
    await view.button("Publish").click();
    await view.page.locator(".facts", { hasText: "ready2" }).waitFor();
    const { items } = await ask(broker.host, "GET", `${at("parcels")}/messages`);
    assert.deepEqual(items[0].properties, { from: "the console", note: "a: b" });
    assert.deepEqual([items[0].text, items[0].content_type], ["first", "text/plain"]);
    assert.equal(items[1].base64, "/wAB");
}

async function move({ view, broker }) {
    await view.go("addresses/localhost/parcels");
    await view.button("Move…").click();
    const dialog = view.dialog();
    await view.fill({ To: "nowhere" }, dialog);
    await view.button("Move", dialog).click();
    await view.note().getByText("`nowhere`: expected another address").waitFor();
    await view.judge("dialog: move");
    await view.fill({ To: "orders/paid", "At most": 1 }, dialog);
    await view.button("Move", dialog).click();
    await view.shows("1 message moved, 1 left.");
    // The page shows what is there now.
    await view.page.waitForFunction(() => document.querySelectorAll(".messages > li").length === 1);
    await view.button("Purge…").click();
    await view.confirm("Drop the messages", /parcels/);
    await view.shows("1 message dropped.");
    await view.shows("No message waits here.");
    assert.equal((await ask(broker.host, "GET", at("parcels"))).messages_ready, 0);
}

async function redrive({ view, broker }) {
    await view.go("addresses/localhost/wharf%2Fdead-letter");
    await view.page.locator(".badge", { hasText: "queue-full" }).first().waitFor();
    await view.page.locator("summary").first().click();
    await view.link("small/box").first().waitFor();
    await view.judge("a dead letter");
    await ask(broker.host, "POST", `${at("small/box")}/purge`);
    await view.button("Redrive…").click();
    await view.judge("dialog: redrive");
    await view.button("Redrive", view.dialog()).click();
    await view.shows("2 messages moved, 0 left.");
    assert.equal((await ask(broker.host, "GET", at("small/box"))).messages_ready, 2);
}

async function subscription({ view, broker }) {
    await view.go("addresses/localhost/topic%2Fprices");
    await view.row("till-4").waitFor();
    await view.link("till-4").click();
    await view.page.locator(".messages > li", { hasText: "1.09" }).waitFor();
    await view.button("Move…").waitFor();
    await view.button("Purge…").click();
    await view.confirm("Drop the messages", /till-4 of topic\/prices/);
    await view.shows("2 messages dropped.");
    await view.link("Subscriptions").click();
    await view.button("End subscription till-4").click();
    await view.confirm("End the subscription", /1 consumer will lose it/);
    await view.shows("Nobody is subscribed.");
    const { items } = await ask(broker.host, "GET", `${at("topic/prices")}/subscriptions`);
    assert.deepEqual(items, []);
}

async function live({ view, broker }) {
    await ask(broker.host, "PUT", at("parcels"), { kind: "queue" });
    await ask(broker.host, "POST", `${at("parcels")}/purge`);
    await view.go("addresses/localhost/parcels?tab=live");
    await view.shows("No message waits here.");
    const send = (name, text) =>
        ask(broker.host, "POST", `${at(name)}/messages`, {
            text,
            content_type: "",
            properties: {},
        });
    await send("parcels", "seen in passing");
    await view.page.locator(".preview", { hasText: "seen in passing" }).click();
    await view.page.locator("pre", { hasText: "seen in passing" }).waitFor();

    await view.go("addresses/localhost/topic%2Fnews?tab=live");
    await view.page.locator(".badge", { hasText: /^open$/ }).waitFor();
    await view.page.locator(".facts > div", { hasText: /^subscriptions1$/ }).waitFor();
    for (let number = 1; number <= 5; number += 1) await send("topic/news", `news ${number}`);
    await view.shows("5 heard");
    assert.match(await view.page.locator(".messages > li").first().textContent(), /news 5/);
    await view.page.locator("summary").first().click();
    await view.judge("live");
    // A wire that is cut is taken up again, and nothing is missed.
    const { items } = await ask(broker.host, "GET", "/connections");
    const { id } = items.find(({ tag }) => tag === "console");
    await ask(broker.host, "DELETE", `/connections/${id}?abrupt=true`);
    await send("topic/news", "news after the cut");
    await view.page.locator(".preview", { hasText: "news after the cut" }).waitFor();
    await view.shows("6 heard");
    await view.button("Pause").click();
    await send("topic/news", "while paused");
    await view.button("Go on").click();
    await view.shows("7 heard");
    // Who leaves the page is subscribed no more.
    await view.link("Publish").click();
    await view.page.locator(".facts > div", { hasText: /^subscriptions0$/ }).waitFor();
}

async function many({ view, broker, crowded }) {
    await crowd(broker.host, crowded);
    await view.go("addresses");
    await view.field("Rows").selectOption("25");
    await view.field("Name").fill("device/**");
    await view.page.keyboard.press("Enter");
    await view.hides(view.row("archive"));
    await view.row("device/000024/in").waitFor();
    await view.hides(view.row("device/000025/in"));
    assert.equal((await names(view)).length, 25);
    for (let page = 2; page <= 4; page += 1) {
        await view.button("Next ›").click();
        await view.shows(`Page ${page}`);
        const first = `device/${String((page - 1) * 25).padStart(6, "0")}/in`;
        await view.row(first).waitFor();
    }
    await view.button("‹ Previous").click();
    await view.row("device/000050/in").waitFor();
    const last = String(crowded - 1).padStart(6, "0");
    await view.field("Name").fill(`${last}/`);
    await view.page.keyboard.press("Enter");
    await view.row(`device/${last}/in`).waitFor();
    await view.hides(view.row("device/000050/in"));
    assert.deepEqual(await names(view), [`device/${last}/in`]);
    await view.field("Name").fill("");
    await view.page.keyboard.press("Tab");
    await view.button("Ready").click();
    await view.page.waitForFunction(
        () => document.querySelector("tbody th a").textContent === "orders/new",
    );
    await view.judge("many addresses");
    await view.go("");
    const tile = view.page.locator(".tiles li", { hasText: "addresses" });
    const { addresses } = await ask(broker.host, "GET", "/overview");
    assert.ok(addresses > crowded);
    await tile.getByText(addresses.toLocaleString("en"), { exact: true }).waitFor();
}

export const messages = [
    { name: "addresses: filters, order, host", run: list },
    { name: "an address is declared and deleted", run: declare },
    { name: "messages are looked at", run: peek },
    { name: "messages are published", run: publish },
    { name: "messages are moved and purged", run: move },
    { name: "dead letters are redriven", run: redrive },
    { name: "a subscription is looked into, purged and ended", run: subscription },
    { name: "messages are seen live", run: live },
    { name: "many addresses", run: many },
];
