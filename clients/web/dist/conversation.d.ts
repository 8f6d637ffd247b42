import { Backoff } from "./backoff.js";
import { WharfError } from "./errors.js";
import { type Content } from "./frames.js";
import { Ledger } from "./ledger.js";
import { type SocketClass } from "./link.js";
import type { Store } from "./store.js";
export interface Settings {
    WebSocket: SocketClass;
    /** The URL of the next WebSocket. */
    target(): Promise<string>;
    /** The next WebSocket may be asked for with other credentials than the last. */
    renews: boolean;
    /** What the broker may have stored when a connection is lost for good: sent again, or given up. */
    uncertain: "resend" | "reject";
    answerTimeoutMs: number;
    heartbeatMs: number;
    backoff: Backoff;
}
/** A delivery as it came. */
export interface Arrived {
    content: Content;
    seq: number;
    name: string;
}
/** What may happen. */
export interface Audience {
    /** Messages flow. */
    open(state: "open" | "recovered"): void;
    /** No WebSocket; the next one is asked for after a pause. */
    waiting(detail: {
        attempt: number;
        pauseMs: number;
        reason: string;
    }): void;
    delivered(arrived: Arrived): void;
    /** Entries up to this key are stored by the broker. */
    settled(key: number): void;
    /** One entry never will be. */
    failed(key: number, error: WharfError): void;
    /** The broker closed the WebSocket over something; true if it is known over what, and dealt with. */
    blamed(reason: string): boolean;
    /** The connection is gone for good. The new one knows nothing of what is to be received. */
    lost(uncertain: Content[]): void;
    /** What came on an earlier connection, and is not acknowledged, comes again. */
    renewed(): void;
    /** It is silent: send something that the broker answers, if its silence may matter. */
    probe(isAwake: boolean): void;
    ended(error: WharfError): void;
}
export declare class Conversation {
    private readonly store;
    private readonly settings;
    private readonly audience;
    ledger: Ledger;
    /** Counts connections: what came on an earlier one is acknowledged no more. */
    generation: number;
    private link;
    /** The broker has answered Connect. */
    private isAnswered;
    /** Messages may be sent. */
    private isOpen;
    private isStopped;
    private openedAt;
    private pause;
    private heart;
    private heardAt;
    private isMore;
    private filling;
    private told;
    private saving;
    /** Up to this number, one message at a time: the broker closes the connection over one of them. */
    private suspectUpTo;
    /** The one that was alone on its way when it did so again, and what it said. */
    private culprit;
    constructor(store: Store, settings: Settings, audience: Audience);
    /** Begins, or begins again after `stop`. */
    start(): Promise<void>;
    /** Leaves the connection to be recovered, by this tab or another. */
    stop(): Promise<void>;
    /** Ends the connection for good: what is unacknowledged goes back to its addresses. */
    finish(waitMs: number): Promise<void>;
    private silence;
    private end;
    private connect;
    /** Something may have changed: the network, or the page was asleep. */
    wake(): void;
    /** A browser does not say when a WebSocket is dead: something is asked that is answered. */
    private beat;
    private received;
    private await;
    private handle;
    private answered;
    private begin;
    /** Nobody knows whether the broker has these. */
    private giveUp;
    private dropCulprit;
    private release;
    /** Brings what waits in the store into the window, in its order. */
    fill(): Promise<void>;
    private fillNow;
    private flush;
    private save;
    /** The application has taken a delivery. False if it will come again: its connection is gone. */
    take(seq: number, generation: number): Promise<boolean>;
    private lost;
    /** Why another WebSocket would end like this one; undefined if it need not. */
    private judge;
}
