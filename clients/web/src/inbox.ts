// What comes from one address, for one reader.
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

const DONE: IteratorResult<Delivery> = { done: true, value: undefined };

export class Inbox {
    /** What its reader asked for; undefined without a reader. */
    wish: Wish | undefined;
    /** Came and was not read. The broker sends no more than its credit. */
    private readonly unread: Delivery[] = [];
    private readers: { resolve(result: IteratorResult<Delivery>): void; reject(error: WharfError): void }[] = [];

    get count() {
        return this.unread.length;
    }

    push(delivery: Delivery) {
        const reader = this.readers.shift();
        if (reader) reader.resolve({ value: delivery });
        else this.unread.push(delivery);
    }

    /** What came on a connection that is gone comes again. */
    forget() {
        this.unread.length = 0;
    }

    /** For the reader that asked for this. */
    next(wish: Wish): Promise<IteratorResult<Delivery>> {
        return new Promise((resolve, reject) => {
            if (wish.error) return reject(wish.error);
            if (wish !== this.wish) return resolve(DONE);
            const value = this.unread.shift();
            if (value) resolve({ value });
            else this.readers.push({ resolve, reject });
        });
    }

    begin(wish: Wish) {
        this.wish = wish;
    }

    /** Nothing more for this reader. What is unread waits for the next one. */
    end(error?: WharfError) {
        if (this.wish) this.wish.error = error;
        this.wish = undefined;
        for (const { resolve, reject } of this.readers.splice(0)) {
            if (error) reject(error);
            else resolve(DONE);
        }
    }
}
