// Pages of the console that are open, and what a restless operator does with them.
import { ADMIN } from "../../clients/console/test/broker.mjs";

const PATHS = [
    "",
    "addresses",
    "addresses?sort=messages_ready&order=desc",
    "addresses?pattern=device%2F**",
    "addresses?pattern=99",
    "addresses/localhost/device%2F000000%2Fin",
    "connections",
    "sessions",
    "users",
    "policies",
    "configuration",
    "audit",
];

/** Three pages: the overview, the addresses, and a topic that is listened to. */
export async function open(browser, host) {
    const [username, password] = ADMIN;
    const context = await browser.newContext({ httpCredentials: { username, password } });
    const pages = [];
    for (const path of ["", "addresses", "addresses/localhost/topic%2Fnews?tab=live"]) {
        const page = await context.newPage();
        await page.goto(`http://${host}/console/#/${path}`);
        await page.locator("h1").first().waitFor();
        pages.push(page);
    }
    return pages;
}

/** All pages at once go from one place to the next, as soon as it shows something, and are reloaded. */
export function hammer(pages) {
    let isOver = false;
    let actions = 0;
    const restless = async (page, first) => {
        for (let at = first; !isOver; at += 1) {
            const path = PATHS[at % PATHS.length];
            if (at % 5 === 0) await page.reload();
            await page.evaluate((path) => (location.hash = `#/${path}`), path);
            await page.waitForFunction(() => !/Loading…/.test(document.body.textContent));
            actions += 1;
        }
    };
    const all = Promise.all(pages.map((page, at) => restless(page, at * 4)));
    return {
        async stop() {
            isOver = true;
            await all;
            return actions;
        },
    };
}
