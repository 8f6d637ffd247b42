// The console in chromium, against a broker that is filled with data.
//
//     node test/run.mjs BINARY [--quick] [--only PATTERN] [--pictures]
//
// Everything is walked through in light and in dark at once, each with a broker of its own. On
// every page and in every dialog axe-core must find nothing serious, and the policy of what scripts
// may do must not be violated. `--quick` does all this with fewer addresses. `--pictures` takes those of
// the documentation instead.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { ADMIN, Broker } from "./broker.mjs";
import { cases } from "./cases.mjs";
import { launch } from "./chromium.mjs";
import { ASSETS, Front } from "./front.mjs";
import { pictures } from "./pictures.mjs";
import { View } from "./view.mjs";
import { clients, fill } from "./world.mjs";

const VIEW = { width: 1280, height: 860 };

const [binary, ...options] = process.argv.slice(2);
const only = new RegExp(options.includes("--only") ? options[options.indexOf("--only") + 1] : "");
const crowded = options.includes("--quick") ? 2000 : 100_000;
const credentials = (username, password) => ({ httpCredentials: { username, password } });

/** Where the console is: at the broker, if it has the same one, else before it. */
async function serve(broker) {
    const own = await fetch(`http://${broker.host}/console/console.js`);
    const isSame =
        own.ok && (await own.text()) === (await readFile(new URL("console.js", ASSETS), "utf8"));
    if (isSame) return { host: broker.host, close() {} };
    const front = new Front(broker.host);
    await front.listen();
    return front;
}

class World {
    constructor(browser, colorScheme) {
        Object.assign(this, { browser, colorScheme, broker: new Broker(binary), views: [], crowded });
    }

    async begin() {
        await this.broker.begin();
        this.front = await serve(this.broker);
        const whose = this.front instanceof Front ? "the source tree's" : "the broker's";
        console.log(`${this.colorScheme}: the console is ${whose}`);
        await fill(this.broker.host);
        this.view = await this.open(credentials(...ADMIN));
        // Clients of their own: a page, whose socket a test can look at, and programs.
        this.clientView = await this.open(credentials(...ADMIN));
        this.client = this.clientView.page;
        await this.client.goto(`http://${this.front.host}/login`);
        await this.client.goto(`http://${this.front.host}/console`);
        await clients(this.client);
        this.broker.run("receive", ["orders/eu", "--follow", "--protocol", "amqp"]);
        this.broker.run("receive", ["orders/us", "--follow", "--protocol", "xmpp"]);
        await this.broker.leave();
    }

    /** A page of another profile: nobody's, or somebody's. */
    async open(options = {}, browser = this.browser) {
        const { colorScheme } = this;
        const context = await browser.newContext({ viewport: VIEW, colorScheme, ...options });
        await context.addInitScript(() => {
            globalThis.violations = [];
            document.addEventListener(
                "securitypolicyviolation",
                ({ violatedDirective, sample }) => {
                    globalThis.violations.push(`${violatedDirective} ${sample}`);
                },
            );
        });
        const view = new View(await context.newPage(), this.front.host);
        this.views.push(view);
        return view;
    }

    as(name, password, browser) {
        return this.open(credentials(name, password), browser);
    }

    async check(view) {
        const violations = await view.page.evaluate(() => globalThis.violations ?? []);
        assert.deepEqual([...violations, ...view.problems], []);
    }

    async end() {
        for (const { page } of this.views) await page.context().close().catch(() => {});
        this.front?.close();
        await this.broker.stop();
    }
}

async function walk(browser, colorScheme) {
    const world = new World(browser, colorScheme);
    const tell = (text) => console.log(`${colorScheme}: ${text}`);
    let failed = 0;
    let passed = 0;
    try {
        await world.begin();
        for (const { name, run } of cases) {
            if (!only.test(name)) continue;
            const began = performance.now();
            const took = () => `${((performance.now() - began) / 1000).toFixed(1).padStart(5)} s`;
            try {
                await run(world);
                for (const view of world.views) {
                    if (!view.page.isClosed()) await world.check(view);
                }
                passed += 1;
                tell(`passed ${took()}  ${name}`);
            } catch (error) {
                failed += 1;
                tell(`FAILED ${took()}  ${name}\n${error.stack.slice(0, 4000)}`);
                const folder = process.env.WHARF_CONSOLE_FAILED ?? "/tmp";
                const path = `${folder}/console-failed-${colorScheme}.png`;
                await world.view.page.screenshot({ path }).catch(() => {});
                await world.view.page.keyboard.press("Escape").catch(() => {});
                world.view.problems.length = 0;
            }
        }
        const judged = world.views.reduce((sum, view) => sum + view.judged, 0);
        tell(`${passed} passed, ${failed} failed; axe: ${judged} views`);
    } finally {
        await world.end();
    }
    return failed;
}

const browser = await launch();
console.log(`chromium ${browser.version()}`);
let failed = 0;
try {
    if (options.includes("--pictures")) {
        for (const scheme of ["light", "dark"]) {
            const world = new World(browser, scheme);
            try {
                await world.begin();
                await pictures(world);
            } finally {
                await world.end();
            }
        }
    } else {
        // Most of it is waiting, so that the one takes little from the other.
        const walks = ["light", "dark"].map((scheme) => walk(browser, scheme));
        failed = (await Promise.all(walks)).reduce((sum, one) => sum + one);
    }
} finally {
    await browser.close();
}
process.exit(failed ? 1 : 0);
