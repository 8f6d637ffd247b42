// The tabs of one origin that share an outbox: one of them leads, and talks to the broker for all.
import { WharfError } from "./errors.js";

/** What tabs tell each other. */
export type Note =
    /** There is something new in the store. */
    | { added: true }
    /** The broker has every entry up to this key. */
    | { settled: number }
    /** One entry it will not have. */
    | { failed: number; code: WharfError["code"]; message: string }
    /** The state of the leader. */
    | { state: string }
    /** Somebody new asks for the state. */
    | { hello: true };

/** Decides who leads: the one that holds a Web Lock, which nobody can hold twice, and no tab keeps when it dies. */
export class Tabs {
    private readonly channel: BroadcastChannel;
    private contending: AbortController | undefined;
    private release: (() => void) | undefined;
    private over: Promise<unknown> = Promise.resolve();

    constructor(
        private readonly name: string,
        private readonly listener: {
            noted(note: Note): void;
            /** This tab leads from now on. */
            lead(): Promise<void>;
            /** No more; resolves when nothing is written any more. */
            yielded(): Promise<void>;
        },
    ) {
        if (!globalThis.navigator?.locks) {
            throw new WharfError("storage", "persist needs Web Locks, which pages have on https and localhost");
        }
        this.channel = new BroadcastChannel(name);
        this.channel.onmessage = ({ data }) => listener.noted(data);
    }

    tell(note: Note) {
        this.channel.postMessage(note);
    }

    /** Waits for its turn to lead. */
    contend() {
        if (this.contending) return;
        const contending = (this.contending = new AbortController());
        const { signal } = contending;
        const turn = async () => {
            const yielded = new Promise<void>((resolve) => (this.release = resolve));
            if (!signal.aborted) await this.listener.lead();
            await yielded;
            await this.listener.yielded();
        };
        this.over = navigator.locks.request(this.name, { signal }, turn).catch(() => {});
    }

    /** Lets another tab lead. */
    async yield() {
        this.contending?.abort();
        this.contending = undefined;
        this.release?.();
        this.release = undefined;
        await this.over;
    }

    close() {
        this.channel.close();
    }
}
