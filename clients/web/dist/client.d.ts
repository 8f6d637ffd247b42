import { type Deliveries } from "./inbox.js";
import type { Body, ReceiveOptions, SendOptions, State } from "./types.js";
/** Listen to `state`, `lost` and `unclaimed`; each event has its `detail`. */
export declare class Client extends EventTarget {
    private readonly store;
    private readonly options;
    private current;
    private readonly outbox;
    private readonly conversation;
    private readonly tabs;
    private readonly inboxes;
    private readonly unwatch;
    private leads;
    private closing;
    private wasOpen;
    get state(): State;
    /** Whether this tab talks to the broker for all that share its outbox. */
    get isLeader(): boolean;
    /** Messages of this page that the broker does not have yet. */
    get pending(): number;
    /**
     * Sends one message to one address or several. Resolves when the broker has stored it, however long and over
     * however many WebSockets that takes. Rejects with a `WharfError` if that will not be, or cannot be known.
     */
    send(address: string | string[], body: Body, { contentType, properties }?: SendOptions): Promise<void>;
    /**
     * The messages of an address, to be acknowledged one by one. Of all tabs that share an outbox the leader receives;
     * the others wait for their turn. What is unread when the iteration ends stays here for the next `receive`.
     */
    receive(address: string, { credit, subscription, signal }?: ReceiveOptions): Deliveries;
    /** Resolves when the broker has everything that was sent here. */
    drain(): Promise<void>;
    /**
     * Brings out what is unsent and closes. Without `persist` that ends the connection: what was received and not
     * acknowledged goes back to its address. With it, the next client goes on with all of that, unless it is to
     * `forget`: then the leader ends the connection and empties the outbox.
     */
    close({ forget }?: {
        forget?: boolean | undefined;
    }): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
    private inbox;
    /** A wish is a message like any other: numbered, kept, and answered. */
    private ask;
    private askAll;
    private lead;
    private yielded;
    private wake;
    private noted;
    private enter;
    private emit;
    private audience;
    private delivered;
    /** The broker says what it refuses: "why: address", cut off after 123 octets. */
    private blamed;
    private shut;
}
