// What holds of the console as a whole: logging in, moving about, how it looks, what it may do.
import assert from "node:assert/strict";
import { ADMIN, ask } from "./broker.mjs";

const SECTIONS = [
    ["", "Overview"],
    ["addresses", "Addresses"],
    ["policies", "Policies"],
    ["routes", "Routes"],
    ["connections", "Connections"],
    ["sessions", "Sessions"],
    ["users", "Users"],
    ["users?tab=rules", "Users"],
    ["users/billing", "billing"],
    ["new-user", "Add a user"],
    ["tokens", "Tokens"],
    ["definitions", "Definitions"],
    ["configuration", "Configuration"],
    ["audit", "Audit log"],
    ["logs", "Logs"],
    ["logs?level=warn", "Logs"],
    ["drain", "Drain"],
    ["addresses/localhost/orders%2Fnew", "orders/new"],
    ["addresses/localhost/orders%2Fnew?tab=subscriptions", "orders/new"],
    ["addresses/localhost/orders%2Fnew?tab=publish", "orders/new"],
    ["addresses/localhost/orders%2Fnew?tab=live", "orders/new"],
    ["addresses/localhost/topic%2Fprices", "topic/prices"],
    ["addresses/localhost/topic%2Fprices?tab=messages&subscription=till-4", "topic/prices"],
    ["addresses/localhost/topic%2Fprices?tab=live", "topic/prices"],
    ["addresses/localhost/nowhere", "nowhere"],
    ["nothing", "No such page"],
];

async function everyPage(view) {
    const { width } = view.page.viewportSize();
    for (const [path, heading] of SECTIONS) {
        await view.go(path);
        assert.equal(await view.heading(), heading);
        assert.equal(await view.page.title(), `${heading} · Wharf`);
        await view.judge(`${path || "overview"} at ${width}`);
    }
}

async function nobody({ as, front }) {
    const answer = await fetch(`http://${front.host}/console`);
    const policy = answer.headers.get("Content-Security-Policy") ?? "";
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe|\*/);
    const html = await answer.text();
    assert.doesNotMatch(html, /<style|<script(?![^>]* src=)|\bon\w+=|\bstyle=/);

    // The browser has asked, and was given what the broker does not take.
    const view = await as("nobody", "nothing");
    await view.go("");
    await view.page.getByRole("heading", { name: "Log in to Wharf" }).waitFor();
    await view.judge("login");
    return view;
}

async function logIn(world) {
    const view = await nobody({ as: (...who) => world.as(...who), front: world.front });
    await view.fill({ User: "auditor", Password: "wrong" });
    await view.button("Log in").click();
    await view.note().getByText("user or password may be wrong").waitFor();
    await view.judge("a wrong password");

    await view.fill({ User: ADMIN[0], Password: ADMIN[1] });
    await view.button("Log in").click();
    await view.page.getByRole("heading", { name: "Overview" }).waitFor();
    await view.shows("logged in as admin");
    // The page's own login opens a WebSocket, too.
    await heard(world, view, "by password");
    await view.button("Log out").click();
    await view.shows("Log in to Wharf");

    const note = "for the console";
    const minted = await ask(world.broker.host, "POST", "/tokens", { valid_s: 600, note });
    await view.fill({ Token: minted.secret });
    await view.button("Log in with the token").click();
    await view.shows("logged in as admin");
    await heard(world, view, "by token");
    // What ends the token ends the page's login.
    await ask(world.broker.host, "DELETE", `/tokens/${minted.token.id}`);
    await view.shows("Log in to Wharf");

    const again = await world.as(...ADMIN);
    await again.go("");
    await again.button("Another user").click();
    await again.button("Let the browser ask").click();
    await again.shows("logged in as admin");
    await again.page.close();
    await view.page.close();
}

