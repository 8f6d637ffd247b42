// Connections and sessions.
import assert from "node:assert/strict";
import { ask } from "./broker.mjs";
import { frame } from "./world.mjs";

const hosts = async ({ broker }) => (await ask(broker.host, "GET", "/connections")).items;

async function connections(world) {
    const { view, client } = world;
    await view.go("connections");
    await view.row("till-4").waitFor();
    for (const protocol of ["AMQP", "XMPP", "MBWS"]) {
        await view.page.locator("td .badge", { hasText: protocol }).first().waitFor();
    }
    await view.field("Protocol").selectOption("amqp");
    await view.hides(view.row("till-4"));
    await view.page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 1);
    await view.field("Protocol").selectOption("");
    await view.field("User").fill("nobody");
    await view.page.keyboard.press("Enter");
    await view.shows("Nobody is connected.");
    await view.field("User").fill("me");
    await view.page.keyboard.press("Enter");
    await view.row("till-4").waitFor();

    const closed = client.evaluate(
        () => new Promise((resolve) => (socket.onclose = ({ code }) => resolve(code))),
    );
    await view
        .row("till-4")
        .getByRole("button", { name: /^Close/ })
        .click();
    await view.confirm("Close", /told to go away/);
    assert.equal(await closed, 1001);
    await view.hides(view.row("till-4"));

    const [one] = (await hosts(world)).filter(({ protocol }) => protocol === "amqp");
    await view.button(`Cut connection ${one.id}`).click();
    await view.confirm("Cut", /as if the wire were cut/);
    await view.shows(`Connection ${one.id} is cut.`);
    await view.hides(view.button(`Cut connection ${one.id}`));
}

async function sessions({ view, broker }) {
    await view.go("sessions");
    await view.field("State").selectOption("waiting");
    const waiting = view.page.locator("tbody tr", { hasText: "waiting" });
    await waiting.first().waitFor();
    assert.match(await waiting.first().textContent(), /expires in \d+ h/);
    await view.judge("waiting sessions");
    const before = (await ask(broker.host, "GET", "/sessions?attached=false")).items;
    const { id } = before[0];
    await view.button(`End session ${id}`).click();
    await view.confirm("End the session", /cannot take it up again/);
    await view.shows(`Session ${id} has ended.`);
    const after = (await ask(broker.host, "GET", "/sessions?attached=false")).items;
    assert.ok(!after.some((session) => session.id === id));

    await view.field("State").selectOption("connected");
    await view.hides(view.page.locator("tbody tr", { hasText: "waiting" }).first());
}

/** From a connection to its session, and from a session to its user. */
async function links({ view, client }) {
    await client.evaluate(
        (consume) =>
            new Promise((resolve) => {
                globalThis.socket = new WebSocket("/ws?tag=links", "MBWS.huawei.com");
                socket.onopen = () => socket.send("1 0 0 ");
                socket.onmessage = ({ data }) => {
                    if (data.startsWith("1 ")) socket.send(consume);
                    if (data.startsWith("2 1 ")) resolve();
                };
            }),
        frame("wharf/consume", "", { address: "topic/prices" }),
    );
    await view.go("connections");
    const row = view.row("links");
    const session = await row.locator("a").nth(1).textContent();
    await row.locator("a").nth(1).click();
    await view.shows(`Only session ${session}.`);
    await view.page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 1);
    await view.link("admin").click();
    await view.page.getByRole("heading", { name: "admin", level: 1 }).waitFor();
    await view.link("Connections").last().click();
    await view.row("links").waitFor();

    await view.go("addresses/localhost/topic%2Fprices");
    await view.row(`ends with session ${session}`).waitFor();
    await view.judge("a volatile subscription");
    await client.evaluate(() => socket.close());
}

/** A user of messages sees its own connections, and is told what it may not see. */
async function own(world) {
    const view = await world.as("orders-app", "orders secret");
    await view.go("connections");
    await view.note().getByText("needs `manage` on wharf/connections").waitFor();
    await view.judge("not permitted");
    await view.field("User").fill("me");
    await view.page.keyboard.press("Enter");
    await view.shows("Nobody is connected.");
    await view.go("");
    await view.note().getByText("user `orders-app` needs").first().waitFor();
    await view.go("addresses");
    const names = await view.page.locator("tbody th a").allTextContents();
    assert.ok(names.length > 0 && names.every((name) => /^orders\/|^wharf\/dead/.test(name)));
    await view.go("addresses/localhost/orders%2Fnew");
    await view.button("Purge…").click();
    await view.button("Drop the messages", view.dialog()).click();
    await view.note().getByText("needs `manage` on the address").waitFor();
    await view.judge("dialog: not permitted");
    await world.check(view);
    await view.page.close();
}

export const clients = [
    { name: "connections are found, closed and cut", run: connections },
    { name: "sessions are found and ended", run: sessions },
    { name: "from connections to sessions to users", run: links },
    { name: "a user without rights", run: own },
];
