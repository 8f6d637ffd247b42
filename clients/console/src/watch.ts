// The broker at a glance, as it tells it once a second, and what it was in the last minutes. Whenever it
// tells nothing, because the wire is cut or this user may not hear it, it is asked.
import { batch, signal } from "@preact/signals";
import { asProblem, call, type Problem } from "./api/call.ts";
import { isStranger } from "./api/login.ts";
import { hear } from "./bus.ts";
import type { Overview } from "./api/operations.ts";

const EVERY_MS = 1000;
/** Without a word for so long, it is asked. */
const SILENT_MS = 2500;
/** After an answer that will be the same next time. */
const REFUSED_EVERY_MS = 15_000;
export const KEPT_S = 900;

/** What is counted from the start of the process, and shown as so many a second. */
export const RATES = {
    received: "messages_received_total",
    delivered: "messages_delivered_total",
    acknowledged: "messages_acknowledged_total",
    redelivered: "messages_redelivered_total",
    journal: "store_frames_bytes_total",
    frames: "store_frames_total",
} as const satisfies Record<string, keyof Overview>;

/** What is shown as it is. */
export const LEVELS = {
    messages: "messages",
    connections: "connections",
    sessions: "sessions",
    waiting: "sessions_resumable",
} as const satisfies Record<string, keyof Overview>;

export type Line = keyof typeof RATES | keyof typeof LEVELS;
const LINES = [...Object.keys(RATES), ...Object.keys(LEVELS)] as Line[];

/** The last answer. */
export const overview = signal<Overview | null>(null);
/** Why there is no newer one. */
export const unanswered = signal<Problem | null>(null);
/** Counts the answers, for those who draw them. */
export const beat = signal(0);

/** Seconds since 1970, and the values of each line then; `null` where nothing is known. */
export const times: number[] = [];
export const values = Object.fromEntries(LINES.map((line) => [line, []])) as unknown as Record<
    Line,
    (number | null)[]
>;

function note(at: number, next: Partial<Record<Line, number | null>>) {
    times.push(at);
    for (const line of LINES) values[line].push(next[line] ?? null);
    const old = times.findIndex((time) => time >= at - KEPT_S);
    times.splice(0, old);
    for (const line of LINES) values[line].splice(0, old);
    beat.value += 1;
}

/** What the next rates are counted from. */
let before: Overview | null = null;
/** How far the clock of this page is ahead of the broker's, as far as is known. */
let ahead_ms = Infinity;

function took(now: Overview) {
    const isSame = before?.started_at_ms === now.started_at_ms;
    // What is told late was shown already.
    if (before && isSame && now.uptime_ms <= before.uptime_ms) return;
    if (before && now.started_at_ms < before.started_at_ms) return;
    const at_ms = now.started_at_ms + now.uptime_ms;
    ahead_ms = Math.min(isSame ? ahead_ms : Infinity, Date.now() - at_ms);
    const next: Partial<Record<Line, number | null>> = {};
    for (const [line, field] of Object.entries(LEVELS)) next[line as Line] = now[field];
    // Another process counts from nothing.
    if (before && isSame) {
        const seconds = (now.uptime_ms - before.uptime_ms) / 1000;
        for (const [line, field] of Object.entries(RATES)) {
            next[line as Line] = seconds > 0 ? (now[field] - before[field]) / seconds : null;
        }
    }
    before = now;
    note((at_ms + ahead_ms) / 1000, next);
    batch(() => {
        overview.value = now;
        unanswered.value = null;
    });
}

/** A gap in the lines, not a line through it. */
function interrupted() {
    if (before) note(Date.now() / 1000, {});
    before = null;
}

let timer: ReturnType<typeof setTimeout>;
let isAsking = false;

async function ask() {
    if (isAsking) return;
    isAsking = true;
    let pause = EVERY_MS;
    try {
        took(await call("getOverview", {}));
        unanswered.value = null;
    } catch (error) {
        const problem = asProblem(error);
        interrupted();
        unanswered.value = problem;
        if (problem.status >= 400 && problem.status < 500) pause = REFUSED_EVERY_MS;
    }
    isAsking = false;
    clearTimeout(timer);
    // Nobody is asked for a login again and again.
    if (!isStranger.value) timer = setTimeout(again, pause);
}

let heardAt_ms = -Infinity;
const isSilent = () => performance.now() - heardAt_ms > SILENT_MS;

function again() {
    if (document.hidden) return;
    if (isSilent()) void ask();
    else timer = setTimeout(again, EVERY_MS);
}

let stop: (() => void) | undefined;

/** Begins, or asks at once. */
export function watch() {
    void ask();
    stop ??= hear("overview", (now) => {
        heardAt_ms = performance.now();
        took(now);
    });
}

document.addEventListener("visibilitychange", () => {
    if (document.hidden || !overview.value || !isSilent()) return;
    // What happened meanwhile would be one long second, and a dent in the picture.
    interrupted();
    void ask();
});
