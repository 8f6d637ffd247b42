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
    const code = await new Promise((resolve) => bench.once("exit", resolve));
    const stored = /^stored .*: ([\d,]+) msg\/s[^\n]*\n *p50 ([\d.]+) (\S+), p99 ([\d.]+) (\S+),/m.exec(text);
    if (code !== 0 || !stored) throw new Error(`wharf bench ended with ${code}: ${text}`);
    return {
        perSecond: Number(stored[1].replaceAll(",", "")),
        p99: `${stored[4]} ${stored[5]}`,
        cpu: ((taken(broker.process.pid) - before) * 1e6) / (2 * messages),
    };
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** One pass of each: without a browser, beside pages that are open, and beside pages that are hammered. */
async function pass(broker, number) {
    const results = { without: await load(broker) };
    const browser = await launch();
    const { processInfo } = await (await browser.newBrowserCDPSession()).send("SystemInfo.getProcessInfo");
    for (const { id } of processInfo) await bind(id, cores);
    try {
        const pages = await open(browser, broker.host);
        results.open = await load(broker);
        const hammering = hammer(pages, broker.host);
        results.hammered = await load(broker);
        results.hammered.actions = await hammering.stop();
    } finally {
        await browser.close();
    }
    for (const [name, { perSecond, cpu, actions }] of Object.entries(results)) {
        const did = actions === undefined ? "" : `, ${actions} actions`;
        console.error(`pass ${number} ${name}: ${perSecond} msg/s, ${cpu.toFixed(2)} us${did}`);
    }
    return results;
}

const broker = new Broker(binary);
await broker.begin();
try {
    await bind(broker.process.pid, 0);
    await bind(process.pid, cores);
    await crowd(broker.host, addresses);
    await ask(broker.host, "PUT", "/addresses/topic%2Fnews", { kind: "topic" });
    await load(broker);
    const all = [];
    for (let number = 1; number <= passes; number += 1) all.push(await pass(broker, number));
    console.log("| console | messages/s | / without, median (lowest to highest) | broker CPU us/message |");
    console.log("|---|--:|--:|--:|");
    for (const name of ["without", "open", "hammered"]) {
        // Each beside its neighbour in time: a slow minute slows both.
        const ratios = all.map((one) => one[name].perSecond / one.without.perSecond).sort((a, b) => a - b);
        const perSecond = Math.round(median(all.map((one) => one[name].perSecond)));
        const shown = [median(ratios), ratios[0], ratios.at(-1)].map((ratio) => ratio.toFixed(3));
        const cpu = median(all.map((one) => one[name].cpu)).toFixed(2);
        const range = `${shown[0]} (${shown[1]} to ${shown[2]})`;
        console.log(`| ${name} | ${perSecond.toLocaleString("en")} | ${range} | ${cpu} |`);
    }
} finally {
    await broker.stop();
}
