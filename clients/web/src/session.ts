// One connection, which outlives its WebSockets: its numbers, and how it is kept. Of all tabs that share a store, one
// has this at a time.
import { acknowledgeFrame, connectFrame, decode, type Frame } from "./frames.js";
import { hintMs, pauseMs, serial, within } from "./turns.js";
import {
    WharfError,
    type Content,
    type Entry,
    type Options,
    type Saved,
    type Socket,
    type SocketClass,
    type StateDetail,
    type Store,
} from "./types.js";

/** What may happen. */
export interface Audience {
    entered(state: "open" | "recovered"): void;
    /** No WebSocket; the next one is asked for after a pause. */
    waiting(detail: Partial<StateDetail>): void;
    /** `of` is the connection, to be given to `take`. */
    delivered(content: Content, seq: number, of: Saved): void;
    /** Entries up to this key are done with, the last one because of the error, if there is one. */
    settled(key: number, error?: WharfError): void;
    /** The broker closed the WebSocket over something; true if it is known over what, and dealt with. */
    blamed(reason: string): boolean;
    /** What came on an earlier connection, and is not acknowledged, comes again. */
    renewed(): void;
    /** The connection is gone for good. The new one knows nothing of what is to be received. */
    lost(uncertain: Content[]): void;
    /** Silence: something is to be sent that the broker answers, if its silence may matter. */
    silent(isAwake?: boolean): void;
    ended(error: WharfError): void;
}

/** What `ws` has beyond a WebSocket: who answered the handshake, and what. */
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
/** Left to be recovered: a connection survives everything but 1000 and no code (MBWS-A09). */
const ABANDONED = 4000;
/** Somebody else goes on with the connection. */
const TAKEN_OVER = 4001;
/** The broker broke the protocol; browsers may not say 1002. */
const VIOLATION = 4002;
/** Codes that say that something of ours is not acceptable. */
const REFUSALS = [1002, 1003, 1007, 1008, 1009];
/** The broker is overloaded: it is left alone for a second. */
const TRY_LATER = 1013;
/** HTTP statuses that do not change by themselves. */
const PERMANENT = [400, 401, 403, 404, 426];
/** After it has woken up, a page does not wait so long for an answer. */
const HURRY = 4;

const NOTHING: Saved = { name: "", acknowledged: 0, settled: 0, taken: 0, ahead: [] };

/** Entries are kept in memory until they are acknowledged, as long as there is room. MBWS-A15 */
const ROOM = 32 << 20;
/** The room that an entry takes: its octets, and not less than if 4,096 were all. */
const roomOf = ({ frame }: Entry) => frame.length + 8192;

export type Session = ReturnType<typeof makeSession>;

