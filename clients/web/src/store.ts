// Where messages wait until the broker has them, and what a connection goes on with.
import { sizeOf, type Wire } from "./frames.js";
import { NOTHING_SAVED, type Entry, type Saved } from "./ledger.js";

/** One writer of `save` at a time; `add` may come from several tabs. */
export interface Store {
    load(): Promise<Saved>;
    /** Keeps frames, in this order. Resolves with their keys when they are safe. */
    add(frames: Wire[]): Promise<number[]>;
    /** The entries after a key, in order, until they are so many, or have so many octets. */
    read(after: number, countMax: number, bytesMax: number): Promise<Entry[]>;
    /** Keeps `saved`, and forgets every entry up to `saved.settled`, both or neither. */
    save(saved: Saved): Promise<void>;
    /** Forgets everything. */
    clear(): Promise<void>;
    close(): void;
}

/** Lasts as long as the page or process. */
export class MemoryStore implements Store {
    private saved = NOTHING_SAVED;
    private entries: Entry[] = [];
    private key = 0;

    async load() {
        return { ...this.saved };
    }

    async add(frames: Wire[]) {
        return frames.map((frame) => {
            this.entries.push({ key: (this.key += 1), frame });
            return this.key;
        });
    }

    async read(after: number, countMax: number, bytesMax: number) {
        // Keys have no gaps here.
        const first = Math.max(0, after + 1 - (this.entries[0]?.key ?? 0));
        const last = Math.min(first + countMax, this.entries.length);
        let end = first;
        for (let bytes = 0; bytes < bytesMax && end < last; end += 1) {
            bytes += sizeOf(this.entries[end]!.frame);
        }
        return this.entries.slice(first, end);
    }

    async save(saved: Saved) {
        this.saved = saved;
        this.entries.splice(0, saved.settled + 1 - (this.entries[0]?.key ?? Infinity));
    }

    async clear() {
        this.entries = [];
        this.saved = { ...NOTHING_SAVED, settled: this.key };
    }

    close() {}
}
