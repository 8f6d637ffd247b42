import { WharfError } from "./errors.js";
import type { Wire } from "./frames.js";
import type { Store } from "./store.js";
export declare class Outbox {
    private readonly store;
    private readonly added;
    /** In the order of their keys. */
    private readonly waiting;
    private adding;
    private isAdding;
    private settledKey;
    private readonly early;
    private idle;
    private error;
    /** `added` is called when there is something new in the store. */
    constructor(store: Store, added: () => void);
    /** Messages that the broker does not have for all this page knows. */
    get size(): number;
    /** Resolves when the broker has it. Those of one page arrive in the order of these calls. */
    add(frame: Wire): Promise<void>;
    private addAll;
    /** The broker has every entry up to this key. */
    settle(upTo: number): void;
    /** The broker will never have this one. */
    fail(key: number, error: WharfError): void;
    /** Nobody is told any more. */
    end(error: WharfError): void;
    /** Resolves when the broker has everything. */
    drained(): Promise<void>;
}
