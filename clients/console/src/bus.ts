// What the broker tells by itself: its topics `$wharf/…`, over one MBWS connection of this page. A wire that is
// cut is taken up again, and what was told meanwhile comes then.
import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { connect, type Client, type Options } from "../../web/src/index.ts";
import { isStranger, login, whoami } from "./api/login.ts";
import type { AuditEntry, ConnectionEvent, LogEntry, Missed, Overview } from "./api/operations.ts";
import { token, Wire } from "./left.ts";

/** What each topic tells. */
export interface Told {
    overview: Overview;
    connections: ConnectionEvent | Missed;
    audit: AuditEntry | Missed;
    logs: LogEntry | Missed;
}
export type Topic = keyof Told;
type Tell = (entry: never) => void;

const RETRY_MS = 15_000;
const CREDIT = 200;

const listeners = new Map<Topic, Set<Tell>>();
let client: Promise<Client> | undefined;

function open(): Promise<Client> {
    client ??= connect(new URL("/ws?tag=console", location.href), {
        ...token(),
        WebSocket: Wire as unknown as NonNullable<Options["WebSocket"]>,
    });
    return client;
}

function close(former = client) {
    if (client === former) client = undefined;
    void former?.then((one) => one.close());
}

/** Whether this user may hear the topic: to ask for another would end the connection of all. */
const may = (topic: Topic) => whoami.value?.reads.includes(topic) ?? false;

async function listen(topic: Topic, signal: AbortSignal) {
    while (!signal.aborted) {
        const used = may(topic) ? open() : undefined;
        try {
            if (used) await hearAll(await used, topic, signal);
        } catch {
            // The client is closed: the login is over, or the broker is not what it was.
            close(used);
        }
        if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
}

async function hearAll(one: Client, topic: Topic, signal: AbortSignal) {
    for await (const delivery of one.receive(`$wharf/${topic}`, { credit: CREDIT, signal })) {
        const entry = delivery.json() as never;
        for (const tell of listeners.get(topic) ?? []) tell(entry);
        void delivery.ack();
    }
}

const stops = new Map<Topic, AbortController>();

/** Hears a topic, if this user may, until the function that it gives is called. */
export function hear<T extends Topic>(topic: T, tell: (entry: Told[T]) => void): () => void {
    const all = listeners.get(topic) ?? new Set<Tell>();
    listeners.set(topic, all);
    all.add(tell as Tell);
    if (all.size === 1) {
        const stop = new AbortController();
        stops.set(topic, stop);
        void listen(topic, stop.signal);
    }
    return () => {
        all.delete(tell as Tell);
        if (all.size === 0) stops.get(topic)?.abort();
    };
}

/** The same for as long as a part of a page is there. */
export function useHear<T extends Topic>(
    topic: T | undefined,
    tell: (entry: Told[T]) => void,
) {
    const latest = useRef(tell);
    latest.current = tell;
    useEffect(() => (topic ? hear(topic, (entry) => latest.current(entry)) : undefined), [topic]);
}

// Somebody else hears with a connection of their own.
effect(() => {
    void [login.value, whoami.value?.user];
    if (isStranger.value || client) close();
});
