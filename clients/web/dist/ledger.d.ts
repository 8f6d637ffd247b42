import { type Wire } from "./frames.js";
/** A message as it waits in the store. Keys grow in the order of sending. */
export interface Entry {
    key: number;
    frame: Wire;
}
/** What is needed to go on after the page is gone. */
export interface Saved {
    /** The connection; empty before there is one. */
    name: string;
    /** Number of the last message that the broker has acknowledged. The next entry of the store has the next number. */
    acknowledged: number;
    /** Key of the last entry that is done with. */
    settled: number;
    /** Every message of the broker up to this number is taken. */
    taken: number;
    /** Those above it that are taken as well. */
    ahead: number[];
}
export declare const NOTHING_SAVED: Saved;
export declare class Ledger {
    private readonly saved;
    readonly window: Entry[];
    /** Key of the last entry of the store that was brought into the window. */
    loaded: number;
    /** Number of the last message written to the present WebSocket. */
    sent: number;
    /** The broker may know messages up to this number. */
    maybeKnown: number;
    /** Number of the last message received on the present WebSocket, or resumed after. */
    private received;
    /** Number of the last message given to the application. */
    private handed;
    private readonly ahead;
    private bytes;
    /** What is out of the window, but not out of the store. */
    private dropped;
    /** What was saved last. */
    private stored;
    constructor(saved: Saved);
    get name(): string;
    get taken(): number;
    get acknowledged(): number;
    get settled(): number;
    get highest(): number;
    get inFlight(): number;
    save(): Saved;
    /** Calls `store` with what is to be saved; resolves with that. */
    saveTo(store: (saved: Saved) => Promise<void>): Promise<Saved>;
    /**
     * Entries and octets that there is room for. It is counted from what is saved: so a page that finds this in the
     * store loads at least what this page may have sent.
     */
    room(): {
        count: number;
        bytes: number;
    };
    load(entries: Entry[]): void;
    /** The Connect of a WebSocket that has just opened. */
    opening(): string;
    /** What the broker's Connect means. After `resumed`, sending goes on behind what the broker has. */
    answered(name: string, numbers: number[]): "opened" | "refused" | {
        resumed: number;
    };
    /** A new connection: numbers begin at 1 in both directions. What is in the window is sent on it. */
    restart(name: string): void;
    /** What the broker may have stored without saying so. */
    get uncertain(): number;
    /** The next message to be written, which is then sent. */
    next(): Wire | undefined;
    /** The broker has taken responsibility for everything up to this number. Says whether that is news. */
    release(upTo: number): boolean;
    /** Takes the first entries out of the window without a number for them. */
    drop(count: number): Entry[];
    /** Number of a message that came, or 0 if the application has had it. */
    deliver(): number;
    /** The application has taken a message. */
    take(seq: number): void;
}
