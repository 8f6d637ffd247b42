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
export declare class Link {
    private readonly listener;
    private readonly socket;
    private timer;
    private timerAt;
    private dueAt;
    private buffered;
    constructor(SocketClass: SocketClass, url: string, listener: Listener);
    send(frame: Wire): void;
    /** Something must come within this time. What is still being sent extends it. */
    expect(ms: number): void;
    private arm;
    private stopTimer;
    /** Gives the WebSocket up, as lost. */
    abandon(): void;
    /** Says goodbye. `lost` is not called any more; resolves when the broker has answered, or after this time. */
    close(code: number, waitMs?: number): Promise<void>;
    private end;
}
