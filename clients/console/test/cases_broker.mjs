// The broker itself: how it is, its settings, what was done, and its end.
import assert from "node:assert/strict";
import { ask } from "./broker.mjs";

/** Whether something is drawn: how many points of a chart are not empty. */
const drawn = (view) =>
    view.page.evaluate(() =>
        [...document.querySelectorAll(".plot canvas")].map((canvas) => {
            const { data } = canvas
                .getContext("2d")
                .getImageData(0, 0, canvas.width, canvas.height);
            return data.filter((value, at) => at % 4 === 3 && value > 0).length;
        }),
    );

async function overview({ view, broker }) {
    await view.go("");
    const bench = broker.run("bench", ["--rate", "200", "--messages", "100000"]);
    const received = view.page.locator(".legend > div", { hasText: /^received/ }).locator("dd");
    await view.page.waitForFunction(
        () => Number(document.querySelector(".legend dd").textContent.replace(/\D/g, "")) > 100,
    );
    assert.match(await received.textContent(), /^\d{3}$/);
    assert.ok((await drawn(view)).every((points) => points > 500));
    await view.judge("overview with traffic");
    const now = await ask(broker.host, "GET", "/overview");
    const tile = view.page.locator(".tiles li", { hasText: "connections" });
    await tile.getByText(String(now.connections), { exact: true }).waitFor();
    await view.page.locator(".checks .good", { hasText: "journal" }).waitFor();
    // The values of the moment that is pointed at.
    await view.field("The last").selectOption("1");
    const plot = await view.page.locator(".u-over").first().boundingBox();
    await view.page.mouse.move(plot.x + plot.width - 3, plot.y + 20);
    await view.page.locator(".u-cursor-x").first().waitFor();
    bench.kill("SIGKILL");
    await bench.ended;
}

async function away(world) {
    const { view, broker } = world;
    await view.go("addresses");
    for (const one of world.views) one.isLost = true;
    await broker.kill();
    await view.page.locator(".badge", { hasText: "unreachable" }).waitFor();
    await view.note().getByText("The broker cannot be reached").first().waitFor();
    await view.judge("unreachable");
    await broker.start();
    await view.page.locator(".badge", { hasText: "ready" }).waitFor();
    await view.hides(view.note().first());
    await view.row("archive").waitFor();
    for (const one of world.views) one.isLost = false;
}

async function configuration({ view, broker }) {
    await view.go("configuration");
    const text = await view.page.locator(".toml").textContent();
    assert.match(text, /\[listen\]\n/);
    assert.match(text, /hosts = \["localhost", "shop.example"\]/);
    assert.doesNotMatch(text, /argon2/);
    const reload = async () => {
        await view.button("Reload…").click();
        await view.dialog().waitFor();
    };
    await reload();
    await view.confirm("Reload", /certificates/);
    await view.shows("Nothing has changed.");
    await broker.configure('[mbws]\nclose_ends = "any"\n[data]\nsegment_size_bytes = 33554432\n');
    await reload();
    await view.confirm("Reload");
    await view.shows("In use now: mbws.");
    await view.page.locator(".note", { hasText: "Needs a restart: " }).waitFor();
    await view.page.locator(".toml", { hasText: 'close_ends = "any"' }).waitFor();
    await view.judge("reloaded");
    await broker.configure('[mbws]\nclose_ends = "maybe"\n');
    await reload();
    await view.button("Reload", view.dialog()).click();
    await view.note().getByText("unknown variant `maybe`").waitFor();
    await view.judge("dialog: a wrong configuration");
    await view.page.keyboard.press("Escape");
    await broker.configure("");
}

async function audit(world) {
    const auditor = await world.as("auditor", "auditor secret");
    await auditor.go("drain");
    await auditor.button("Drain…").click();
    await auditor.button("Drain", auditor.dialog()).click();
    await auditor.note().getByText("user `auditor` needs `manage` on wharf/node").waitFor();
    await auditor.go("audit");
    const first = auditor.row("auditor").filter({ hasText: "drain" });
    assert.match(await first.textContent(), /refused \(403\)/);
    await auditor.judge("audit log");
    for (const path of ["users", "tokens", "policies", "routes", "sessions", "configuration"]) {
        await auditor.go(path);
        assert.equal(await auditor.note().count(), 0, path);
    }
    await world.check(auditor);
    await auditor.page.close();

    const { view, broker } = world;
    await ask(broker.host, "PUT", "/addresses/for%20the%20log", { kind: "queue" });
    await view.go("audit");
    const done = view.row("for the log").first();
    assert.match(await done.textContent(), /admin.*putAddress.*done \(200\)/);
}

async function drain(world) {
    const { view, client } = world;
    const open = () =>
        client.evaluate(
            () =>
                new Promise((resolve, reject) => {
                    const socket = new WebSocket("/ws", "MBWS.huawei.com");
                    globalThis.gone = new Promise((resolve) => {
                        socket.onclose = ({ code }) => resolve(code);
                    });
                    socket.onopen = () => resolve();
                    gone.then((code) => reject(new Error(String(code))));
                }),
        );
    await open();
    await view.go("drain");
    // Pages come back for what the broker tells, and are sent away.
    for (const one of world.views) one.isLost = true;
    await view.fill({ "Over (seconds)": 1, "Clients are told": "1012" });
    await view.fill({ "The process ends afterwards": false });
    await view.button("Drain…").click();
    await view.confirm("Drain", /There\s+is no way back/);
    await view.page.locator(".badge", { hasText: "draining" }).waitFor();
    await view.judge("draining");
    assert.equal(await client.evaluate(() => gone), 1012);
    await view.page.locator(".note", { hasText: "0 connections left." }).waitFor();
    await assert.rejects(open(), /1006/);

    await view.fill({ "Over (seconds)": 0, "The process ends afterwards": true });
    await view.button("Drain…").click();
    await view.confirm("Drain", /Then the process ends/);
    await world.broker.ended;
    await view.page.locator(".note", { hasText: "The process has ended." }).waitFor();
    await view.judge("drained");
}

export const broker = [
    { name: "overview: numbers, charts, health", run: overview },
    { name: "the broker goes away and comes back", run: away },
    { name: "the configuration is read again", run: configuration },
    { name: "the audit log, and who may only look", run: audit },
    { name: "drain", run: drain },
];
