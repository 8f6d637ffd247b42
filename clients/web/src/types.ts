// What an application says and hears. The build leaves every name in this file as it is.

/**
 * - `closed`: the client was closed before this was done.
 * - `uncertain`: the connection is gone for good; the broker may have stored the message, or not.
 * - `refused`: the broker closes the connection over this message or wish; `message` says why.
 * - `full`: too many messages wait for the broker.
 * - `unauthorized`: the broker does not accept these credentials, or not this page.
 * - `taken-over`: another client goes on with this connection.
 * - `protocol`: the broker broke the protocol.
 * - `storage`: IndexedDB or Web Locks failed, or are not there.
 */
export type ErrorCode =
    | "closed"
    | "uncertain"
    | "refused"
    | "full"
    | "unauthorized"
    | "taken-over"
    | "protocol"
    | "storage";

/** Everything that this client fails with. */
export class WharfError extends Error {
    override name = "WharfError";

    constructor(
        readonly code: ErrorCode,
        message: string = code,
    ) {
        super(message);
    }
}

/**
 * - `connecting`: no WebSocket was open yet; what is sent waits.
 * - `open`: messages flow, on a new connection.
 * - `recovering`: the WebSocket was lost; another one is being opened, what is sent waits.
 * - `recovered`: messages flow again, on the connection of before: nothing lost, nothing twice.
 * - `lost`: the connection could not be recovered; `open` follows on a new one.
 * - `closed`: by `close`, or by an error that another attempt would meet again.
 */
export type State = "connecting" | "open" | "recovering" | "recovered" | "lost" | "closed";

/** What an event `state` tells. */
export interface StateDetail {
    state: State;
    /** Failed attempts in a row, the time to the next one, and why there is no WebSocket. */
    attempt?: number;
    pauseMs?: number;
    reason?: string;
    /** Why the client is closed, if not by `close`. */
    error?: WharfError | undefined;
}

/** What an event `lost` tells: what becomes of messages that the broker may have, or not. */
export interface LostDetail {
    uncertain: Content[];
    /** They are sent again, and may come twice; else their `send` was rejected. */
    resent: boolean;
}

/** What an event `unclaimed` tells: messages have come that nobody here receives. */
export interface UnclaimedDetail {
    address: string;
    count: number;
}

/** The name and the value of a property. Names may repeat. */
export type Property = [name: string, value: string];

/** A message with its metadata. A body of text travels as text, one of octets as octets. */
export interface Content {
    addresses: string[];
    contentType: string;
    properties: Property[];
    body: string | Uint8Array;
}

/** Text, octets, or what JSON can say. */
export type Body = string | ArrayBuffer | ArrayBufferView | object | null;

export interface SendOptions {
    /** The MIME type of the body. `application/json` by itself for objects. */
    contentType?: string;
    properties?: Record<string, string> | Property[];
}

export interface ReceiveOptions {
    /** How many messages may be unacknowledged at once. 32. */
    credit?: number;
    /** Of a topic: the name of a durable subscription. Without it, one that ends with the connection. */
    subscription?: string;
    /** Ends the iteration. */
    signal?: AbortSignal;
}

/** A message that came. */
export interface Delivery {
    /** The address that it came from. */
    readonly address: string;
    readonly contentType: string;
    /** In their order; names may repeat. */
    readonly properties: Property[];
    /** Text if it was sent as text, else octets. */
    readonly body: string | Uint8Array;
    /** The same over reloads, for as long as the connection is recovered: tells a repetition. */
    readonly id: string;
    text(): string;
    json<T = unknown>(): T;
    bytes(): Uint8Array;
    /** The first property of this name. */
    property(name: string): string | undefined;
    /**
     * The message is dealt with and never comes again; with `persist`, not to a later page either. Resolves with
     * `false` if it does come again, since its connection was lost meanwhile.
     */
    ack(): Promise<boolean>;
}

/** Ends with the client, by `return` (which a `break` calls), or by the signal. */
export interface Deliveries extends AsyncIterableIterator<Delivery> {
    return(): Promise<IteratorResult<Delivery>>;
}

/** Events and their details. */
export interface ClientEvents {
    state: CustomEvent<StateDetail>;
    lost: CustomEvent<LostDetail>;
    unclaimed: CustomEvent<UnclaimedDetail>;
}

