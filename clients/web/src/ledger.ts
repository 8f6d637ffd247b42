// The numbers of one connection, which outlives its WebSockets: what the broker has not acknowledged, and what of the
// broker's the application has taken. No IO: `conversation.ts` acts on what this says.
import { WharfError } from "./errors.js";
import { connectFrame, sizeOf, type Wire } from "./frames.js";

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
    /** Number of the last message that the broker has acknowledged. The next entry of the store has the next number. */
    acknowledged: number;
    /** Key of the last entry that is done with. */
    settled: number;
    /** Every message of the broker up to this number is taken. */
    taken: number;
    /** Those above it that are taken as well. */
    ahead: number[];
}

export const NOTHING_SAVED: Saved = { name: "", acknowledged: 0, settled: 0, taken: 0, ahead: [] };

/** Entries kept in memory until they are acknowledged, as in the Rust client. MBWS-A15 */
const WINDOW_MAX = 4096;
const WINDOW_MAX_BYTES = 16 << 20;

/** Deliveries that the application may hold. No broker grants so much credit. */
const HELD_MAX = 1 << 17;

export class Ledger {
    readonly window: Entry[] = [];
    /** Key of the last entry of the store that was brought into the window. */
    loaded: number;
    /** Number of the last message written to the present WebSocket. */
    sent = 0;
    /** The broker may know messages up to this number. */
    maybeKnown: number;
    /** Number of the last message received on the present WebSocket, or resumed after. */
    private received = 0;
    /** Number of the last message given to the application. */
    private handed: number;
    private readonly ahead: Set<number>;
    private bytes = 0;
    /** What is out of the window, but not out of the store. */
    private dropped = { count: 0, bytes: 0 };
    /** What was saved last. */
    private stored: Saved;

    constructor(private readonly saved: Saved) {
        this.stored = { ...saved };
        this.loaded = saved.settled;
        this.handed = saved.taken;
        this.ahead = new Set(saved.ahead);
        // What an earlier page has sent is not known here.
        this.maybeKnown = saved.name ? Infinity : 0;
    }

    get name() {
        return this.saved.name;
    }

    get taken() {
        return this.saved.taken;
    }

    get acknowledged() {
        return this.saved.acknowledged;
    }

    get settled() {
        return this.saved.settled;
    }

    get highest() {
        return this.acknowledged + this.window.length;
    }

    get inFlight() {
        return this.sent - this.acknowledged;
    }

    save(): Saved {
        return { ...this.saved, ahead: [...this.ahead] };
    }

    /** Calls `store` with what is to be saved; resolves with that. */
    async saveTo(store: (saved: Saved) => Promise<void>): Promise<Saved> {
        const saved = this.save();
        const { count, bytes } = this.dropped;
        await store(saved);
        this.stored = saved;
        this.dropped.count -= count;
        this.dropped.bytes -= bytes;
        return saved;
    }

    /**
     * Entries and octets that there is room for. It is counted from what is saved: so a page that finds this in the
     * store loads at least what this page may have sent.
     */
    room(): { count: number; bytes: number } {
        const count = WINDOW_MAX - this.window.length - this.dropped.count;
        const bytes = WINDOW_MAX_BYTES - this.bytes - this.dropped.bytes;
        return count > 0 && bytes > 0 ? { count, bytes } : { count: 0, bytes: 0 };
    }

    load(entries: Entry[]) {
        for (const entry of entries) {
            this.window.push(entry);
            this.bytes += sizeOf(entry.frame);
            this.loaded = entry.key;
        }
    }

    /** The Connect of a WebSocket that has just opened. */
    // MBWS-010, MBWS-040, MBWS-041, MBWS-042, MBWS-A04
    opening(): string {
        if (!this.name) return connectFrame();
        // Not what was taken since: a page that does not know of that could not go on after this.
        this.received = this.stored.taken;
        return connectFrame(this.name, [this.received, this.acknowledged + 1, this.highest]);
    }

    /** What the broker's Connect means. After `resumed`, sending goes on behind what the broker has. */
    // MBWS-046, MBWS-050, MBWS-A08
    answered(name: string, numbers: number[]): "opened" | "refused" | { resumed: number } {
        const [sslr, ...more] = numbers;
        if (!name || more.length || (sslr !== undefined) !== (name === this.name)) {
            throw new WharfError("protocol", "an answer to Connect that fits neither connection");
        }
        if (sslr === undefined) return this.name ? "refused" : "opened";
        if (sslr < this.acknowledged || sslr > this.highest) {
            throw new WharfError("protocol", "resumed outside the window");
        }
        // MBWS-047: it has nothing beyond.
        this.sent = this.maybeKnown = sslr;
        return { resumed: sslr };
    }

    /** A new connection: numbers begin at 1 in both directions. What is in the window is sent on it. */
    // MBWS-031, MBWS-052
    restart(name: string) {
        Object.assign(this.saved, { name, acknowledged: 0, taken: 0 });
        this.ahead.clear();
        this.sent = this.maybeKnown = this.received = this.handed = 0;
        this.stored = { ...this.stored, taken: 0 };
    }

    /** What the broker may have stored without saying so. */
    get uncertain() {
        return Math.min(this.window.length, this.maybeKnown - this.acknowledged);
    }

    /** The next message to be written, which is then sent. */
    next(): Wire | undefined {
        const entry = this.window[this.inFlight];
        if (!entry) return undefined;
        this.sent += 1;
        this.maybeKnown = Math.max(this.maybeKnown, this.sent);
        return entry.frame;
    }

    /** The broker has taken responsibility for everything up to this number. Says whether that is news. */
    // MBWS-034, MBWS-A12
    release(upTo: number): boolean {
        if (upTo > this.sent) throw new WharfError("protocol", "an acknowledgement of what was not sent");
        const count = upTo - this.acknowledged;
        if (count <= 0) return false;
        this.drop(count);
        this.saved.acknowledged = upTo;
        return true;
    }

    /** Takes the first entries out of the window without a number for them. */
    drop(count: number): Entry[] {
        const gone = this.window.splice(0, count);
        for (const { key, frame } of gone) {
            const bytes = sizeOf(frame);
            this.bytes -= bytes;
            this.dropped.bytes += bytes;
            this.dropped.count += 1;
            this.saved.settled = key;
        }
        return gone;
    }

    /** Number of a message that came, or 0 if the application has had it. */
    // MBWS-026, MBWS-031
    deliver(): number {
        const seq = (this.received += 1);
        if (seq - this.taken > HELD_MAX) throw new WharfError("protocol", "more deliveries than credit");
        if (seq <= this.handed) return 0;
        this.handed = seq;
        return this.ahead.has(seq) ? 0 : seq;
    }

    /** The application has taken a message. */
    take(seq: number) {
        if (seq <= this.taken) return;
        this.ahead.add(seq);
        while (this.ahead.delete(this.taken + 1)) this.saved.taken += 1;
    }
}
