// What the application holds: sends, iterations and events, over the session of this tab or of the one that leads.
import { messageFrame, utf8 } from "./frames.js";
import { makeOutbox } from "./outbox.js";
import { makeSession } from "./session.js";
import { joinTabs, type Note } from "./tabs.js";
import { within } from "./turns.js";
import {
    WharfError,
    type Body,
    type Client,
    type Content,
    type Deliveries,
    type Delivery,
    type Options,
    type ReceiveOptions,
    type Saved,
    type SendOptions,
    type State,
    type StateDetail,
    type Store,
} from "./types.js";

// MBWS-A25
const CONSUME = "wharf/consume";
const CANCEL = "wharf/cancel";
/** Nobody consumes this: to cancel it does nothing, but is answered. */
const HEARTBEAT = "wharf/heartbeat";
/** The broker cuts the reason of a close off after 123 octets. */
const REASON_WHOLE = 100;

/** What comes from one address. */
interface Inbox {
    /** Came and was not read. The broker sends no more than its credit. */
    unread: Delivery[];
    reader?: Reader | undefined;
}

/** One iteration. */
interface Reader {
    /** Asks the broker for messages, or for no more. */
    ask(to: string): void;
    /** Gives what there is to whoever waits for it. */
    pump(): void;
    end(error?: WharfError): void;
}

/** A body as a frame carries it. */
function bodyOf(body: Body): string | Uint8Array {
    if (typeof body === "string") return body;
    if (body instanceof ArrayBuffer) return new Uint8Array(body);
    if (!ArrayBuffer.isView(body)) return JSON.stringify(body);
    return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
}

const isJson = (body: Body) =>
    typeof body === "object" && !(body instanceof ArrayBuffer) && !ArrayBuffer.isView(body);

function deliveryOf(
    { addresses, contentType, properties, body }: Content,
    id: string,
    ack: () => Promise<boolean>,
): Delivery {
    const text = () => (typeof body === "string" ? body : new TextDecoder().decode(body));
    return {
        address: addresses[0]!,
        contentType,
        properties,
        body,
        id,
        text,
        json: () => JSON.parse(text()),
        bytes: () => (typeof body === "string" ? utf8.encode(body) : body),
        property: (name) => properties.find(([known]) => known === name)?.[1],
        ack,
    };
}

