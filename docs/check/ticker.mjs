// ticker.html: twenty pages see each price that is published while they look.
import { execFileSync } from "node:child_process";
import { browse } from "./chromium.mjs";

const PAGES = 20;
const example = (...prices) =>
    execFileSync("node", ["publish.mjs", ...prices], { cwd: "docs/examples/javascript" });
const shows = (page, wanted) =>
    page.waitForFunction((text) => document.querySelector("dl").textContent === text, wanted);

await browse(async (open) => {
    const pages = await Promise.all(Array.from({ length: PAGES }, () => open("ticker.html")));
    for (const page of pages) await page.waitForFunction(() => document.title === "Prices: open");
    // An open WebSocket consumes already: its address was in the request.
    example("tea=4", "rope=12");
    for (const page of pages) await shows(page, "tea4rope12");
    example("tea=5");
    for (const page of pages) await shows(page, "tea5rope12");
});
