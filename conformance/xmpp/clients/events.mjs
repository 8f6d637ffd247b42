// What a client has heard, and the wait for something of it.

const WAIT_MS = 20_000;

export class Heard {
    #events = [];
    #waiting = new Set();

    push(event) {
        this.#events.push(event);
        for (const look of [...this.#waiting]) look();
    }

    all(kind) {
        return this.#events.filter((event) => event.kind === kind);
    }

    /** The first event that fits, now or later. */
    wait(what, fits, ms = WAIT_MS) {
        return new Promise((done, failed) => {
            const timer = setTimeout(() => {
                this.#waiting.delete(look);
                const last = JSON.stringify(this.#events.slice(-5));
                failed(new Error(`timed out: ${what}; the last it heard: ${last}`));
            }, ms);
            const look = () => {
                const found = this.#events.find(fits);
                if (!found) return;
                clearTimeout(timer);
                this.#waiting.delete(look);
                done(found);
            };
            this.#waiting.add(look);
            look();
        });
    }
}

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Messages and presence out of elements with a DOM's or ltx's face: `get` hides the difference. */
export function eventOf(element, get) {
    const name = get.name(element);
    if (name === "message") {
        const copy = ["sent", "received"].find((way) => get.child(element, way));
        const forwarded = copy && get.child(get.child(element, copy), "forwarded");
        const result = get.child(element, "result");
        const inner = forwarded ?? (result && get.child(result, "forwarded"));
        const message = inner ? get.child(inner, "message") : element;
        const body = message && get.child(message, "body");
        return {
            kind: "message",
            from: get.attribute(message, "from"),
            type: get.attribute(element, "type"),
            body: body && get.text(body),
            copy,
            archived: result && get.attribute(result, "id"),
        };
    }
    if (name === "presence") {
        return { kind: "presence", from: get.attribute(element, "from"), type: get.attribute(element, "type") ?? "available" };
    }
    return { kind: name };
}
