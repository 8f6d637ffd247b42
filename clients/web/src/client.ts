import { Conversation, type Arrived, type Audience } from "./conversation.js";
import { Delivery } from "./delivery.js";
import { WharfError } from "./errors.js";
import { messageFrame } from "./frames.js";
import { Inbox, type Deliveries, type Wish } from "./inbox.js";
import { settingsOf, type Options } from "./options.js";
import { Outbox } from "./outbox.js";
import type { Store } from "./store.js";
import { Tabs, type Note } from "./tabs.js";
import type {
    Body,
    LostDetail,
    ReceiveOptions,
    SendOptions,
    State,
    StateDetail,
    UnclaimedDetail,
} from "./types.js";
import { watch } from "./wake.js";

// MBWS-A25
const CONSUME = "wharf/consume";
const CANCEL = "wharf/cancel";
/** Nobody consumes this: to cancel it does nothing, but is answered. */
const HEARTBEAT = "wharf/heartbeat";
const isOpen = (state: State) => state === "open" || state === "recovered";
const closed = () => new WharfError("closed", "the client is closed");

/** Listen to `state`, `lost` and `unclaimed`; each event has its `detail`. */
export class Client extends EventTarget {
    private current: State = "connecting";
    private readonly outbox: Outbox;
    private readonly conversation: Conversation;
    private readonly tabs: Tabs | undefined;
    private readonly inboxes = new Map<string, Inbox>();
    private readonly unwatch: () => void;
    private leads = false;
    private closing: Promise<void> | undefined;
    private wasOpen = false;

    /** @internal Use `connect`. */
    constructor(
        url: string | URL,
        private readonly store: Store,
        name: string | undefined,
        private readonly options: Options,
    ) {
        super();
        const settings = settingsOf(url, options);
        this.outbox = new Outbox(store, () => {
            this.tabs?.tell({ added: true });
            if (this.leads) void this.conversation.fill();
        });
        this.conversation = new Conversation(store, settings, this.audience(settings.uncertain === "resend"));
        if (name !== undefined) {
            this.tabs = new Tabs(name, {
                noted: (note) => this.noted(note),
                lead: () => this.lead(),
                yielded: () => this.yielded(),
            });
        }
        this.unwatch = watch({ wake: () => this.wake(), sleep: () => void this.tabs?.yield() });
        options.signal?.addEventListener("abort", () => void this.close(), { once: true });
    }

    /** @internal */
    begin(): this {
        if (this.tabs) {
            this.tabs.tell({ hello: true });
            this.tabs.contend();
        } else {
            void this.lead();
        }
        if (this.options.signal?.aborted) void this.close();
        return this;
    }

    get state(): State {
        return this.current;
    }

    /** Whether this tab talks to the broker for all that share its outbox. */
    get isLeader(): boolean {
        return this.leads;
    }

    /** Messages of this page that the broker does not have yet. */
    get pending(): number {
        return this.outbox.size;
    }

    /**
     * Sends one message to one address or several. Resolves when the broker has stored it, however long and over
     * however many WebSockets that takes. Rejects with a `WharfError` if that will not be, or cannot be known.
     */
    send(address: string | string[], body: Body, { contentType, properties = [] }: SendOptions = {}): Promise<void> {
        if (this.closing) return Promise.reject(closed());
        if (this.outbox.size >= (this.options.outboxMax ?? 10_000)) {
            return Promise.reject(new WharfError("full", "too many messages wait for the broker"));
        }
        const isJson = typeof body === "object" && !(body instanceof ArrayBuffer) && !ArrayBuffer.isView(body);
        return this.outbox.add(
            messageFrame({
                addresses: [address].flat(),
                contentType: contentType ?? (isJson ? "application/json" : ""),
                properties: Array.isArray(properties) ? properties : Object.entries(properties),
                body: isJson ? JSON.stringify(body) : bodyOf(body as string | ArrayBuffer | ArrayBufferView),
            }),
        );
    }

    /**
     * The messages of an address, to be acknowledged one by one. Of all tabs that share an outbox the leader receives;
     * the others wait for their turn. What is unread when the iteration ends stays here for the next `receive`.
     */
    receive(address: string, { credit = 32, subscription, signal }: ReceiveOptions = {}): Deliveries {
        if (this.closing) throw closed();
        const inbox = this.inbox(address);
        if (inbox.wish) throw new TypeError(`${address} is being received already`);
        const wish = { address, credit, subscription };
        inbox.begin(wish);
        if (this.leads) this.ask(CONSUME, wish);
        const stop = () => {
            signal?.removeEventListener("abort", stop);
            if (inbox.wish !== wish) return;
            inbox.end();
            if (this.leads) this.ask(CANCEL, wish);
        };
        signal?.addEventListener("abort", stop);
        if (signal?.aborted) stop();
        const deliveries: Deliveries = {
            next: () => inbox.next(wish),
            async return() {
                stop();
                return { done: true, value: undefined };
            },
            [Symbol.asyncIterator]: () => deliveries,
        };
        return deliveries;
    }

    /** Resolves when the broker has everything that was sent here. */
    drain(): Promise<void> {
        return this.outbox.drained();
    }

    /**
     * Brings out what is unsent and closes. Without `persist` that ends the connection: what was received and not
     * acknowledged goes back to its address. With it, the next client goes on with all of that, unless it is to
     * `forget`: then the leader ends the connection and empties the outbox.
     */
    close({ forget = false } = {}): Promise<void> {
        this.closing ??= this.shut(forget);
        return this.closing;
    }

