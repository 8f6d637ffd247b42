// The store in IndexedDB: one database for one outbox and its connection.
import type { Wire } from "./frames.js";
import { NOTHING_SAVED, type Entry, type Saved } from "./ledger.js";
import type { Store } from "./store.js";

const OUTBOX = "outbox";
const SESSION = "session";
const ONLY = "it";

const done = <T>(request: IDBRequest<T>) =>
    new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
    });

export class IndexedStore implements Store {
    private constructor(private readonly database: IDBDatabase) {}

    static async open(name: string): Promise<IndexedStore> {
        const request = indexedDB.open(name, 1);
        request.onupgradeneeded = () => {
            // Keys grow, and are never used again: their order is the order of sending.
            request.result.createObjectStore(OUTBOX, { autoIncrement: true });
            request.result.createObjectStore(SESSION);
        };
        return new IndexedStore(await done(request));
    }

    async load(): Promise<Saved> {
        const saved = await done<Saved | undefined>(this.database.transaction(SESSION).objectStore(SESSION).get(ONLY));
        return { ...NOTHING_SAVED, ...saved };
    }

    async add(frames: Wire[]): Promise<number[]> {
        const keys: number[] = [];
        await this.write([OUTBOX], ([outbox]) => {
            for (const frame of frames) {
                outbox!.add(frame).onsuccess = ({ target }) => keys.push((target as IDBRequest<number>).result);
            }
        });
        return keys;
    }

    read(after: number, countMax: number, bytesMax: number): Promise<Entry[]> {
        const range = IDBKeyRange.lowerBound(after, true);
        const request = this.database.transaction(OUTBOX).objectStore(OUTBOX).openCursor(range);
        const entries: Entry[] = [];
        let bytes = 0;
        return new Promise((resolve, reject) => {
            request.onerror = () => reject(request.error);
            request.onsuccess = () => {
                const cursor = request.result;
                if (!cursor || entries.length >= countMax || bytes >= bytesMax) return resolve(entries);
                entries.push({ key: cursor.key as number, frame: cursor.value });
                bytes += cursor.value.length;
                cursor.continue();
            };
        });
    }

    save(saved: Saved) {
        return this.write([SESSION, OUTBOX], ([session, outbox]) => {
            session!.put(saved, ONLY);
            outbox!.delete(IDBKeyRange.upperBound(saved.settled));
        });
    }

    clear() {
        return this.write([SESSION, OUTBOX], (stores) => stores.forEach((store) => store.clear()));
    }

    close() {
        this.database.close();
    }

    /** One transaction, on the disk when this resolves: what is on the wire must not be forgotten by a power cut. */
    private write(names: string[], change: (stores: IDBObjectStore[]) => void): Promise<void> {
        const transaction = this.database.transaction(names, "readwrite", { durability: "strict" });
        return new Promise((resolve, reject) => {
            transaction.oncomplete = () => resolve();
            transaction.onabort = () => reject(transaction.error);
            change(names.map((name) => transaction.objectStore(name)));
        });
    }
}
