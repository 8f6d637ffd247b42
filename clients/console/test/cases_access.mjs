// Users, tokens, policies, routes.
import assert from "node:assert/strict";
import { ask } from "./broker.mjs";

async function addUser({ view, broker, as }) {
    await view.go("users");
    await view.link("Add a user").click();
    await view.fill({ Name: "ada", Password: "ada's secret", Connections: 7 });
    for (const [number, pattern] of [
        [1, "ada/**"],
        [2, "shared/*"],
        [3, "spare"],
    ]) {
        await view.button("Add a rule").click();
        await view.field(`pattern, rule ${number}`).fill(pattern);
    }
    await view.field("send, rule 1").check();
    await view.field("manage, rule 1").check();
    await view.field("receive, rule 2").check();
    await view.field("host, rule 2").fill("localhost");
    await view.button("Remove rule 3").click();
    await view.judge("a new user");
    await view.button("Add the user").click();
    await view.shows("User ada is added.");
    await view.page.getByRole("heading", { name: "ada", level: 1 }).waitFor();
    const user = await ask(broker.host, "GET", "/users/ada");
    const none = { send: false, receive: false, manage: false };
    assert.deepEqual(user.permissions, [
        { ...none, host: "", pattern: "ada/**", send: true, manage: true },
        { ...none, host: "localhost", pattern: "shared/*", receive: true },
    ]);
    assert.deepEqual([user.limits.connections_max, user.has_password], [7, true]);
    await view.go("users?tab=rules");
    await view.row("ada/**").waitFor();
    void as;
}

async function changeUser({ view, broker }) {
    await view.go("users/ada");
    await view.fill({ Connections: 0, "Messages a second": 50 });
    await view.field("pattern, rule 1").fill("ada/in");
    await view.button("Save").click();
    await view.shows("User ada is changed.");
    const user = await ask(broker.host, "GET", "/users/ada");
    assert.equal(user.permissions[0].pattern, "ada/in");
    assert.equal(user.limits.messages_per_second_max, 50);
    // The password that was not given stays.
    const basic = Buffer.from("ada:ada's secret").toString("base64");
    const headers = { Authorization: `Basic ${basic}` };
    assert.ok((await fetch(`http://${broker.host}/api/v1/whoami`, { headers })).ok);

    await view.go("users/ada");
    await view.button("Delete…").click();
    await view.confirm("Delete the user", /sessions end/);
    await view.shows("User ada is deleted.");
    await view.hides(view.row("ada"));
    await assert.rejects(ask(broker.host, "GET", "/users/ada"), /404/);
}

async function myself({ view, broker }) {
    await view.go("users/admin");
    await view.button("Delete…").click();
    await view.button("Delete the user", view.dialog()).click();
    await view.note().getByText("nobody removes the user that one is logged in as").waitFor();
    await view.page.keyboard.press("Escape");
    await view.fill({ Sessions: 10_000 });
    await view.button("Save").click();
    await view.confirm("Change", /ends at once/);
    assert.equal((await ask(broker.host, "GET", "/users/admin")).limits.sessions_max, 10_000);
    await view.go("users/nobody");
    await view.note().getByText("there is no user `nobody`").waitFor();
}

async function tokens({ view, broker }) {
    await view.go("tokens");
    await view.row("nightly run").waitFor();
    await view.button("Mint a token").click();
    const dialog = view.dialog();
    await view.judge("dialog: mint");
    await view.fill({ "For the user": "nobody" }, dialog);
    await view.button("Mint", dialog).click();
    await view.note().getByText("there is no user `nobody`").waitFor();
    await view.fill({ "For the user": "billing", "Valid for": 3, Unit: "86400" }, dialog);
    await view.fill({ Note: "a test" }, dialog);
    await view.button("Mint", dialog).click();
    const secret = view.page.locator(".secret");
    const text = (await secret.textContent()).trim();
    await view.judge("dialog: secret");
    // It is shown this once, and not lost by a key.
    await view.page.keyboard.press("Escape");
    await secret.waitFor();
    await view.button("I have it").click();
    await view.hides(secret);
    assert.doesNotMatch(await view.page.content(), new RegExp(text));

    const headers = { Authorization: `Bearer ${text}` };
    const whoami = () => fetch(`http://${broker.host}/api/v1/whoami`, { headers });
    assert.equal((await (await whoami()).json()).user, "billing");
    assert.match(await view.row("a test").textContent(), /in 2 d 23 h/);
    await view.row("a test").getByRole("button").click();
    await view.confirm("Revoke", /lets billing in \(a test\)/);
    await view.hides(view.row("a test"));
    assert.equal((await whoami()).status, 401);
}

