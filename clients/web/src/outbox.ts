// What this page has sent: it goes into the store, and whoever waits is told when the broker has it.
import { WharfError } from "./errors.js";
import type { Wire } from "./frames.js";
import type { Store } from "./store.js";

interface Waiter {
    resolve(): void;
    reject(error: WharfError): void;
}

/** Failures of entries whose keys are not known here yet. */
const EARLY_MAX = 256;

export class Outbox {
    /** In the order of their keys. */
    private readonly waiting = new Map<number, Waiter>();
    private adding: ({ frame: Wire } & Waiter)[] = [];
    private isAdding = false;
    private settledKey = 0;
    private readonly early = new Map<number, WharfError>();
    private idle: (() => void)[] = [];
    private error: WharfError | undefined;

    /** `added` is called when there is something new in the store. */
    constructor(
        private readonly store: Store,
        private readonly added: () => void,
    ) {}

    /** Messages that the broker does not have for all this page knows. */
    get size() {
        return this.waiting.size + this.adding.length;
    }

    /** Resolves when the broker has it. Those of one page arrive in the order of these calls. */
    add(frame: Wire): Promise<void> {
        return new Promise((resolve, reject) => {
            if (this.error) return reject(this.error);
            this.adding.push({ frame, resolve, reject });
            void this.addAll();
        });
    }

    private async addAll() {
        if (this.isAdding) return;
        this.isAdding = true;
        // What is sent in one go is one transaction.
        await undefined;
        while (this.adding.length) {
            const batch = this.adding;
            this.adding = [];
            try {
                const keys = await this.store.add(batch.map(({ frame }) => frame));
                batch.forEach((waiter, at) => this.waiting.set(keys[at]!, waiter));
            } catch (error) {
                for (const waiter of batch) waiter.reject(new WharfError("storage", String(error)));
            }
            // It may have gone out, by another tab, before this one knew its key.
            for (const [key, failure] of this.early) this.fail(key, failure);
            this.settle(this.settledKey);
            if (this.error) this.end(this.error);
            this.added();
        }
        this.isAdding = false;
        this.settle(this.settledKey);
    }

    /** The broker has every entry up to this key. */
    settle(upTo: number) {
        this.settledKey = Math.max(upTo, this.settledKey);
        for (const [key, waiter] of this.waiting) {
            if (key > this.settledKey) break;
            this.waiting.delete(key);
            waiter.resolve();
        }
        if (this.size || this.isAdding) return;
        for (const resolve of this.idle.splice(0)) resolve();
    }

    /** The broker will never have this one. */
    fail(key: number, error: WharfError) {
        const waiter = this.waiting.get(key);
        if (this.early.size >= EARLY_MAX) this.early.clear();
        this.early.set(key, error);
        if (!waiter) return;
        this.waiting.delete(key);
        this.early.delete(key);
        waiter.reject(error);
    }

    /** Nobody is told any more. */
    end(error: WharfError) {
        this.error = error;
        const waiting = [...this.waiting.values(), ...this.adding];
        this.waiting.clear();
        this.adding = [];
        for (const waiter of waiting) waiter.reject(error);
        this.settle(0);
    }

    /** Resolves when the broker has everything. */
    drained(): Promise<void> {
        return new Promise((resolve) => {
            this.idle.push(resolve);
            this.settle(0);
        });
    }
}
