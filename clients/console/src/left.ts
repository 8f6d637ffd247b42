// Connections of MBWS that this page has, and those that an earlier page has left. A connection outlives its
// socket, so that a page which is killed leaves one behind, with a subscription that the broker goes on
// filling. Their names are kept where the next page of the console finds them, and ends them.
import { connectFrame, decode } from "../../web/src/frames.ts";
import { login, whoami } from "./api/login.ts";

const KEPT = "wharf-console-tap ";
const PROTOCOL = "MBWS.huawei.com";
const NORMAL = 1000;
/** Hardly a broker keeps a connection for so long. */
const OLD_MS = 7 * 86_400_000;

const open = new Set<Wire>();
/** By the names of connections: what gives up the lock that says that their page lives. */
const released = new Map<string, () => void>();

function keep(name: string) {
    if (released.has(name)) return;
    localStorage.setItem(KEPT + name, JSON.stringify([Date.now(), whoami.value?.user]));
    released.set(name, () => {});
    // Pages have locks on https and localhost; without them nobody could tell which page is gone.
    void navigator.locks?.request(
        KEPT + name,
        () =>
            new Promise<void>((resolve) => {
                if (released.has(name)) released.set(name, resolve);
                else resolve();
            }),
    );
}

function drop(name: string) {
    localStorage.removeItem(KEPT + name);
    released.get(name)?.();
    released.delete(name);
}

/** A WebSocket with the login of this page. */
class Plain extends WebSocket {
    constructor(url: string | URL, protocols: string | string[] = PROTOCOL) {
        const given = login.value;
        // A script can set no header field there, so that a token comes among the subprotocols.
        const token = given && "token" in given ? [`wharf.bearer.${given.token}`] : [];
        super(url, [protocols, token].flat());
    }
}

/** One of a connection that is this page's own. */
export class Wire extends Plain {
    private name = "";

    constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols);
        open.add(this);
        this.addEventListener("close", () => open.delete(this));
        this.addEventListener("message", ({ data }) => this.named(data), { once: true });
    }

    /** The first frame is the answer to the Connect. */
    private named(data: unknown) {
        if (typeof data !== "string") return;
        const frame = decode(data);
        if (frame.id !== 1) return;
        this.name = frame.name;
        keep(frame.name);
    }

    override close(code?: number, reason?: string) {
        if (code === NORMAL && this.name) drop(this.name);
        super.close(code, reason);
    }
}

/** What the URL says of the login; the browser adds its own where there is none. */
export function token(): { token: string } | Record<never, never> {
    const given = login.value;
    return given && "user" in given ? { token: `${given.user}:${given.password}` } : {};
}

/** Ends a connection for good. False if the broker could not be asked. */
function end(name: string): Promise<boolean> {
    const url = new URL("/ws?tag=console", location.href);
    const given = login.value;
    if (given && "user" in given) {
        url.username = encodeURIComponent(given.user);
        url.password = encodeURIComponent(given.password);
    }
    return new Promise((resolve) => {
        const wire = new Plain(url);
        // Numbers that do not fit end it as well, so that they need not be known.
        wire.onopen = () => wire.send(connectFrame(name, [0, 1, 0]));
        wire.onmessage = () => {
            wire.close(NORMAL);
            resolve(true);
        };
        wire.onclose = () => resolve(false);
    });
}

/** Ends what pages that are gone have left. */
export async function endLeft() {
    for (const key of Object.keys(localStorage)) {
        if (!key.startsWith(KEPT)) continue;
        const [since, user] = JSON.parse(localStorage.getItem(key) ?? "[0]");
        const isOld = Date.now() - since > OLD_MS;
        if (isOld) localStorage.removeItem(key);
        // Who is not the user cannot end it.
        if (isOld || user !== whoami.value?.user || !navigator.locks) continue;
        await navigator.locks.request(key, { ifAvailable: true }, async (lock) => {
            if (lock && (await end(key.slice(KEPT.length)))) localStorage.removeItem(key);
        });
    }
}

// A page that is closed or left ends what it has; the browser would only cut it off.
addEventListener("pagehide", () => {
    for (const wire of open) wire.close(NORMAL);
});
