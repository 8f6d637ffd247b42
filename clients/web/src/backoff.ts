/** Pauses between attempts: full jitter, so that clients that were lost together do not come back together. */
export class Backoff {
    private failures = 0;

    constructor(
        private readonly firstMs: number,
        private readonly maxMs: number,
        private readonly random = Math.random,
    ) {}

    get attempts() {
        return this.failures;
    }

    /** The next pause. Not shorter than `hintMs`, which is what the broker asks for; the crowd is spread behind it. */
    nextMs(hintMs = 0): number {
        const spreadMs = Math.min(this.maxMs, Math.max(hintMs, this.firstMs * 2 ** this.failures));
        this.failures += 1;
        return hintMs + this.random() * spreadMs;
    }

    reset() {
        this.failures = 0;
    }
}

/** Nobody waits longer for a broker that might be back. */
const HINT_MAX_S = 3600;

/** What the broker asks for in a close reason: `retry-after=SECONDS`. */
export const hintMs = (reason: string) =>
    Math.min(HINT_MAX_S, Number(/\bretry-after=(\d{1,9})\b/i.exec(reason)?.[1] ?? 0)) * 1000;
