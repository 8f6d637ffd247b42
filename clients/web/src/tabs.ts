// The tabs of one origin that share an outbox: one of them leads, and talks to the broker for all.
import type { ErrorCode, State } from "./types.js";

/** What tabs tell each other. */
export interface Note {
    /** There is something new in the store. */
    isNew?: boolean;
    /** Somebody new asks for the state. */
    isHello?: boolean;
    /** The broker is done with every entry up to this key; with the last one because of an error, if there is a code. */
    settled?: number;
    code?: ErrorCode | undefined;
    message?: string | undefined;
    /** Of the leader. */
    state?: State;
}

/** Whoever holds a Web Lock leads: nobody can hold it twice, and no tab keeps it when it dies. */
export function joinTabs(
    name: string,
    noted: (note: Note) => void,
    /** This tab leads from now on. */
    lead: () => Promise<void>,
    /** No more; resolves when nothing is written any more. */
    yielded: () => Promise<void>,
) {
    const channel = new BroadcastChannel(name);
    channel.onmessage = ({ data }) => noted(data);
    /** Aborted when this tab leads no more, or waits for that no more. */
    let turn: AbortController | undefined;
    let over: Promise<void> | undefined;
    return {
        tell: (note: Note) => channel.postMessage(note),
        /** Waits for its turn to lead. */
        contend() {
            if (turn) return;
            const { signal } = (turn = new AbortController());
            over = navigator.locks
                .request(name, { signal }, async () => {
                    await lead();
                    if (!signal.aborted) await new Promise((resolve) => (signal.onabort = resolve));
                    await yielded();
                })
                .catch(() => {});
        },
        /** Lets another tab lead. */
        async yield() {
            turn?.abort();
            turn = undefined;
            await over;
        },
        close: () => channel.close(),
    };
}