export function makeSession(
    base: string | URL,
    options: Options,
    store: Store,
    isResent: boolean,
    audience: Audience,
) {
    const {
        token,
        answerTimeoutMs = 20_000,
        heartbeatMs = 60_000,
        retryFirstMs = 500,
        retryMaxMs = 30_000,
        WebSocket: SocketClass = globalThis.WebSocket as SocketClass | undefined,
    } = options;
    if (!SocketClass) throw new TypeError("no WebSocket here: pass one");
    const url = new URL(base, globalThis.location?.href);
    url.protocol = url.protocol.replace("http", "ws");
    // MBWS-A01
    url.searchParams.set("unit", "utf16");

    /** The connection as it is now; another object for another connection. */
    let saved = { ...NOTHING };
    let ahead = new Set<number>();
    /** It is not in the store as it is here. */
    let isChanged = false;
    /** What the store has that the broker has not acknowledged, as far as there was room. */
    let window: Entry[] = [];
    /** Key of the last entry that was brought here. */
    let loaded = 0;
    /** Room taken by the window, and by what has left it but not the store. */
    let held = 0;
    let leaving = 0;
    /** Number of the last message that the broker may have. */
    let sent = 0;
    /** Number of the last message that came over this WebSocket, and of the last for the application. */
    let received = 0;
    let handed = 0;
    /** What is taken for all that the store knows, and what the broker knows of that. */
    let safe = 0;
    let told = 0;

    let socket: Socket | undefined;
    /** Messages flow. */
    let isOpen = false;
    let isStopped = true;
    let isPausing = false;
    let failures = 0;
    let timer: ReturnType<typeof setTimeout>;
    /** Time for an answer, and what was on its way out when it was last looked at. */
    let patienceMs = answerTimeoutMs;
    let buffered = 0;
    /** So many are sent one at a time: the broker closes the WebSocket over one of them. */
    let suspects = 0;
    /** Why it did so again when the first was alone on its way. */
    let blame: string | undefined;

    const inFlight = () => sent - saved.acknowledged;

    /** Something must come within some time from now. */
    const watch = () => {
        clearTimeout(timer);
        if (!socket) return;
        buffered = socket.bufferedAmount;
        const ms = isOpen && !inFlight() ? heartbeatMs : patienceMs;
        if (ms) timer = setTimeout(overdue, ms);
    };

    /** A browser does not say when a WebSocket is dead: something is asked that is answered. */
    const overdue = () => {
        const left = socket!.bufferedAmount;
        if (isOpen && !inFlight()) {
            failures = 0;
            audience.silent();
        } else if (left && left < buffered) watch();
        else lost(0, "the broker does not answer");
    };

    const hangUp = (code: number) => {
        const it = socket;
        socket = undefined;
        isOpen = isPausing = false;
        clearTimeout(timer);
        it?.close(code);
    };

    const end = (error: WharfError, code = ABANDONED) => {
        if (isStopped) return;
        isStopped = true;
        hangUp(code);
        audience.ended(error);
    };

    const dial = async () => {
        isPausing = false;
        let given;
        try {
            given = await (typeof token === "function" ? token() : token);
        } catch (error) {
            return lost(0, String(error));
        }
        if (isStopped || socket) return;
        const protocols = [PROTOCOL];
        // MBWS-008, RFC 7617; or a bearer token, in the one place that a page has for it.
        const [name, ...password] = (given ?? "").split(":");
        if (password.length) {
            url.username = encodeURIComponent(name!);
            url.password = encodeURIComponent(password.join(":"));
        } else if (name) protocols.push(`wharf.bearer.${name}`);
        let it: Socket & Telling;
        try {
            socket = it = new SocketClass(url.href, protocols);
        } catch (error) {
            return end(new WharfError("refused", String(error)));
        }
        it.binaryType = "arraybuffer";
        it.onopen = () => it.send(opening());
        it.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
            if (it === socket) read(typeof data === "string" ? data : new Uint8Array(data));
        };
        it.onclose = ({ code, reason }: CloseEvent) => {
            if (it === socket) lost(code, reason);
        };
        it.onerror = () => {};
        it.on?.("unexpected-response", (request, { statusCode, headers }) => {
            request.destroy();
            if (it === socket) lost(statusCode, `HTTP ${statusCode}`, headers["retry-after"]);
        });
        watch();
    };

    /** The Connect of a WebSocket that has just opened. */
    // MBWS-010, MBWS-040, MBWS-041, MBWS-042, MBWS-A04
    const opening = () => {
        // Not what was taken since: a page that does not know of that could not go on after this.
        received = told = safe;
        const { name, acknowledged } = saved;
        const window_ = [safe, acknowledged + 1, acknowledged + window.length];
        return name ? connectFrame(name, window_) : connectFrame();
    };

    const read = (data: string | Uint8Array) => {
        try {
            handle(decode(data));
            patienceMs = answerTimeoutMs;
            watch();
        } catch (error) {
            end(new WharfError("protocol", String(error)), VIOLATION);
        }
    };

    const violated = (what: string): never => {
        throw new Error(what);
    };

    const handle = (frame: Frame) => {
        // MBWS-017
        if (isOpen === (frame.id === 1)) violated("out of place");
        if (frame.id === 1) return answered(frame.name, frame.numbers[0]);
        failures = 0;
        if (frame.id === 2) return release(frame.number);
        // MBWS-026, MBWS-031, MBWS-073
        received += 1;
        if (received <= handed) return;
        handed = received;
        if (!ahead.has(handed)) audience.delivered(frame, handed, saved);
    };

    // MBWS-046, MBWS-050, MBWS-A08
    const answered = (name: string, resumed?: number) => {
        if (resumed === undefined) return void renew(name);
        const { acknowledged } = saved;
        if (resumed < acknowledged || resumed > acknowledged + window.length) violated("resumed");
        // MBWS-047, MBWS-A23: sending goes on behind what the broker has.
        sent = resumed;
        if (resumed > acknowledged) release(resumed);
        else if (blame) drop(1, new WharfError("refused", blame));
        blame = undefined;
        begin("recovered");
    };

    /** A new connection: numbers begin at 1 in both directions. What is in the window is sent on it. */
    // MBWS-031, MBWS-052
    const renew = async (name: string) => {
        const it = socket;
        const isLost = saved.name;
        // Nobody knows whether the broker has these. MBWS-023
        const uncertain = isLost ? window.slice(0, inFlight()) : [];
        if (!isResent) drop(uncertain.length, new WharfError("uncertain"));
        saved = { ...saved, name, acknowledged: 0, taken: 0 };
        ahead.clear();
        sent = received = handed = safe = told = suspects = 0;
        blame = undefined;
        isChanged = true;
        audience.renewed();
        if (isLost) audience.lost(uncertain.map(({ frame }) => decode(frame) as Content & Frame));
        // The name is safe before the first message is sent on it.
        await sync();
        if (it === socket) begin("open");
    };

    const begin = (state: "open" | "recovered") => {
        isOpen = true;
        audience.entered(state);
        tell();
        flush();
    };

    /** The broker has taken responsibility for everything up to this number. */
    // MBWS-034, MBWS-A12
    const release = (upTo: number) => {
        if (upTo > sent) violated("acknowledged what was not sent");
        const count = upTo - saved.acknowledged;
        if (count <= 0) return;
        saved.acknowledged = upTo;
        drop(count);
    };

    /** Takes the first entries out of the window, and soon out of the store. */
    const drop = (count: number, error?: WharfError) => {
        for (const entry of window.splice(0, count)) {
            leaving += roomOf(entry);
            suspects -= 1;
            saved.settled = entry.key;
            if (error) audience.settled(entry.key, error);
        }
        audience.settled(saved.settled);
        isChanged = true;
        void sync();
    };

    /** What has changed goes into the store; what waits in the store is brought here, and out. */
    const sync = serial(async () => {
        try {
            if (isChanged) {
                isChanged = false;
                const [of, left] = [saved, leaving];
                const { taken } = saved;
                await store.save(record());
                // So a page that finds this in the store loads at least what this one may have sent.
                held -= left;
                leaving -= left;
                if (of === saved) safe = taken;
                tell();
            }
            if (!isStopped && held < ROOM) {
                await store.read(loaded, (entry) => {
                    window.push(entry);
                    loaded = entry.key;
                    held += roomOf(entry);
                    return held < ROOM;
                });
            }
            flush();
        } catch (error) {
            // Nothing that is taken from now on can be kept.
            saved = { ...saved };
            end(new WharfError("storage", String(error)));
        }
    });

    const record = () => ({ ...saved, ahead: [...ahead] });

    // MBWS-033: what is said to be taken is safe.
    const tell = () => {
        if (isOpen && safe > told) socket!.send(acknowledgeFrame((told = safe)));
    };

    const flush = () => {
        const wasIdle = !inFlight();
        while (isOpen && (suspects < 1 || !inFlight())) {
            const entry = window[inFlight()];
            if (!entry) break;
            sent += 1;
            socket!.send(entry.frame);
        }
        if (wasIdle && inFlight()) watch();
    };

    const lost = (code: number, reason: string, retryAfter?: string) => {
        const wasOpen = isOpen;
        hangUp(ABANDONED);
        if (isStopped) return;
        reason ||= `closed with ${code}`;
        if (code === TAKEN_OVER) return end(new WharfError("taken-over"));
        if (PERMANENT.includes(code) && typeof token !== "function") {
            return end(new WharfError("unauthorized", reason));
        }
        // Whether another WebSocket would end like this one. MBWS-A09
        if (REFUSALS.includes(code) && !audience.blamed(reason)) {
            if (!wasOpen || !inFlight()) return end(new WharfError("refused", reason));
            if (suspects > 0) blame = reason;
            else suspects = inFlight();
        }
        const hint = hintMs(retryAfter ? `retry-after=${retryAfter}` : reason);
        const least = hint || (code === TRY_LATER ? 1000 : 0);
        const pause = pauseMs(failures, least, retryFirstMs, retryMaxMs);
        failures += 1;
        isPausing = true;
        timer = setTimeout(dial, pause);
        audience.waiting({ attempt: failures, pauseMs: pause, reason });
    };

    /** Leaves the connection to be recovered, by this tab or another. */
    const stop = async () => {
        isStopped = true;
        hangUp(ABANDONED);
        await sync();
    };

    return {
        sync,
        stop,
        /** Begins, or begins again after `stop`. */
        async start() {
            let found;
            try {
                found = { ...NOTHING, ...(await store.load()) };
            } catch (error) {
                return audience.ended(new WharfError("storage", String(error)));
            }
            // Else nobody had it meanwhile: what the application holds is still valid.
            if (JSON.stringify(found) !== JSON.stringify(record())) {
                saved = found;
                ahead = new Set(found.ahead);
                window = [];
                held = leaving = suspects = 0;
                loaded = found.settled;
                handed = safe = found.taken;
                // What an earlier page has sent is not known here.
                sent = found.name ? Infinity : 0;
                blame = undefined;
                audience.renewed();
            }
            audience.settled(saved.settled);
            isStopped = false;
            // The window that Connect tells of is the whole one.
            await sync();
            void dial();
        },
        /** Ends the connection for good: what is unacknowledged goes back to its addresses. */
        // MBWS-015
        async finish(waitMs: number) {
            await sync();
            const it = socket;
            hangUp(1000);
            if (it) await within(waitMs, new Promise((resolve) => (it.onclose = resolve)));
            await stop();
        },
        /** Something may have changed: the network, or the page was asleep. */
        wake() {
            if (isPausing) {
                clearTimeout(timer);
                failures = 0;
                void dial();
            } else if (isOpen) {
                patienceMs = answerTimeoutMs / HURRY;
                if (inFlight()) watch();
                else audience.silent(true);
            }
        },
        /** The application has taken a delivery. False if it will come again: its connection is gone. */
        async take(seq: number, of: Saved) {
            if (isStopped || of !== saved) return false;
            if (seq > saved.taken) ahead.add(seq);
            while (ahead.delete(saved.taken + 1)) saved.taken += 1;
            isChanged = true;
            await sync();
            return of === saved;
        },
    };
}
