// Debian's chromium, as every test of the console has it.
import { chromium } from "playwright-core";

const FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run"];

export const launch = () =>
    chromium.launch({ executablePath: "/usr/bin/chromium", args: FLAGS });

/** Kills the processes that pages live in, as the system does when it is short of memory. */
export async function killPages(browser) {
    const session = await browser.newBrowserCDPSession();
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    for (const { type, id } of processInfo) {
        if (type === "renderer") process.kill(id, "SIGKILL");
    }
    await session.detach();
}