/** A topic is listened to, and what is sent to it is shown. */
async function heard({ broker }, view, text) {
    await view.go("addresses/localhost/topic%2Fnews?tab=live");
    await view.page.locator(".badge", { hasText: /^open$/ }).waitFor();
    // Subscribed is more than open: what is sent before is not for this page.
    await view.page.waitForFunction(() =>
        [...document.querySelectorAll(".facts > div")].some(({ textContent }) =>
            /^subscriptions[1-9]/.test(textContent),
        ),
    );
    const path = `/addresses/${encodeURIComponent("topic/news")}/messages`;
    await ask(broker.host, "POST", path, { text, content_type: "text/plain", properties: {} });
    await view.page.locator(".messages .preview", { hasText: text }).waitFor();
}

async function keys({ view }) {
    const { page } = view;
    await view.go("");
    await page.reload();
    await view.settled();
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "To the content");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    assert.match(page.url(), /#\/$/);

    // Whoever types while the page is drawn anew goes on typing.
    await page.route("**/api/v1/hosts", async (route) => {
        await new Promise((resolve) => setTimeout(resolve, 400));
        await route.continue();
    });
    await page.keyboard.type("ga");
    await page.getByRole("heading", { name: "Addresses", level: 1 }).waitFor();
    await page.waitForFunction(() => document.activeElement.tagName === "H1");
    await page.keyboard.type("/");
    await page.keyboard.type("orders/new", { delay: 80 });
    await page.unroute("**/api/v1/hosts");
    await page.keyboard.press("Enter");
    await view.hides(view.row("archive"));
    await view.row("orders/new").waitFor();
    await view.field("Name").fill("");
    await page.keyboard.press("Tab");

    const opener = view.button("Declare an address");
    await opener.focus();
    await page.keyboard.press("Enter");
    await view.dialog().waitFor();
    await page.keyboard.press("Escape");
    await view.hides(view.dialog());
    assert.ok(await opener.evaluate((element) => element === document.activeElement));

    await page.keyboard.type("?");
    await view.dialog().waitFor();
    await view.judge("keys");
    await page.keyboard.press("Enter");
    await view.hides(view.dialog());
}

/** Who presses Enter without reading changes nothing. */
async function careless({ view, broker }) {
    await view.go("addresses/localhost/archive");
    await view.button("Delete…").click();
    await view.dialog().waitFor();
    await view.page.keyboard.press("Enter");
    await view.hides(view.dialog());
    assert.equal((await ask(broker.host, "GET", "/addresses/archive")).name, "archive");
}

async function theme(world) {
    const { view, colorScheme } = world;
    await view.go("");
    const dark = () =>
        view.page.evaluate(
            () => getComputedStyle(document.body).backgroundColor !== "rgb(246, 245, 241)",
        );
    assert.equal(await dark(), colorScheme === "dark");
    const other = colorScheme === "dark" ? "light" : "dark";
    await view.field("Colours").selectOption(other);
    assert.equal(await dark(), other === "dark");
    await view.page.reload();
    await view.settled();
    assert.equal(await dark(), other === "dark");
    await view.judge("the other colours");
    await view.field("Colours").selectOption("auto");
    assert.equal(await dark(), colorScheme === "dark");
}

async function narrow(world) {
    const view = await world.as(...ADMIN);
    await view.page.setViewportSize({ width: 390, height: 860 });
    await everyPage(view);
    await view.go("");
    assert.ok(!(await view.link("Addresses").isVisible()));
    await view.button("Menu").click();
    await view.judge("menu");
    await view.link("Addresses").click();
    await view.page.getByRole("heading", { name: "Addresses", level: 1 }).waitFor();
    assert.ok(!(await view.link("Policies").isVisible()));
    await world.check(view);
    await view.page.close();
}

export const page = [
    { name: "every page is well formed", run: ({ view }) => everyPage(view) },
    { name: "every page fits a phone", run: narrow },
    { name: "logging in: password, token, browser", run: logIn },
    { name: "keys", run: keys },
    { name: "a careless Enter changes nothing", run: careless },
    { name: "light and dark", run: theme },
];
