// console.js, pasted into the console of the broker's own page: sent, on disk, received.
import { readFile } from "node:fs/promises";
import { browse, check } from "./chromium.mjs";

const { WHARF_URL, WHARF_USER: username, WHARF_PASSWORD: password } = process.env;
const host = new URL(WHARF_URL).host;
const pasted = await readFile(new URL("../examples/javascript/console.js", import.meta.url), "utf8");

await browse(async (open, context) => {
    const page = await context.newPage();
    const said = [];
    page.on("console", (message) => said.push(message.text()));
    await page.goto(`http://${host}/login`);
    await page.evaluate(pasted.replace("127.0.0.1:8080", host));
    const end = Date.now() + 10_000;
    while (said.length < 2 && Date.now() < end) await page.waitForTimeout(50);
    check(said.some((text) => /^on disk: 2 1 $/.test(text)), `the page said: ${said}`);
    check(said.some((text) => /^received: 3 1 6 orders.*hello$/.test(text)), `the page said: ${said}`);
}, { httpCredentials: { username, password } });
