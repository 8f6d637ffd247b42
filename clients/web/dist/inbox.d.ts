import type { Delivery } from "./delivery.js";
import type { WharfError } from "./errors.js";
export interface Wish {
    address: string;
    credit: number;
    subscription?: string | undefined;
    /** Why there is nothing more. */
    error?: WharfError | undefined;
}
export interface Deliveries extends AsyncIterableIterator<Delivery> {
    return(): Promise<IteratorResult<Delivery>>;
}
export declare class Inbox {
    /** What its reader asked for; undefined without a reader. */
    wish: Wish | undefined;
    /** Came and was not read. The broker sends no more than its credit. */
    private readonly unread;
    private readers;
    get count(): number;
    push(delivery: Delivery): void;
    /** What came on a connection that is gone comes again. */
    forget(): void;
    /** For the reader that asked for this. */
    next(wish: Wish): Promise<IteratorResult<Delivery>>;
    begin(wish: Wish): void;
    /** Nothing more for this reader. What is unread waits for the next one. */
    end(error?: WharfError): void;
}
