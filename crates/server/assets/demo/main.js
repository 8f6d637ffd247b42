// The page: one topic, three panes on it, one of which sends; and what all of them have seen.

import { Amqp } from "./amqp.js";
import { Mbws } from "./mbws.js";
import { Pane, digits } from "./pane.js";
import { random } from "./wire.js";
import { Xmpp } from "./xmpp.js";

const TICK_MS = 50;
const DRAW_MS = 200;
/** No wire is cut and nothing comes any more: what is not here by then is lost. */
const SILENCE_MS = 10_000;
const CUTTING_MS = 1500;
const ALONE = {
    text: "No wire at all. Is the broker running? The panes wait for it.",
    kind: "gone",
};

const $ = (selector) => document.querySelector(selector);
const show = (selector, text) => {
    const element = $(selector);
    if (element.textContent !== text) element.textContent = text;
};

// Below `topic/`, so that each pane has a subscription of its own.
const address = `topic/demo/${random()}`;
const panes = [
    new Pane(Mbws, "mbws", address, "1", changed),
    new Pane(Xmpp, "xmpp", address, "2", changed),
    new Pane(Amqp, "amqp", address, "3", changed),
];

/** off, starting, sending, settling. */
let stage = "off";
let hasBegun = false;
let owed = 0;
let tickedAt = 0;
/** What all have seen together, and when that last changed. */
let seen = "";
let seenAt = 0;
let said = { text: $("#verdict").textContent, kind: "" };
let broker = null;
let restarts = 0;

const total = (what) => panes.reduce((sum, { tally }) => sum + tally[what], 0);
const sender = () => panes.find((pane) => pane.sender.checked);

/** The browser asks its user for a login on behalf of a page, and uses it for WebSockets too. */
async function logIn() {
    const answer = await fetch("/login", { redirect: "manual" });
    if (answer.status === 401) throw new Error("the broker wants a login");
    if (answer.type !== "opaqueredirect" && !answer.ok) throw new Error(`HTTP ${answer.status}`);
}

async function start() {
    enter("starting");
    try {
        await logIn();
    } catch (error) {
        enter("off");
        return verdict(`Not started: ${error.message}.`, "bad");
    }
    if (!hasBegun) panes.forEach((pane) => pane.begin());
    hasBegun = true;
}

function enter(next) {
    stage = next;
    document.body.dataset.stage = next;
    $("#start").textContent = next === "off" || next === "settling" ? "Start" : "Stop";
    tickedAt = performance.now();
    owed = 0;
    if (next === "starting") verdict("Connecting and subscribing…");
    if (next === "sending") verdict("Sending. Now cut a wire, or kill the broker.");
    if (next === "settling") verdict("Stopped; the rest is on its way…");
}

function verdict(text, kind = "") {
    said = { text, kind };
    draw();
}

function tick() {
    const time = performance.now();
    if (stage === "starting" && panes.every((pane) => pane.isSubscribed)) enter("sending");
    if (stage === "sending") send(time);
    if (stage === "settling") settle(time);
    tickedAt = time;
}

/** As many as are due since the last tick; a page that was asleep does not catch up. */
function send(time) {
    const rate = Number($("#rate").value);
    owed = Math.min(rate, owed + ((time - tickedAt) * rate) / 1000);
    for (; owed >= 1; owed -= 1) sender().sendNext();
}

/** Whether everything is where it should be, or never will be. */
function settle(time) {
    const now = JSON.stringify(panes.map(({ isUp, tally }) => [isUp, tally]));
    if (now !== seen || panes.some((pane) => !pane.isUp)) [seen, seenAt] = [now, time];
    const [sent, confirmed] = [total("sent"), total("confirmed")];
    const lost = Math.max(missingNow(), total("lost"));
    const isWhole = sent === confirmed && lost === 0;
    if (!isWhole && time - seenAt < SILENCE_MS) return;
    enter("off");
    const twice = total("duplicated");
    const [all, onDisk] = [sent, confirmed].map(digits.format);
    if (isWhole && twice === 0) {
        const word = "confirmed as on disk and read by all three panes";
        return verdict(`${onDisk} of ${all} ${word}: nothing lost, nothing duplicated.`, "good");
    }
    const found = `${digits.format(lost)} lost and ${digits.format(twice)} duplicated`;
    verdict(`${onDisk} of ${all} confirmed as on disk; the panes count ${found}.`, "bad");
}

function missingNow() {
    const of = (reader) => (count, { name, tally }) =>
        count + reader.tally.missingOf(name, tally.confirmed);
    return panes.reduce((count, reader) => panes.reduce(of(reader), count), 0);
}

function draw() {
    panes.forEach((pane) => pane.draw());
    show("#confirmed", digits.format(total("confirmed")));
    for (const what of ["lost", "duplicated"]) {
        show(`#${what}`, digits.format(total(what)));
        $(`#${what}`).classList.toggle("alarm", total(what) > 0);
    }
    show("#cuts", digits.format(panes.reduce((sum, pane) => sum + pane.cuts, 0)));
    show("#restarts", broker ? digits.format(restarts) : "–");
    const isAlone = stage !== "starting" && hasBegun && panes.every((pane) => !pane.isUp);
    const { text, kind } = isAlone ? ALONE : said;
    show("#verdict", text);
    $("#verdict").className = kind;
}

/** A wire came or went: perhaps the broker is another process by now. */
async function changed() {
    if (panes.some((pane) => !pane.isUp)) return;
    const answer = await fetch("/api/v1/overview").catch(() => null);
    // Not everybody may know.
    if (!answer?.ok) return;
    const { pid, version } = await answer.json();
    if (broker && broker !== pid) restarts += 1;
    broker = pid;
    show("#kill", `kill -9 ${pid}`);
    show("#version", `Wharf ${version}`);
}

function cutOne() {
    const up = panes.filter((pane) => pane.isUp);
    if ($("#cutting").checked && stage === "sending" && up.length) {
        up[Math.floor(Math.random() * up.length)].cut();
    }
}

const cutAll = () => panes.forEach((pane) => pane.cut());

show("#address", address);
panes[0].sender.checked = true;
$("#start").onclick = () => (stage === "off" || stage === "settling" ? start() : enter("settling"));
$("#cut-all").onclick = cutAll;
$("#copy").onclick = () => navigator.clipboard?.writeText($("#kill").textContent);
addEventListener("keydown", ({ key, target, repeat, ctrlKey, altKey, metaKey }) => {
    if (repeat || ctrlKey || altKey || metaKey || target.matches("select")) return;
    if (key === "0") cutAll();
    else panes[Number(key) - 1]?.cut();
});
// Whoever leaves says so: nothing is to be kept for a page that does not come back.
addEventListener("pagehide", () => hasBegun && panes.forEach((pane) => pane.end()));
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
setInterval(tick, TICK_MS);
setInterval(draw, DRAW_MS);
setInterval(cutOne, CUTTING_MS);
enter("off");
