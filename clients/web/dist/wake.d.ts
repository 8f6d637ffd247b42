/** What a page is told about its own life, where there is one. */
export interface Life {
    /** The network is back, the page is looked at, or it has come out of a sleep. */
    wake(): void;
    /** It may be asleep for long, or never wake up. */
    sleep(): void;
}
/** Returns what ends it. */
export declare function watch({ wake, sleep }: Life): () => void;
