import type { Settings } from "./conversation.js";
import type { SocketClass } from "./link.js";
import type { Store } from "./store.js";
export interface Options {
    /**
     * `NAME:PASSWORD`, or what gives it before each WebSocket. It becomes the user information of the URL, which
     * browsers and `ws` turn into HTTP Basic. Not needed where the browser is logged in already (`/login`).
     */
    token?: string | (() => string | Promise<string>);
    /**
     * Keeps what is unsent, and the connection, beyond this page: `true`, or the name of an outbox of its own (one for
     * each user of the page, say), in IndexedDB. Or a store of your own, which nobody else may use at the same time.
     * Without it, both last as long as the client.
     */
    persist?: boolean | string | Store;
    /**
     * What becomes of messages that the broker may have stored, or not, when a connection could not be recovered:
     * `resend` may double them, `reject` may lose them and says so. By default `resend` with `persist`, since nobody
     * may be left to be told, else `reject`.
     */
    uncertain?: "resend" | "reject";
    /** Closes the client. */
    signal?: AbortSignal;
    /** Where there is no global one (node 20): that of the package `ws`. */
    WebSocket?: SocketClass;
    /** Messages of this page that may wait for the broker; `send` rejects above. 10,000. */
    outboxMax?: number;
    /** Time for the broker to answer what it must answer; then another WebSocket is opened. 20,000. */
    answerTimeoutMs?: number;
    /** Silence after which a client that receives makes sure that the broker is there. 60,000; 0 for never. */
    heartbeatMs?: number;
    /** The first pause before another WebSocket is at most so long; the next ones double. 500. */
    retryFirstMs?: number;
    /** No pause is longer, unless the broker asks for it. 30,000. */
    retryMaxMs?: number;
    /** Time for `close` to bring out what is unsent. 5,000. */
    closeTimeoutMs?: number;
}
/** What the connection needs of them. */
export declare function settingsOf(base: string | URL, options: Options): Settings;
