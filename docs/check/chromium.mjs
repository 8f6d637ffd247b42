// A chromium for the pages of the examples, with a profile that lasts as long as the check.
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(new URL("../../conformance/browser/package.json", import.meta.url));
const { chromium } = require("playwright-core");
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"];

export const pages = `http://127.0.0.1:${process.env.PORT}`;

export async function browse(body, more = {}) {
    const profile = await mkdtemp(join(process.env.PLAYGROUND, "profile-"));
    const options = { executablePath: "/usr/bin/chromium", headless: true, args: FLAGS, ...more };
    const context = await chromium.launchPersistentContext(profile, options);
    const open = async (name) => {
        const page = await context.newPage();
        page.on("pageerror", (error) => console.error("page:", error));
        page.on("console", (message) => console.error("page:", message.text()));
        await page.goto(`${pages}/${name}`);
        return page;
    };
    try {
        await body(open, context);
    } finally {
        await context.close();
        await rm(profile, { recursive: true, force: true });
    }
}

export function check(holds, what) {
    if (!holds) throw new Error(what);
}