async function policies({ view, broker }) {
    await view.go("policies");
    const order = await view.page.locator("tbody th").allTextContents();
    assert.deepEqual(order, ["orders", "sensors", "small", "file:0"]);
    assert.equal(await view.row("file:0").getByRole("button").count(), 0);
    await view.button("Add a policy").click();
    const dialog = view.dialog();
    await view.judge("dialog: policy");
    await view.fill({ Name: "file:mine", Pattern: "late/**", Priority: 20, Kind: "topic" }, dialog);
    await view.fill({ "A message lives (ms)": 90_000, "When it is full": "drop-oldest" }, dialog);
    await view.fill({ "Messages in a queue, at most": 500, "Dead letters go to": "" }, dialog);
    await view.button("Add", dialog).click();
    await view.note().getByText("are those of the configuration file").waitFor();
    await view.fill({ Name: "late" }, dialog);
    await view.button("Add", dialog).click();
    await view.shows("Policy late applies.");
    assert.deepEqual(await ask(broker.host, "GET", "/policies/late"), {
        name: "late",
        pattern: "late/**",
        kind: "topic",
        priority: 20,
        deliveries_max: 20,
        dead_letter_address: "",
        ttl_ms: 90_000,
        messages_max: 500,
        bytes_max: 0,
        overflow: "drop-oldest",
    });
    assert.match(await view.row("late/**").textContent(), /nowhere1 min 30 s, 500 messages/);
    await view.button("Edit policy late").click();
    await view.fill({ Priority: 5 }, view.dialog());
    await view.button("Save", view.dialog()).click();
    await view.hides(view.dialog());
    const changed = await ask(broker.host, "GET", "/policies/late");
    assert.deepEqual([changed.priority, changed.ttl_ms], [5, 90_000]);
    await view.button("Delete policy late").click();
    await view.confirm("Delete the policy", /late\/\*\*/);
    await view.hides(view.row("late/**"));
}

async function routes({ view, broker }) {
    await view.go("routes");
    await view.row("orders/asia").waitFor();
    await view.button("Add a route").click();
    const dialog = view.dialog();
    await view.judge("dialog: route");
    await view.fill(
        { Name: "two", Kind: "alias", Address: "two", To: "orders/new\nsecond" },
        dialog,
    );
    await view.button("Add", dialog).click();
    await view.note().waitFor();
    await view.fill({ Kind: "fan-out", Host: "shop.example" }, dialog);
    await view.button("Add", dialog).click();
    await view.shows("Route two applies.");
    const two = await ask(broker.host, "GET", "/routes/two");
    assert.deepEqual(
        [two.kind, two.host, two.to],
        ["fan-out", "shop.example", ["orders/new", "second"]],
    );
    await view.button("Edit route two").click();
    await view.fill({ Kind: "redirect", "Pattern of addresses": "two/*" }, view.dialog());
    await view.fill({ URL: "amqps://two.example" }, view.dialog());
    await view.judge("dialog: redirect");
    await view.button("Save", view.dialog()).click();
    await view.row("amqps://two.example").waitFor();
    await view.button("Delete route two").click();
    await view.confirm("Delete the route", /two\/\*/);
    await view.hides(view.row("amqps://two.example"));
    await assert.rejects(ask(broker.host, "GET", "/routes/two"), /404/);
}

export const access = [
    { name: "a user is added", run: addUser },
    { name: "a user is changed and deleted", run: changeUser },
    { name: "one's own user", run: myself },
    { name: "tokens are minted and revoked", run: tokens },
    { name: "policies are added, changed and deleted", run: policies },
    { name: "routes are added, changed and deleted", run: routes },
];
