import type { WharfError } from "./errors.js";
import type { Content, Property } from "./frames.js";
/**
 * - `connecting`: no WebSocket was open yet; what is sent waits.
 * - `open`: messages flow, on a new connection.
 * - `recovering`: the WebSocket was lost; another one is being opened, what is sent waits.
 * - `recovered`: messages flow again, on the connection of before: nothing was lost, nothing comes twice.
 * - `lost`: the connection could not be recovered; `open` follows on a new one.
 * - `closed`: by `close`, or by an error that another attempt would meet again.
 */
export type State = "connecting" | "open" | "recovering" | "recovered" | "lost" | "closed";
/** What an event `state` tells. */
export interface StateDetail {
    state: State;
    /** Failed attempts in a row, the time to the next one, and why there is no WebSocket. */
    attempt?: number;
    pauseMs?: number;
    reason?: string;
    /** Why the client is closed, if not by `close`. */
    error?: WharfError;
}
/** What an event `lost` tells: what becomes of messages that the broker may have, or not. */
export interface LostDetail {
    uncertain: Content[];
    /** They are sent again, and may come twice; else their `send` was rejected. */
    resent: boolean;
}
/** What an event `unclaimed` tells: messages have come that nobody here receives. */
export interface UnclaimedDetail {
    address: string;
    count: number;
}
export interface SendOptions {
    /** The MIME type of the body. `application/json` by itself for objects. */
    contentType?: string;
    properties?: Record<string, string> | Property[];
}
export interface ReceiveOptions {
    /** How many messages may be unacknowledged at once. 32. */
    credit?: number;
    /** Of a topic: the name of a durable subscription. Without it, the subscription ends with the connection. */
    subscription?: string;
    /** Ends the iteration. */
    signal?: AbortSignal;
}
/** Text, octets, or what JSON can say. */
export type Body = string | ArrayBuffer | ArrayBufferView | object | null;
