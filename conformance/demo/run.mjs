// The page /demo in chromium.
//
//     node run.mjs BINARY [--pictures]
//
// Starts a broker, opens the page, has each pane send in turn, cuts every wire several times, kills
// the broker with -9 in every turn, and holds what the page counts against what must be so. Then it
// shows the page messages that are wrong, and the page must say so. `--pictures` takes those of the
// documentation.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { Broker } from "../browser/broker.mjs";
import { Front } from "./front.mjs";
import { DemoPage, PANES } from "./page.mjs";

const require = createRequire(new URL("../browser/package.json", import.meta.url));
const { chromium } = require("playwright-core");

const [username, password] = ["demo", "a password: ü"];
const FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run"];
const IMAGES = new URL("../../docs/images/", import.meta.url);
const VIEW = { width: 1280, height: 890 };
const CUTS = 3;
const RATE = 100;

const [binary, option] = process.argv.slice(2);
const broker = new Broker(binary, [username, password]);
const problems = [];

async function open(browser, host, credentials) {
    const context = await browser.newContext({ viewport: VIEW, ...credentials });
    const page = await context.newPage();
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("console", (message) => {
        if (/Content.Security.Policy/i.test(message.text())) problems.push(message.text());
    });
    const answer = await page.goto(`http://${host}/demo`);
    const policy = answer.headers()["content-security-policy"] ?? "";
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
    return new DemoPage(page);
}

/** Cuts and kills while one pane sends. */
async function turn(demo, sender) {
    await demo.start(sender, RATE);
    await demo.goesOn(20, "the start");
    for (let time = 0; time < CUTS; time += 1) {
        for (const name of PANES) {
            await demo.cut(`#${name} .cut`, 1);
            await demo.goesOn(10, `a cut of ${name}`);
        }
        // One may be away already when its turn comes.
        await demo.cut("#cut-all", 1);
        await demo.goesOn(10, "a cut of all");
    }
    const { restarts, kill } = await demo.read();
    assert.equal(kill, `kill -9 ${broker.process.pid}`);
    await broker.kill("SIGKILL");
    await demo.until(({ verdict }) => /No wire at all/.test(verdict), "the broker is gone");
    const { mbws, xmpp, amqp } = await demo.read();
    assert.deepEqual([mbws, xmpp, amqp].map(({ state }) => state), Array(3).fill("no wire"));
    await broker.start();
    await demo.goesOn(50, "a kill");
    await demo.until((shown) => shown.restarts === restarts + 1, "another process");
    const shown = await demo.stop();
    judge(shown, sender);
}

function judge(shown, sender) {
    const sent = PANES.reduce((sum, name) => sum + shown[name].sent, 0);
    assert.equal(shown.word, "good", shown.verdict);
    for (const name of PANES) {
        const pane = shown[name];
        assert.equal(pane.confirmed, pane.sent, `${name}: confirmed`);
        assert.equal(pane.received, sent, `${name}: received`);
        assert.equal(pane.duplicated, 0, `${name}: duplicated`);
        assert.equal(pane.lost, 0, `${name}: lost`);
    }
    // As long as AMQP has not sent, nothing comes again to those who are told it does not.
    const exact = sender === "amqp" ? [] : ["mbws", "xmpp"];
    for (const name of exact) assert.equal(shown[name].repeated, 0, `${name}: came again`);
    const again = PANES.map((name) => `${name} ${shown[name].repeated}`).join(", ");
    console.log(
        `${sender} sends: ${shown[sender].sent} sent, ${shown[sender].confirmed} confirmed; ` +
            `each pane has received ${sent} of ${sent}; lost 0, duplicated 0; came again: ${again}`,
    );
}

/** A sender of another name, who leaves one out and says one twice. The page must see it. */
async function wrong(demo) {
    await demo.start("mbws", RATE);
    await demo.page.evaluate(async () => {
        const url = new URL("/ws", location.href.replace("http", "ws"));
        const socket = new WebSocket(url, "MBLWS.huawei.com");
        await new Promise((resolve) => socket.addEventListener("open", resolve));
        const address = document.querySelector("#address").textContent;
        for (const id of ["other-1", "other-1", "other-3"]) {
            const property = `10 message-id${id.length} ${id}`;
            socket.send(`3 1 ${address.length} ${address}0 1 ${property}body`);
        }
    });
    const isSeen = ({ duplicated, lost }) => duplicated === 1 && lost === 1;
    await demo.until((shown) => PANES.every((name) => isSeen(shown[name])), "the faults are seen");
    const shown = await demo.stop();
    assert.equal(shown.word, "bad", shown.verdict);
    console.log(`faults are seen: ${shown.verdict}`);
}

async function picture(demo) {
    for (const colorScheme of ["light", "dark"]) {
        await demo.page.emulateMedia({ colorScheme });
        // The charts are drawn anew after that.
        await demo.goesOn(RATE, "a change of colours");
        const path = fileURLToPath(new URL(`demo-${colorScheme}.png`, IMAGES));
        await demo.page.screenshot({ path });
        console.log(`picture: ${path}`);
    }
}

/** What is to be seen on the pictures: a page that has lived. */
async function pictures(demo) {
    await demo.start("amqp", 20);
    await demo.goesOn(120, "the start");
    for (const name of ["mbws", "xmpp", "amqp"]) {
        await demo.cut(`#${name} .cut`, 1);
        await demo.goesOn(30, `a cut of ${name}`);
    }
    await broker.kill("SIGKILL");
    await demo.page.waitForTimeout(500);
    await broker.start();
    await demo.goesOn(150, "a kill");
    await picture(demo);
    judge(await demo.stop(), "amqp");
}

let browser;
let front;
try {
    await broker.start();
    const own = await fetch(`http://${broker.host}/demo`);
    front = new Front(() => broker.host);
    await front.listen();
    const host = own.ok ? broker.host : front.host;
    console.log(`the page is ${own.ok ? "the broker's" : "the source tree's"}`);
    browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: FLAGS });
    console.log(`chromium ${browser.version()}`);

    const wrongOnes = { username, password: "not it" };
    const stranger = await open(browser, host, { httpCredentials: wrongOnes });
    await stranger.page.click("#start");
    const refused = await stranger.until(({ word }) => word === "bad", "a refusal");
    assert.match(refused.verdict, /wants a login/);
    await stranger.page.close();

    const httpCredentials = { username, password };
    if (option === "--pictures") {
        const demo = await open(browser, host, { httpCredentials });
        await pictures(demo);
    } else {
        const demo = await open(browser, host, { httpCredentials });
        for (const name of PANES) await turn(demo, name);
        const { cuts, restarts } = await demo.read();
        await wrong(demo);
        console.log(`${cuts} wires cut, ${restarts} times kill -9: passed`);
    }
    assert.deepEqual(problems, []);
} finally {
    await browser?.close();
    front?.close();
    await broker.stop();
}