    [Symbol.asyncDispose](): Promise<void> {
        return this.close();
    }

    private inbox(address: string): Inbox {
        let inbox = this.inboxes.get(address);
        if (!inbox) this.inboxes.set(address, (inbox = new Inbox()));
        return inbox;
    }

    /** A wish is a message like any other: numbered, kept, and answered. */
    private ask(to: string, { address, credit, subscription }: Wish) {
        const properties: [string, string][] = [["address", address]];
        if (credit) properties.push(["credit", String(credit)]);
        if (subscription) properties.push(["subscription", subscription]);
        const frame = messageFrame({ addresses: [to], contentType: "", properties, body: "" });
        this.outbox.add(frame).catch((error: WharfError) => {
            if (error.code === "refused") this.inboxes.get(address)?.end(error);
        });
    }

    private askAll() {
        for (const { wish } of this.inboxes.values()) if (wish) this.ask(CONSUME, wish);
    }

    private async lead() {
        this.leads = true;
        this.askAll();
        await this.conversation.start();
    }

    private async yielded() {
        this.leads = false;
        await this.conversation.stop();
    }

    private wake() {
        if (this.closing) return;
        this.tabs?.contend();
        if (this.leads) this.conversation.wake();
        else this.tabs?.tell({ hello: true });
    }

    private noted(note: Note) {
        if ("added" in note && this.leads) void this.conversation.fill();
        else if ("hello" in note && this.leads) this.tabs?.tell({ state: this.current });
        else if ("settled" in note) this.outbox.settle(note.settled);
        else if ("failed" in note) this.outbox.fail(note.failed, new WharfError(note.code, note.message));
        else if ("state" in note && !this.leads) this.enter(note.state as State, {}, false);
    }

    private enter(state: State, detail: Partial<StateDetail> = {}, isOurs = true) {
        if (this.current === "closed") return;
        this.current = state;
        this.wasOpen ||= isOpen(state);
        if (isOurs) this.tabs?.tell({ state });
        this.emit<StateDetail>("state", { state, ...detail });
    }

    private emit<T>(name: string, detail: T) {
        this.dispatchEvent(new CustomEvent(name, { detail }));
    }

    private audience(resent: boolean): Audience {
        return {
            open: (state) => this.enter(state),
            waiting: (detail) => this.enter(this.wasOpen ? "recovering" : "connecting", detail),
            delivered: (arrived) => this.delivered(arrived),
            settled: (key) => {
                this.outbox.settle(key);
                this.tabs?.tell({ settled: key });
            },
            failed: (key, { code, message }) => {
                this.outbox.fail(key, new WharfError(code, message));
                this.tabs?.tell({ failed: key, code, message });
            },
            blamed: (reason) => this.blamed(reason),
            renewed: () => this.inboxes.forEach((inbox) => inbox.forget()),
            lost: (uncertain) => {
                this.enter("lost");
                this.askAll();
                const ours = uncertain.filter(({ addresses }) => !addresses[0]?.startsWith("wharf/"));
                this.emit<LostDetail>("lost", { uncertain: ours, resent });
            },
            probe: (isAwake) => {
                const receives = [...this.inboxes.values()].some(({ wish }) => wish);
                if (isAwake || receives) this.ask(CANCEL, { address: HEARTBEAT, credit: 0 });
            },
            ended: (error) => void (this.closing ??= this.shut(false, error)),
        };
    }

    private delivered({ content, seq, name }: Arrived) {
        const { generation } = this.conversation;
        const address = content.addresses[0]!;
        const inbox = this.inbox(address);
        inbox.push(new Delivery(content, `${name}/${seq}`, () => this.conversation.take(seq, generation)));
        if (!inbox.wish) this.emit<UnclaimedDetail>("unclaimed", { address, count: inbox.count });
    }

    /** The broker says what it refuses: "why: address", cut off after 123 octets. */
    private blamed(reason: string): boolean {
        const named = reason.slice(reason.indexOf(": ") + 2);
        for (const [address, inbox] of this.inboxes) {
            const isIt = reason.length < 100 ? address === named : address.startsWith(named.slice(0, 60));
            if (!inbox.wish || !isIt) continue;
            inbox.end(new WharfError("refused", reason));
            return true;
        }
        return false;
    }

    private async shut(forget: boolean, error?: WharfError) {
        const { closeTimeoutMs = 5000, persist } = this.options;
        for (const inbox of this.inboxes.values()) inbox.end(error);
        if (!error && (!persist || isOpen(this.current))) await within(closeTimeoutMs, this.outbox.drained());
        if (this.leads && (!persist || forget)) {
            await this.conversation.finish(error ? 0 : closeTimeoutMs);
            if (forget) await this.store.clear();
        }
        this.outbox.end(error ?? closed());
        this.unwatch();
        // Without the last word: the tabs that stay have a leader of their own now.
        await (this.tabs ? this.tabs.yield() : this.yielded());
        this.enter("closed", error ? { error } : {}, false);
        this.tabs?.close();
        this.store.close();
    }
}

/** Resolves when the promise does, or after this time. */
function within(ms: number, promise: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
        const timer = setTimeout(resolve, ms);
        void promise.then(() => {
            clearTimeout(timer);
            resolve();
        });
    });
}

/** A body as a frame carries it. */
function bodyOf(body: string | ArrayBuffer | ArrayBufferView): string | Uint8Array {
    if (typeof body === "string") return body;
    return body instanceof ArrayBuffer
        ? new Uint8Array(body)
        : new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
}