export interface Client extends EventTarget {
    readonly state: State;
    /** Whether this tab talks to the broker for all that share its outbox. */
    readonly isLeader: boolean;
    /** Messages of this page that the broker does not have yet. */
    readonly pending: number;
    /**
     * Sends one message to one address or several. Resolves when the broker has stored it, however long and over
     * however many WebSockets that takes. Rejects with a `WharfError` if that will not be, or cannot be known.
     */
    send(address: string | string[], body: Body, options?: SendOptions): Promise<void>;
    /**
     * The messages of an address, to be acknowledged one by one. Of all tabs that share an outbox the leader receives;
     * the others wait for their turn. What is unread when the iteration ends waits for the next `receive`.
     */
    receive(address: string, options?: ReceiveOptions): Deliveries;
    /** Resolves when nothing that was sent here waits any more. */
    drain(): Promise<void>;
    /**
     * Brings out what is unsent and closes. Without `persist` that ends the connection: what was received and not
     * acknowledged goes back to its address. With it, the next client goes on with all of that, unless it is to
     * `forget`: then the leader ends the connection and empties the outbox.
     */
    close(options?: { forget?: boolean }): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
    addEventListener<K extends keyof ClientEvents>(
        type: K,
        listener: (event: ClientEvents[K]) => void,
        options?: boolean | AddEventListenerOptions,
    ): void;
    addEventListener(
        type: string,
        listener: EventListenerOrEventListenerObject | null,
        options?: boolean | AddEventListenerOptions,
    ): void;
}

export interface Options {
    /**
     * `NAME:PASSWORD`, or a bearer token (of the broker or of an issuer that it trusts), or what gives one of them
     * before each WebSocket. The former becomes the user information of the URL, which browsers and `ws` turn into
     * HTTP Basic; the latter is offered as a subprotocol. Not needed where the browser is logged in already (`/login`).
     */
    token?: string | (() => string | Promise<string>);
    /**
     * Keeps what is unsent, and the connection, beyond this page: `true`, or the name of an outbox of its own (one for
     * each user of the page, say), in IndexedDB. Or a store of your own, which nobody else may use at the same time.
     * Without it, both last as long as the client.
     */
    persist?: boolean | string | Store;
    /**
     * What becomes of messages that the broker may have stored, or not, when a connection could not be recovered:
     * `resend` may double them, `reject` may lose them and says so. By default `resend` with `persist`, since nobody
     * may be left to be told, else `reject`.
     */
    uncertain?: "resend" | "reject";
    /** Closes the client. */
    signal?: AbortSignal;
    /** Where there is no global one (node 20): that of the package `ws`. */
    WebSocket?: SocketClass;
    /** Messages of this page that may wait for the broker; `send` rejects above. 10,000. */
    outboxMax?: number;
    /** Time for the broker to answer what it must answer; then another WebSocket is opened. 20,000. */
    answerTimeoutMs?: number;
    /** Silence after which a client that receives makes sure that the broker is there. 60,000; 0 for never. */
    heartbeatMs?: number;
    /** The first pause before another WebSocket is at most so long; the next ones double. 500. */
    retryFirstMs?: number;
    /** No pause is longer, unless the broker asks for it. 30,000. */
    retryMaxMs?: number;
    /** Time for `close` to bring out what is unsent. 5,000. */
    closeTimeoutMs?: number;
}

/** What is needed of a WebSocket: the browser's, node's, or that of the package `ws`. */
export interface Socket {
    binaryType: string;
    readonly bufferedAmount: number;
    onopen: ((event: never) => void) | null;
    onmessage: ((event: never) => void) | null;
    onerror: ((event: never) => void) | null;
    onclose: ((event: never) => void) | null;
    send(data: string | Uint8Array): void;
    close(code?: number): void;
}

export type SocketClass = new (url: string, protocols: string[]) => Socket;

/** A frame as it is sent: text or octets. */
export type Wire = string | Uint8Array;

/** A message as it waits in the store. Keys grow in the order of sending. */
export interface Entry {
    key: number;
    frame: Wire;
}

/** What is needed to go on after the page is gone. */
// MBWS-012, MBWS-021
export interface Saved {
    /** The connection; empty before there is one. */
    name: string;
    /** Number of the last message that the broker has. The next entry of the store has the next number. */
    acknowledged: number;
    /** Key of the last entry that is done with. */
    settled: number;
    /** Every message of the broker up to this number is taken. */
    taken: number;
    /** Those above it that are taken as well. */
    ahead: number[];
}

/** Where messages wait until the broker has them. One writer of `save` at a time; several may `add`. */
export interface Store {
    load(): Promise<Saved | undefined>;
    /** Keeps frames, in this order. Resolves with their keys when they are safe. */
    add(frames: Wire[]): Promise<number[]>;
    /** Hands over the entries after a key, in order, for as long as `take` asks for more. */
    read(after: number, take: (entry: Entry) => boolean): Promise<void>;
    /** Keeps `saved`, and forgets every entry up to its `settled`, both or neither. Without it, forgets all. */
    save(saved?: Saved): Promise<void>;
    close(): void;
}