/** `name` is that of the outbox which tabs share; undefined if they share none. */
export function makeClient(
    url: string | URL,
    options: Options,
    store: Store,
    name?: string,
): Client {
    const { persist, signal, outboxMax = 10_000, closeTimeoutMs = 5000 } = options;
    const isResent = (options.uncertain ?? (persist ? "resend" : "reject")) === "resend";
    const inboxes = new Map<string, Inbox>();
    const watching = new AbortController();
    let state: State = "connecting";
    let wasOpen = false;
    let leads = false;
    let closing: Promise<void> | undefined;

    const isOpen = () => state === "open" || state === "recovered";
    const closed = () => new WharfError("closed");
    const emit = (type: string, detail: object) =>
        client.dispatchEvent(new CustomEvent(type, { detail }));

    const enter = (next: State, detail?: Partial<StateDetail>, isOurs = true) => {
        if (state === "closed") return;
        state = next;
        wasOpen ||= isOpen();
        if (isOurs) tabs?.tell({ state });
        emit("state", { state, ...detail });
    };

    const inboxOf = (address: string) => {
        let inbox = inboxes.get(address);
        if (!inbox) inboxes.set(address, (inbox = { unread: [] }));
        return inbox;
    };
    const readers = () => [...inboxes.values()].flatMap(({ reader }) => reader ?? []);
    const askAll = () => readers().forEach((reader) => reader.ask(CONSUME));

    /** A wish is a message like any other: numbered, kept, and answered. */
    const wish = (to: string, wishes: Record<string, string | number | undefined>) => {
        const properties = Object.entries(wishes)
            .filter(([, value]) => value)
            .map(([key, value]): [string, string] => [key, String(value)]);
        return outbox.add(
            messageFrame({ addresses: [to], contentType: "", properties, body: "" }),
        );
    };

    const receive = (
        address: string,
        { credit = 32, subscription, signal }: ReceiveOptions = {},
    ): Deliveries => {
        if (closing) throw closed();
        const inbox = inboxOf(address);
        if (inbox.reader) throw new TypeError(`${address} is being received already`);
        type Waiter = [(result: IteratorResult<Delivery>) => void, (error: WharfError) => void];
        const waiting: Waiter[] = [];
        let failure: WharfError | undefined;
        const reader: Reader = {
            ask(to) {
                if (!leads) return;
                wish(to, { address, credit, subscription }).catch((error: WharfError) => {
                    if (error.code === "refused") reader.end(error);
                });
            },
            pump() {
                const isOver = inbox.reader !== reader;
                while (waiting.length && (isOver || inbox.unread.length)) {
                    const [resolve, reject] = waiting.shift()!;
                    if (failure) reject(failure);
                    else if (isOver) resolve({ done: true, value: undefined });
                    else resolve({ done: false, value: inbox.unread.shift()! });
                }
            },
            end(error) {
                if (inbox.reader !== reader) return;
                inbox.reader = undefined;
                failure = error;
                signal?.removeEventListener("abort", stop);
                reader.pump();
            },
        };
        const stop = () => {
            if (inbox.reader !== reader) return;
            reader.end();
            reader.ask(CANCEL);
        };
        inbox.reader = reader;
        reader.ask(CONSUME);
        signal?.addEventListener("abort", stop);
        if (signal?.aborted) stop();
        const deliveries: Deliveries = {
            next: () =>
                new Promise((...waiter) => {
                    waiting.push(waiter);
                    reader.pump();
                }),
            async return() {
                stop();
                return { done: true, value: undefined };
            },
            [Symbol.asyncIterator]: () => deliveries,
        };
        return deliveries;
    };

    const settled = (key: number, error?: WharfError) => {
        outbox.settle(key, error);
        tabs?.tell({ settled: key, code: error?.code, message: error?.message });
    };

    const delivered = (content: Content, seq: number, of: Saved) => {
        const address = content.addresses[0]!;
        const inbox = inboxOf(address);
        inbox.unread.push(
            deliveryOf(content, `${of.name}/${seq}`, () => session.take(seq, of)),
        );
        if (inbox.reader) inbox.reader.pump();
        else emit("unclaimed", { address, count: inbox.unread.length });
    };

    /** The broker says what it refuses: "why: address". */
    const blamed = (reason: string) => {
        for (const [address, { reader }] of inboxes) {
            const isIt =
                reason.length < REASON_WHOLE
                    ? reason.endsWith(`: ${address}`)
                    : reason.includes(address.slice(0, 60));
            if (!reader || !isIt) continue;
            reader.end(new WharfError("refused", reason));
            return true;
        }
        return false;
    };

    const outbox = makeOutbox(store, () => {
        tabs?.tell({ isNew: true });
        if (leads) void session.sync();
    });

    const session = makeSession(url, options, store, isResent, {
        entered: enter,
        waiting: (detail) => enter(wasOpen ? "recovering" : "connecting", detail),
        delivered,
        settled,
        blamed,
        // What came on a connection that is gone comes again.
        renewed: () => inboxes.forEach((inbox) => (inbox.unread = [])),
        lost(uncertain) {
            enter("lost");
            askAll();
            const isOurs = ({ addresses: [address] }: Content) => !address?.startsWith("wharf/");
            emit("lost", { uncertain: uncertain.filter(isOurs), resent: isResent });
        },
        silent(isAwake) {
            if (isAwake || readers().length) void wish(CANCEL, { address: HEARTBEAT }).catch(() => {});
        },
        ended: (error) => void (closing ??= shut(false, error)),
    });

    const lead = async () => {
        leads = true;
        askAll();
        await session.start();
    };
    const yielded = async () => {
        leads = false;
        await session.stop();
    };
    const noted = ({ isNew, isHello, settled, code, message, state: theirs }: Note) => {
        if (settled) outbox.settle(settled, code && new WharfError(code, message));
        if (isNew && leads) void session.sync();
        if (isHello && leads) tabs!.tell({ state });
        if (theirs && theirs !== state && !leads) enter(theirs, {}, false);
    };
    const tabs = name === undefined ? undefined : joinTabs(name, noted, lead, yielded);

    const wake = () => {
        if (closing) return;
        tabs?.contend();
        if (leads) session.wake();
        else tabs?.tell({ isHello: true });
    };
    const sleep = () => void tabs?.yield();
    const life: Record<string, (event: Event) => void> = {
        online: wake,
        pageshow: wake,
        resume: wake,
        visibilitychange: () => document.hidden || wake(),
        freeze: sleep,
        pagehide: (event) => (event as PageTransitionEvent).persisted && sleep(),
    };
    for (const [type, listener] of Object.entries(life)) {
        // Not all of them bubble up from the document.
        const how = { capture: true, signal: watching.signal };
        globalThis.addEventListener?.(type, listener, how);
    }

    const shut = async (forget: boolean, error?: WharfError) => {
        for (const reader of readers()) reader.end(error);
        if (!error && (!persist || isOpen())) await within(closeTimeoutMs, outbox.drain());
        if (leads && (!persist || forget)) {
            await session.finish(error ? 0 : closeTimeoutMs);
            if (forget) await store.save();
        }
        outbox.end(error ?? closed());
        watching.abort();
        // Without the last word: the tabs that stay have a leader of their own now.
        await (tabs ? tabs.yield() : yielded());
        enter("closed", { error }, false);
        tabs?.close();
        store.close();
    };
    const close = ({ forget = false } = {}) => (closing ??= shut(forget));

    const client = new (class extends EventTarget {
        get state() {
            return state;
        }
        get isLeader() {
            return leads;
        }
        get pending() {
            return outbox.size();
        }
        async send(
            address: string | string[],
            body: Body,
            { contentType, properties = [] }: SendOptions = {},
        ) {
            if (closing) throw closed();
            if (outbox.size() >= outboxMax) throw new WharfError("full");
            const frame = messageFrame({
                addresses: [address].flat(),
                contentType: contentType ?? (isJson(body) ? "application/json" : ""),
                properties: Array.isArray(properties) ? properties : Object.entries(properties),
                body: bodyOf(body),
            });
            return outbox.add(frame);
        }
        receive = receive;
        drain = outbox.drain;
        close = close;
        [Symbol.asyncDispose] = close;
    })() as Client;

    signal?.addEventListener("abort", () => void close());
    if (tabs) {
        tabs.tell({ isHello: true });
        tabs.contend();
    } else void lead();
    if (signal?.aborted) void close();
    return client;
}
