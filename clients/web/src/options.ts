import { Backoff } from "./backoff.js";
import type { Settings } from "./conversation.js";
import { WharfError } from "./errors.js";
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
export function settingsOf(base: string | URL, options: Options): Settings {
    const { token } = options;
    const WebSocket = options.WebSocket ?? (globalThis.WebSocket as SocketClass | undefined);
    if (!WebSocket) throw new TypeError("there is no WebSocket here: pass one, such as that of the package ws");
    const url = new URL(base, globalThis.location?.href);
    url.protocol = url.protocol.replace("http", "ws");
    // MBWS-A01
    url.searchParams.set("unit", "utf16");
    const backoff = new Backoff(options.retryFirstMs ?? 500, options.retryMaxMs ?? 30_000);
    return {
        WebSocket,
        backoff,
        renews: typeof token === "function",
        uncertain: options.uncertain ?? (options.persist ? "resend" : "reject"),
        answerTimeoutMs: options.answerTimeoutMs ?? 20_000,
        heartbeatMs: options.heartbeatMs ?? 60_000,
        async target() {
            const given = typeof token === "function" ? await token() : token;
            if (given) logIn(url, given);
            return url.href;
        },
    };
}

// MBWS-008, RFC 7617
function logIn(url: URL, token: string) {
    const colon = token.indexOf(":");
    if (colon < 0) throw new WharfError("unauthorized", "a token is NAME:PASSWORD");
    url.username = encodeURIComponent(token.slice(0, colon));
    url.password = encodeURIComponent(token.slice(colon + 1));
}
