import { type Wire } from "./frames.js";
import { type Entry, type Saved } from "./ledger.js";
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
export declare class MemoryStore implements Store {
    private saved;
    private entries;
    private key;
    load(): Promise<{
        name: string;
        acknowledged: number;
        settled: number;
        taken: number;
        ahead: number[];
    }>;
    add(frames: Wire[]): Promise<number[]>;
    read(after: number, countMax: number, bytesMax: number): Promise<Entry[]>;
    save(saved: Saved): Promise<void>;
    clear(): Promise<void>;
    close(): void;
}
