// Work that is done again and again, and work that is waited for.

/**
 * Makes a function that has `work` done, never twice at a time: calls while it runs are one more run. Resolves when a
 * run is over that began after the call. `work` must not fail.
 */
export function serial(work: () => Promise<void>): () => Promise<void> {
    let running = Promise.resolve();
    let next: Promise<void> | undefined;
    return () =>
        (next ??= running =
            running.then(() => {
                next = undefined;
                return work();
            }));
}

/** Resolves when the promise does, or after this time. */
export const within = (ms: number, promise: Promise<unknown>) =>
    new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        void promise.then(() => {
            clearTimeout(timer);
            resolve();
        });
    });

/**
 * The next pause, with full jitter, so that clients that were lost together do not come back together. Not shorter than
 * `hintMs`, which is what the broker asks for; the crowd is spread behind it.
 */
export const pauseMs = (
    failures: number,
    hintMs: number,
    firstMs: number,
    maxMs: number,
    random = Math.random,
) => hintMs + random() * Math.min(maxMs, Math.max(hintMs, firstMs * 2 ** failures));

/** Nobody waits longer for a broker that might be back. */
const HINT_MAX_S = 3600;

/** What the broker asks for in a close reason: `retry-after=SECONDS`. */
export const hintMs = (reason: string) =>
    Math.min(HINT_MAX_S, Number(/\bretry-after=(\d{1,9})\b/i.exec(reason)?.[1] ?? 0)) * 1000;
