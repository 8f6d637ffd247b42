// Asks the management API.
import { signal } from "@preact/signals";
import { authorization, isStranger, login, type Login } from "./login.ts";
import { OPERATIONS, type Code, type Operations } from "./operations.ts";

const BASE = "/api/v1";
/** The broker gives up after 60 s. */
const TIMEOUT_MS = 65_000;

export type Name = keyof Operations;
type Part<P, K extends string> = P extends undefined
    ? { [key in K]?: undefined }
    : keyof P extends never
      ? { [key in K]?: undefined }
      : { [key in K]: P };

/** Counts what was changed from here, for those who show what there is. */
export const changes = signal(0);

/** What an operation is asked with. */
export type Asked<N extends Name> = Part<Operations[N]["path"], "path"> &
    (Operations[N]["body"] extends undefined
        ? { body?: undefined }
        : { body: Operations[N]["body"] }) & {
        query?: Operations[N]["query"];
        /** Only if it is still what it was when it had this ETag. */
        ifMatch?: string | null;
        signal?: AbortSignal;
    };

/** Why something could not be had: what the API says, or what came in its place. */
export class Problem extends Error {
    constructor(
        readonly title: string,
        readonly detail: string,
        readonly code: Code | "unreachable" | "strange" = "strange",
        readonly status = 0,
    ) {
        super(detail);
    }
}

export const asProblem = (thrown: unknown): Problem =>
    thrown instanceof Problem ? thrown : new Problem("The console has failed", String(thrown));

export interface Answer<N extends Name> {
    value: Operations[N]["gives"];
    etag: string | null;
}

/** Asks, and gives what the answer holds. Throws a `Problem`, or why the signal was aborted. */
export async function call<N extends Name>(
    name: N,
    asked: Asked<N>,
): Promise<Operations[N]["gives"]> {
    return (await exchange(name, asked)).value;
}

/** The same with the ETag; and as somebody else, if it says so. */
export async function exchange<N extends Name>(
    name: N,
    asked: Asked<N>,
    who: Login | null = login.value,
): Promise<Answer<N>> {
    if (isAway) await waitForRecovery();
    const [method, path] = OPERATIONS[name];
    const response = await send(`${BASE}${filled(path, asked.path)}${queryOf(asked.query)}`, {
        method,
        headers: headersOf(asked, who),
        // With a login of its own the page asks without the browser's, which would come first.
        credentials: who ? "omit" : "same-origin",
        cache: "no-store",
        signal: withTimeout(asked.signal),
        body: asked.body === undefined ? null : JSON.stringify(asked.body),
    });
    if (!response.ok) {
        const problem = await problemOf(response);
        if (problem.code === "not-authenticated") await judge(who);
        throw problem;
    }
    if (method !== "GET") changes.value += 1;
    const value = response.status === 204 ? undefined : await response.json();
    return { value: value as Operations[N]["gives"], etag: response.headers.get("ETag") };
}

/** Whether the broker could not be reached the last time. */
let isAway = false;

/**
 * A broker that recovers its journal knows nobody yet, and would take whoever asks for a stranger.
 * Whether it does, it says to everybody.
 */
async function waitForRecovery() {
    const response = await send("/readyz", { cache: "no-store" });
    isAway = !response.ok && (await response.text()).startsWith("starting");
    if (!isAway) return;
    throw new Problem("The broker is starting", "It recovers its journal.", "unreachable");
}

/** What is to be made of an answer that says that nobody is known by this login. */
async function judge(who: Login | null) {
    await waitForRecovery();
    if (who === login.value) isStranger.value = true;
}

async function send(url: string, options: RequestInit): Promise<Response> {
    try {
        return await fetch(url, options);
    } catch (error) {
        const { name } = error as Error;
        if (name === "AbortError") throw error;
        const why =
            name === "TimeoutError"
                ? "It did not answer in time."
                : "It is not running, is starting, or the network is down.";
        isAway = true;
        throw new Problem("The broker cannot be reached", why, "unreachable");
    }
}

function withTimeout(signal: AbortSignal | undefined): AbortSignal {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    return signal ? AbortSignal.any([signal, timeout]) : timeout;
}

function filled(path: string, values: Record<string, string> = {}): string {
    return path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(values[name] ?? ""));
}

function queryOf(query: object = {}): string {
    const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
    const parameters = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
    return given.length ? `?${parameters}` : "";
}

function headersOf(
    { body, ifMatch }: { body?: unknown; ifMatch?: string | null },
    who: Login | null,
): Headers {
    const headers = new Headers({ Accept: "application/json" });
    const authorized = authorization(who);
    if (authorized) headers.set("Authorization", authorized);
    if (body !== undefined) headers.set("Content-Type", "application/json");
    if (ifMatch) headers.set("If-Match", ifMatch);
    return headers;
}

async function problemOf(response: Response): Promise<Problem> {
    const { status } = response;
    if (response.headers.get("Content-Type")?.startsWith("application/problem+json")) {
        const { title, detail, code } = await response.json();
        return new Problem(title, detail, code, status);
    }
    // Something between here and the broker.
    const text = (await response.text()).slice(0, 200).trim();
    return new Problem(`Status ${status}`, text || response.statusText, "strange", status);
}
