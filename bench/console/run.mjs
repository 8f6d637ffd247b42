// See run.sh, which has the settings.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { ADMIN, ask, Broker } from "../../clients/console/test/broker.mjs";
import { launch } from "../../clients/console/test/chromium.mjs";
import { crowd } from "../../clients/console/test/world.mjs";
import { hammer, open } from "./hammer.mjs";

const binary = process.argv[2];
const setting = (name, value) => Number(process.env[name] ?? value);
const passes = setting("PASSES", 7);
const messages = setting("MESSAGES", 400_000);
const rate = setting("RATE", 0);
const addresses = setting("ADDRESSES", 100_000);
const cores = setting("CORES", 1);
const TICKS_A_SECOND = 100;

const processors = (first) => `${first}-${first + cores - 1}`;

/** Binds a process with all its threads, and what it starts from now on. */
async function bind(pid, first) {
    if (cores === 0) return;
    const bound = spawn("taskset", ["-acp", processors(first), String(pid)], { stdio: "ignore" });
    await new Promise((resolve) => bound.once("exit", resolve));
}

/** Seconds of processor time that a process has taken. */
function taken(pid) {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
    return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

/** One run of the load: messages stored in a second, and the broker's processor time. */
async function load(broker) {
    const before = taken(broker.process.pid);
    const flags = ["--url", `ws://${broker.host}/ws`, "--user", ADMIN[0]];
    flags.push("--messages", String(messages), "--rate", String(rate));
    const bound = cores ? ["taskset", "-c", processors(0)] : [];
    const [program, ...rest] = [...bound, binary, "bench", ...flags];
    const env = { ...process.env, WHARF_PASSWORD: ADMIN[1] };
    const bench = spawn(program, rest, { env, stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    bench.stdout.on("data", (chunk) => (text += chunk));
    const code = await new Promise((resolve) => {
        bench.once("close", (code, signal) => resolve(code ?? signal));
    });
    const stored = /^stored .*: ([\d,]+) msg\/s[^\n]*\n *p50 ([\d.]+) (\S+), p99 ([\d.]+) (\S+),/m.exec(text);
    if (code !== 0 || !stored) throw new Error(`wharf bench ended with ${code}: ${text}`);
    return {
        perSecond: Number(stored[1].replaceAll(",", "")),
        p99: `${stored[4]} ${stored[5]}`,
        cpu: ((taken(broker.process.pid) - before) * 1e6) / (2 * messages),
    };
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** What the browser does meanwhile: pages that are open, or pages that are hammered. */
const DOINGS = ["open", "hammered"];

/** One run of the load beside a browser that shows the console of this broker, or of the other one. */
async function beside(broker, shown, doing) {
    const browser = await launch();
    try {
        const session = await browser.newBrowserCDPSession();
        const { processInfo } = await session.send("SystemInfo.getProcessInfo");
        for (const { id } of processInfo) await bind(id, cores);
        const pages = await open(browser, shown.host);
        const hammering = doing === "hammered" ? hammer(pages) : undefined;
        const result = await load(broker);
        return { ...result, actions: await hammering?.stop() };
    } finally {
        await browser.close();
    }
}

/** One run of each; what is compared follows one another, in either order. */
async function pass(broker, other, number) {
    const results = {};
    for (const doing of DOINGS) {
        const both = [["here", broker], ["elsewhere", other]];
        if (number % 2) both.reverse();
        for (const [where, shown] of both) {
            const result = await beside(broker, shown, doing);
            results[`${doing} ${where}`] = result;
            const { perSecond, cpu, p99, actions = 0 } = result;
            const did = `${perSecond} msg/s, p99 ${p99}, ${cpu.toFixed(2)} us, ${actions} actions`;
            console.error(`pass ${number}, ${doing} ${where}: ${did}`);
        }
    }
    return results;
}

function table(all) {
    console.log("| console | messages/s | / elsewhere, median (lowest to highest) | broker CPU us/message |");
    console.log("|---|--:|--:|--:|");
    for (const doing of DOINGS) {
        for (const where of ["elsewhere", "here"]) {
            const of = (name) => all.map((one) => one[`${doing} ${where}`][name]);
            // Each beside its neighbour in time: a slow minute slows both.
            const ratios = all
                .map((one) => one[`${doing} ${where}`].perSecond / one[`${doing} elsewhere`].perSecond)
                .sort((a, b) => a - b);
            const shown = [median(ratios), ratios[0], ratios.at(-1)].map((ratio) => ratio.toFixed(3));
            const range = where === "here" ? `${shown[0]} (${shown[1]} to ${shown[2]})` : "1";
            const perSecond = Math.round(median(of("perSecond"))).toLocaleString("en");
            const cpu = median(of("cpu")).toFixed(2);
            console.log(`| ${doing}, ${where} | ${perSecond} | ${range} | ${cpu} |`);
        }
    }
}

const broker = new Broker(binary);
const other = new Broker(binary);
try {
    for (const one of [broker, other]) {
        await one.begin();
        await bind(one.process.pid, one === broker ? 0 : cores);
        await crowd(one.host, addresses);
        await ask(one.host, "PUT", "/addresses/topic%2Fnews", { kind: "topic" });
    }
    await bind(process.pid, cores);
    await load(broker);
    const all = [];
    for (let number = 1; number <= passes; number += 1) all.push(await pass(broker, other, number));
    table(all);
} finally {
    await broker.stop();
    await other.stop();
}
