/** Pauses between attempts: full jitter, so that clients that were lost together do not come back together. */
export declare class Backoff {
    private readonly firstMs;
    private readonly maxMs;
    private readonly random;
    private failures;
    constructor(firstMs: number, maxMs: number, random?: () => number);
    get attempts(): number;
    /** The next pause. Not shorter than `hintMs`, which is what the broker asks for; the crowd is spread behind it. */
    nextMs(hintMs?: number): number;
    reset(): void;
}
/** What the broker asks for in a close reason: `retry-after=SECONDS`. */
export declare const hintMs: (reason: string) => number;
