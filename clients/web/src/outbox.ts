// What this page has sent: it goes into the store, and whoever waits is told when the broker has it.
import { serial } from "./turns.js";
import { WharfError, type Store, type Wire } from "./types.js";

/** Tells one sender that the broker has its message, or why not. */
type Done = (error?: WharfError) => void;

export type Outbox = ReturnType<typeof makeOutbox>;

/** `added` is called when there is something new in the store. */
export function makeOutbox(store: Store, added: () => void) {
    /** By key, in the order of keys. */
    const waiting = new Map<number, Done>();
    /** Without a key so far; and those of them that are being given one. */
    let coming: [Wire, Done][] = [];
    let adding: [Wire, Done][] = [];
    /** By key: what another tab was told before this one knew the key. */
    const failures = new Map<number, WharfError>();
    let settledKey = 0;
    let size = 0;
    let over: WharfError | undefined;
    let drained: (() => void)[] = [];

    /** Every entry up to this key is done with; the last one because of the error, if there is one. */
    const settle = (upTo: number, error?: WharfError) => {
        settledKey = Math.max(settledKey, upTo);
        if (error) failures.set(upTo, error);
        for (const [key, done] of waiting) {
            if (key > settledKey) break;
            waiting.delete(key);
            done(failures.get(key));
        }
        if (!adding.length) failures.clear();
    };

    /** Nobody is told any more. */
    const end = (error: WharfError) => {
        over = error;
        for (const done of waiting.values()) done(error);
        for (const [, done] of coming) done(error);
        waiting.clear();
        coming = [];
    };

    // What is sent in one go is one transaction.
    const addAll = serial(async () => {
        adding = coming;
        coming = [];
        try {
            const keys = await store.add(adding.map(([frame]) => frame));
            adding.forEach(([, done], at) => waiting.set(keys[at]!, done));
        } catch (error) {
            for (const [, done] of adding) done(new WharfError("storage", String(error)));
        }
        adding = [];
        // It may have gone out, by another tab, before this one knew its key.
        settle(settledKey);
        if (over) end(over);
        added();
    });

    return {
        settle,
        end,
        /** Messages that the broker does not have for all this page knows. */
        size: () => size,
        /** Resolves when the broker has it. Those of one page arrive in the order of these calls. */
        add: (frame: Wire) =>
            new Promise<void>((resolve, reject) => {
                if (over) return reject(over);
                size += 1;
                coming.push([
                    frame,
                    (error) => {
                        size -= 1;
                        if (error) reject(error);
                        else resolve();
                        if (!size) drained.splice(0).forEach((resolve) => resolve());
                    },
                ]);
                void addAll();
            }),
        /** Resolves when nothing waits. */
        drain: () =>
            new Promise<void>((resolve) => {
                if (size) drained.push(resolve);
                else resolve();
            }),
    };
}
