// One WebSocket, from its opening to its loss, and the patience with it.
import type { Wire } from "./frames.js";

/** How a WebSocket ended. */
export interface Loss {
    /** Close code; 1006 without one, 0 if this side lost its patience. */
    code: number;
    reason: string;
    /** HTTP status of a refused handshake, where the runtime tells it. Browsers do not. */
    status?: number | undefined;
}

export interface Listener {
    opened(): void;
    received(data: string | ArrayBuffer): void;
    lost(loss: Loss): void;
}

/** What is needed of a WebSocket: the browser's, node's, or that of the package `ws`. */
export interface Socket {
    binaryType: string;
    readonly bufferedAmount: number;
    onopen: ((event: never) => void) | null;
    onmessage: ((event: never) => void) | null;
    onerror: ((event: never) => void) | null;
    onclose: ((event: never) => void) | null;
    send(data: Wire): void;
    close(code?: number, reason?: string): void;
}

export type SocketClass = new (url: string, protocol: string) => Socket;

/** What `ws` has beyond that: who answered the handshake, and what. */
interface Telling {
    on?(
        event: "unexpected-response",
        listener: (
            request: { destroy(): void },
            response: { statusCode: number; headers: Record<string, string | undefined> },
        ) => void,
    ): void;
}

// MBWS-004
const PROTOCOL = "MBWS.huawei.com";

/** Closed for a reason of ours; a connection survives everything but 1000 and no code (MBWS-A09). */
const ABANDONED = 4000;

/** Time for a WebSocket that still sends. */
const SENDING_MS = 5000;

export class Link {
    private readonly socket: Socket;
    private timer: ReturnType<typeof setTimeout> | undefined;
    private timerAt = 0;
    private dueAt = Infinity;
    private buffered = 0;

    constructor(
        SocketClass: SocketClass,
        url: string,
        private readonly listener: Listener,
    ) {
        const socket = (this.socket = new SocketClass(url, PROTOCOL));
        socket.binaryType = "arraybuffer";
        socket.onopen = () => listener.opened();
        socket.onmessage = ({ data }: { data: string | ArrayBuffer }) => {
            this.dueAt = Infinity;
            listener.received(data);
        };
        socket.onerror = () => {};
        socket.onclose = ({ code, reason }: { code: number; reason: string }) => {
            this.end({ code, reason });
        };
        (socket as Telling).on?.("unexpected-response", (request, { statusCode, headers }) => {
            this.end({ code: 1006, status: statusCode, reason: `retry-after=${headers["retry-after"] ?? 0}` });
            request.destroy();
        });
    }

    send(frame: Wire) {
        this.socket.send(frame);
    }

    /** Something must come within this time. What is still being sent extends it. */
    expect(ms: number) {
        const dueAt = Date.now() + ms;
        if (dueAt >= this.dueAt) return;
        this.dueAt = dueAt;
        this.buffered = this.socket.bufferedAmount;
        // A timer that is due earlier looks at the time again.
        if (this.timer === undefined || dueAt < this.timerAt) this.arm(dueAt);
    }

    private arm(at: number) {
        clearTimeout(this.timer);
        this.timerAt = at;
        const ms = at - Date.now();
        this.timer = setTimeout(() => {
            this.timer = undefined;
            const { bufferedAmount } = this.socket;
            const isSending = bufferedAmount > 0 && bufferedAmount < this.buffered;
            if (this.dueAt > Date.now()) {
                if (this.dueAt < Infinity) this.arm(this.dueAt);
            } else if (isSending) {
                this.dueAt = Infinity;
                this.expect(Math.max(ms, SENDING_MS));
            } else {
                this.abandon();
            }
        }, ms);
    }

    private stopTimer() {
        clearTimeout(this.timer);
        this.timer = undefined;
        this.dueAt = Infinity;
    }

    /** Gives the WebSocket up, as lost. */
    abandon() {
        this.close(ABANDONED);
        this.end({ code: 0, reason: "the broker does not answer" });
    }

    /** Says goodbye. `lost` is not called any more; resolves when the broker has answered, or after this time. */
    close(code: number, waitMs = 0): Promise<void> {
        const { socket } = this;
        this.stopTimer();
        socket.onopen = socket.onmessage = null;
        return new Promise((resolve) => {
            const timer = setTimeout(resolve, waitMs);
            socket.onclose = () => {
                clearTimeout(timer);
                resolve();
            };
            socket.close(code);
        });
    }

    private end(loss: Loss) {
        this.stopTimer();
        this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
        this.listener.lost(loss);
    }
}
