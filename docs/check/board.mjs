// board.html: jobs made in one page are seen in another to be done by the worker, to their end.
import { browse, check } from "./chromium.mjs";

const JOBS = 5;
const rows = (page) => page.$$eval("li", (items) => items.map((item) => item.textContent));

await browse(async (open) => {
    const page = await open("board.html");
    await page.waitForSelector("button:not([disabled])");
    for (let made = 0; made < JOBS; made += 1) await page.click("button");
    await page.waitForFunction((count) => {
        const done = [...document.querySelectorAll("li")].filter((row) => row.textContent.endsWith("done"));
        return done.length === count;
    }, JOBS);
    const texts = await rows(page);
    check(texts.length === JOBS && new Set(texts).size === JOBS, `rows: ${texts}`);
});
