// The programs of examples/, as they stand there.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { PASSWORD, TOKEN, USER } from "./broker.mjs";
import { begin, opened, Stage } from "./chromium.mjs";
import { collect } from "./helpers.mjs";

const EXAMPLES = new URL("../examples/", import.meta.url);
const BUILT = new URL("../dist/examples/react.js", import.meta.url);
const stage = new Stage();

before(async () => {
    await build({
        entryPoints: [fileURLToPath(new URL("react.jsx", EXAMPLES))],
        outfile: fileURLToPath(BUILT),
        bundle: true,
        format: "esm",
        jsx: "automatic",
        define: { "process.env.NODE_ENV": '"production"' },
        logLevel: "warning",
    });
    Object.assign(stage.proxy.files, {
        "/page/plain.html": new URL("page.html", EXAMPLES),
        "/page/react.js": BUILT,
    });
    await stage.set();
});
after(() => stage.strike());

test("a page: what is ordered on a wire that breaks is stored, and says so", async () => {
    const page = await stage.newPage();
    // The browser is given a login, which it remembers, as /login does.
    await begin(page, false);
    await opened(page);
    await page.evaluate(() => client.close());
    await page.goto(`http://${stage.proxy.host}/page/plain.html`);
    await page.waitForFunction(() => document.querySelector("#state").value === "open");
    const order = async (what) => {
        await page.fill("input", what);
        await page.click("button");
    };
    await order("tea");
    stage.proxy.cutAll();
    await order("milk");
    await page.waitForFunction(() => document.querySelectorAll("li").length === 2);
    await page.waitForFunction(() => [...document.querySelectorAll("li")].every((it) => it.textContent.endsWith("stored")));
    const orders = (await collect(stage.observer, "orders", 2)).map((text) => JSON.parse(text).what);
    assert.deepEqual(orders, ["tea", "milk"]);
});

test("React: a list is live", async () => {
    const page = await stage.newPage();
    await page.evaluate(
        async ([url, token]) => {
            const { mount } = await import("/page/react.js");
            mount(document.body.appendChild(document.createElement("div")), url, { token, retryFirstMs: 20 });
        },
        [stage.proxy.url, TOKEN],
    );
    await page.waitForFunction(() => document.querySelector("section p")?.textContent === "open");
    const listed = (count) => page.waitForFunction((count) => document.querySelectorAll("li").length === count, count);
    // A subscription that is being made hears nothing yet.
    for (let told = 0; told < 50 && !(await page.$("li")); told += 1) {
        await stage.observer.send("topic/prices", { share: "A", price: 0 });
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const before = (await page.$$("li")).length;
    stage.proxy.cutAll();
    await stage.observer.send("topic/prices", { share: "B", price: 2 });
    await listed(before + 1);
    assert.equal(await page.textContent("li:last-child"), "B: 2");
    assert.deepEqual(page.problems, []);
});

test("node: orders are taken", async () => {
    for (const what of ["one", "two"]) await stage.observer.send("orders", what);
    const environment = { WHARF_URL: stage.proxy.url, WHARF_USER: USER, WHARF_PASSWORD: PASSWORD };
    const program = spawn(process.execPath, [fileURLToPath(new URL("node.mjs", EXAMPLES)), "2"], {
        env: { ...process.env, ...environment },
        stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    program.stdout.on("data", (chunk) => (said += chunk));
    const code = await new Promise((resolve) => program.once("exit", resolve));
    assert.deepEqual([said, code], ["one\ntwo\n", 0]);
});
