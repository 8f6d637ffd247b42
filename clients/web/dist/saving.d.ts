/** Saves again and again, never twice at a time: what changes while one write runs goes into the next. */
export declare class Saving {
    private readonly write;
    private readonly failed;
    private running;
    private next;
    constructor(write: () => Promise<void>, failed: (error: unknown) => void);
    /** Resolves when everything that has changed until now is saved. */
    soon(): Promise<void>;
    /** Resolves when nothing is being saved. */
    idle(): Promise<void>;
}
