// Definitions: taking them away, comparing, making them true.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { ask } from "./broker.mjs";

const RABBIT = {
    rabbit_version: "3.10.8",
    users: [{ name: "hare", password_hash: "x", hashing_algorithm: "y", tags: "" }],
    vhosts: [{ name: "/" }],
    permissions: [{ user: "hare", vhost: "/", configure: "", write: ".*", read: ".*" }],
    policies: [],
    queues: [{ name: "burrow", vhost: "/", durable: true, auto_delete: false, arguments: {} }],
    exchanges: [],
    bindings: [],
};

async function exported(view) {
    await view.go("definitions");
    const downloading = view.page.waitForEvent("download");
    await view.button("Download").click();
    const download = await downloading;
    assert.equal(download.suggestedFilename(), "wharf-definitions.json");
    return JSON.parse(await readFile(await download.path(), "utf8"));
}

/** Without the addresses that are there by the thousand. */
const few = (all) => ({
    ...all,
    addresses: all.addresses.filter(({ name }) => !/device/.test(name)),
});

async function compare(view, definitions) {
    await view.fill({ "Or as text": JSON.stringify(definitions) });
    await view.button("Compare").click();
}

async function applies({ view, broker }) {
    const all = await exported(view);
    assert.deepEqual(all, await ask(broker.host, "GET", "/definitions"));
    const wanted = few(all);
    await compare(view, wanted);
    await view.shows("Nothing would change");

    const orders = wanted.policies.find(({ name }) => name === "orders");
    orders.ttl_ms = 1000;
    const billing = wanted.users.find(({ name }) => name === "billing");
    billing.password_verifier = wanted.users.find(
        ({ name }) => name === "auditor",
    ).password_verifier;
    wanted.addresses.push({ host: "localhost", name: "imported", kind: "topic" });
    wanted.routes = wanted.routes.filter(({ name }) => name !== "west");
    await view.fill({
        "Remove users, policies and routes that are not in it (never yourself, and no address)": true,
    });
    await compare(view, wanted);
    await view.shows("1 new, 2 changed, 1 removed, 0 passed over.");
    const changed = view.page.locator(".diff details", { hasText: "policy orders" });
    assert.match(await changed.locator(".gone").textContent(), /"ttl_ms": 86400000/);
    assert.match(await changed.locator(".added").textContent(), /"ttl_ms": 1000/);
    const secret = view.page.locator(".diff details", { hasText: "user billing" });
    assert.match(await secret.locator(".added").textContent(), /another secret/);
    assert.doesNotMatch(await view.page.locator(".diff").allTextContents().then(String), /argon2/);
    await view.page.locator(".diff summary", { hasText: "address localhost imported" }).click();
    await view.judge("a comparison");
    await view.button("Apply…").click();
    await view.confirm("Apply", /1 new, 2 changed, 1 removed/);
    await view.page.locator(".note.good", { hasText: "Done." }).waitFor();
    await view.judge("definitions applied");
    assert.equal((await ask(broker.host, "GET", "/policies/orders")).ttl_ms, 1000);
    assert.equal((await ask(broker.host, "GET", "/addresses/imported")).kind, "topic");
    await assert.rejects(ask(broker.host, "GET", "/routes/west"), /404/);
    return all;
}

async function changedMeanwhile({ view, broker }) {
    const all = few(await exported(view));
    all.routes.push({
        kind: "redirect",
        name: "west",
        host: "",
        address: "west/**",
        to: [],
        url: "amqps://w.example",
    });
    await compare(view, all);
    await view.shows("1 new, 0 changed, 0 removed, 0 passed over.");
    await ask(broker.host, "PUT", "/addresses/meanwhile", { kind: "queue" });
    await view.button("Apply…").click();
    await view.button("Apply", view.dialog()).click();
    await view.note().getByText("the definitions are not those of this ETag").waitFor();
    await view.judge("dialog: changed meanwhile");
    await view.page.keyboard.press("Escape");
    await assert.rejects(ask(broker.host, "GET", "/routes/west"), /404/);
}

async function unreadable({ view }) {
    await view.go("definitions");
    await view.fill({ "Or as text": "{" });
    await view.button("Compare").click();
    await view.note().getByText("They are no JSON").waitFor();
    await compare(view, { version: 1, users: [{ name: "a:b" }] });
    await view.note().getByText("a login name has").waitFor();
    const text = JSON.stringify({
        version: 1,
        addresses: [{ host: "localhost", name: "of a file" }],
    });
    await view.field("File").setInputFiles({
        name: "definitions.json",
        mimeType: "application/json",
        buffer: Buffer.from(text),
    });
    await view.page.waitForFunction(() =>
        document.querySelector("textarea").value.includes("of a file"),
    );
    await view.button("Compare").click();
    await view.shows("address localhost of a file");
}

async function rabbit({ view, broker }) {
    await view.go("definitions");
    await compare(view, RABBIT);
    await view.shows("user hare");
    await view.judge("a comparison with RabbitMQ's");
    await view.button("Apply…").click();
    await view.confirm("Apply", /new/);
    await view.shows("Done.");
    assert.equal((await ask(broker.host, "GET", "/users/hare")).name, "hare");
    assert.equal((await ask(broker.host, "GET", "/addresses/burrow")).kind, "queue");
}

export const definitions = [
    { name: "definitions are taken away, compared and applied", run: applies },
    { name: "definitions that have changed meanwhile", run: changedMeanwhile },
    { name: "definitions that cannot be read, and a file", run: unreadable },
    { name: "definitions of RabbitMQ", run: rabbit },
];
