// What the broker tells by itself: its topics `$wharf/…`, over one MBWS connection of this page. A wire that is
// cut is taken up again, and what was told meanwhile comes then.
import { computed, effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { connect, type Client, type Options } from "../../web/src/index.ts";
import { call } from "./api/call.ts";
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

/** Topics that are read. What is read is acknowledged, whether a part of the page wants it or not: one message that
 * is not would hold up all behind it. */
const read = new Set<Topic>();
const isWanted = (topic: Topic) => (listeners.get(topic)?.size ?? 0) > 0;

async function listen(topic: Topic) {
    read.add(topic);
    while (isWanted(topic)) {
        const used = may(topic) ? open() : undefined;
        try {
            if (used) await hearAll(await used, topic);
        } catch {
            // The client is closed: the login is over, the right is gone, or the broker is not what it was.
            close(used);
            whoami.value = await call("getWhoami", {}).catch(() => whoami.value);
        }
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
    read.delete(topic);
}

async function hearAll(one: Client, topic: Topic) {
    for await (const delivery of one.receive(`$wharf/${topic}`, { credit: CREDIT })) {
        const entry = delivery.json() as never;
        for (const tell of listeners.get(topic) ?? []) tell(entry);
        void delivery.ack();
    }
}

/** Hears a topic, if this user may, until the function that it gives is called. */
export function hear<T extends Topic>(topic: T, tell: (entry: Told[T]) => void): () => void {
    const all = listeners.get(topic) ?? new Set<Tell>();
    listeners.set(topic, all);
    all.add(tell as Tell);
    if (!read.has(topic)) void listen(topic);
    return () => all.delete(tell as Tell);
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
const user = computed(() => whoami.value?.user);
effect(() => {
    void [login.value, user.value];
    if (isStranger.value || client) close();
});
