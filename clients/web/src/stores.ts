// The stores there are: memory, and IndexedDB.
import type { Entry, Saved, Store } from "./types.js";

/** Lasts as long as the client, whose window keeps what it has read: it is not read twice. */
export function memoryStore(): Store {
    const entries: Entry[] = [];
    let key = 0;
    return {
        async load() {
            return undefined;
        },
        async add(frames) {
            return frames.map((frame) => entries.push({ key: (key += 1), frame }) && key);
        },
        async read(_after, take) {
            while (entries.length && take(entries.shift()!));
        },
        async save() {},
        close() {},
    };
}

const OUTBOX = "outbox";
const SESSION = "session";
const ONLY = "it";

/** One database for one outbox and its connection. */
export async function indexedStore(name: string): Promise<Store> {
    const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const request = indexedDB.open(name, 1);
        request.onupgradeneeded = () => {
            // Keys grow, and are never used again: their order is the order of sending.
            request.result.createObjectStore(OUTBOX, { autoIncrement: true });
            request.result.createObjectStore(SESSION);
        };
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
    });
    /** One transaction, on the disk when this resolves: a power cut must not unsay what was said to the broker. */
    const transact = (
        mode: IDBTransactionMode,
        work: (outbox: IDBObjectStore, session: IDBObjectStore) => void,
    ) =>
        new Promise<void>((resolve, reject) => {
            const transaction = database.transaction([OUTBOX, SESSION], mode, {
                durability: "strict",
            });
            transaction.oncomplete = () => resolve();
            transaction.onabort = () => reject(transaction.error);
            work(transaction.objectStore(OUTBOX), transaction.objectStore(SESSION));
        });
    return {
        async load() {
            let request: IDBRequest<Saved | undefined>;
            await transact("readonly", (_outbox, session) => (request = session.get(ONLY)));
            return request!.result;
        },
        async add(frames) {
            let requests: IDBRequest[] = [];
            await transact("readwrite", (outbox) => {
                requests = frames.map((frame) => outbox.add(frame));
            });
            return requests.map(({ result }) => result);
        },
        read: (after, take) =>
            transact("readonly", (outbox) => {
                const request = outbox.openCursor(IDBKeyRange.lowerBound(after, true));
                request.onsuccess = () => {
                    const cursor = request.result;
                    if (cursor && take({ key: cursor.key as number, frame: cursor.value })) {
                        cursor.continue();
                    }
                };
            }),
        save: (saved) =>
            transact("readwrite", (outbox, session) => {
                session.put(saved, ONLY);
                outbox.delete(IDBKeyRange.upperBound(saved?.settled ?? Infinity));
            }),
        close: () => database.close(),
    };
}
