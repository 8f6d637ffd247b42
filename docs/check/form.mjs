// form.html: submitted while the broker is dead, closed, opened again when it lives: once each.
import { execFileSync } from "node:child_process";
import { browse, check } from "./chromium.mjs";

const broker = (verb) => execFileSync("broker.sh", [verb], { stdio: ["ignore", "ignore", "inherit"] });
const status = (page, text) =>
    page.waitForFunction((wanted) => document.querySelector("output").value.includes(wanted), text);

async function submit(page, lift) {
    await page.fill("[name=lift]", lift);
    await page.fill("[name=note]", "rope worn");
    await page.click("button");
}

await browse(async (open) => {
    const first = await open("form.html");
    await submit(first, "A");
    await status(first, "0 not at");
    broker("kill");
    await submit(first, "B");
    await submit(first, "C");
    await status(first, "2 not at");
    await first.close();
    // Nobody is there but the page's server.
    const second = await open("form.html");
    await submit(second, "D");
    await second.waitForFunction(() => document.querySelector("output").value !== "");
    await second.close();
    broker("start");
    const third = await open("form.html");
    await status(third, "0 not at");
    // The page counts what it has sent itself: what earlier ones left is seen at the broker.
    const args = ["receive", "inspections", "-n", "4", "--timeout", "60"];
    const got = execFileSync("wharf", args, { encoding: "utf8" });
    const lifts = got.trim().split("\n").map((line) => JSON.parse(line).lift);
    check(lifts.join("") === "ABCD", `the broker has ${lifts}`);
});
const left = JSON.parse(execFileSync("wharf", ["address", "list", "-o", "json"], { encoding: "utf8" }));
const { messages_ready: more } = left.find(({ name }) => name === "inspections");
check(more === 0, `${more} came twice`);
