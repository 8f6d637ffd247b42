import type { Wire } from "./frames.js";
import { type Entry, type Saved } from "./ledger.js";
import type { Store } from "./store.js";
export declare class IndexedStore implements Store {
    private readonly database;
    private constructor();
    static open(name: string): Promise<IndexedStore>;
    load(): Promise<Saved>;
    add(frames: Wire[]): Promise<number[]>;
    read(after: number, countMax: number, bytesMax: number): Promise<Entry[]>;
    save(saved: Saved): Promise<void>;
    clear(): Promise<void>;
    close(): void;
    /** One transaction, on the disk when this resolves: what is on the wire must not be forgotten by a power cut. */
    private write;
}
