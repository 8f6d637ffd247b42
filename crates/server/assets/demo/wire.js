// One WebSocket after another to the broker that this page is from, and the knife for them. What
// goes over the wire is for mbws.js, xmpp.js and amqp.js to know.

const PAUSE_FIRST_MS = 100;
const PAUSE_MAX_MS = 2000;

/** A name that nobody else has, short and plain. */
export function random() {
    const octets = crypto.getRandomValues(new Uint8Array(8));
    return Array.from(octets, (octet) => (octet % 36).toString(36)).join("");
}

export class Wire {
    #socket;
    #tag = "";
    #timer;
    #failures = 0;

    /** The protocol hears `opened()`, `received(data)` and `lost(code)`. */
    constructor(subprotocol, query, protocol) {
        Object.assign(this, { subprotocol, query, protocol });
    }

    open() {
        // The broker lists its connections with their tags: so a page finds its own.
        this.#tag = random();
        const url = new URL("/ws", location.href.replace("http", "ws"));
        url.search = `tag=${this.#tag}&${this.query}`;
        const socket = new WebSocket(url, this.subprotocol);
        socket.binaryType = "arraybuffer";
        socket.onopen = () => this.protocol.opened();
        socket.onmessage = ({ data }) => this.protocol.received(data);
        socket.onclose = ({ code }) => {
            this.#pause();
            this.protocol.lost(code);
        };
        this.#socket = socket;
    }

    // Browsers do not say why a WebSocket could not be opened, so there is one answer to all: try
    // again, later and later. Pauses differ, so that not everybody comes back at once.
    #pause() {
        const ms = Math.min(PAUSE_MAX_MS, PAUSE_FIRST_MS * 2 ** this.#failures);
        this.#failures += 1;
        this.#timer = setTimeout(() => this.open(), ms * (0.5 + Math.random() / 2));
    }

    /** The protocol is where it was: the next loss is a first one again. */
    isGood() {
        this.#failures = 0;
    }

    send(data) {
        if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(data);
    }

    /** Gives this WebSocket up for another one: the protocol does not know how to go on. */
    giveUp() {
        this.#socket.close(4000);
    }

    /** For good. */
    close() {
        clearTimeout(this.#timer);
        if (!this.#socket) return;
        this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
        this.#socket.close(1000);
    }

    /**
     * Has the broker reset the TCP connection. A page can only close a WebSocket politely, and a
     * cable that is torn out is not polite.
     */
    async cut() {
        if (this.#socket?.readyState !== WebSocket.OPEN) throw new Error("there is no wire to cut");
        const id = await this.#findSelf();
        const answer = await fetch(`/api/v1/connections/${encodeURIComponent(id)}?abrupt=true`, {
            method: "DELETE",
        });
        // 404: it was lost meanwhile.
        if (!answer.ok && answer.status !== 404) throw new Error(`HTTP ${answer.status}`);
    }

    async #findSelf() {
        for (let cursor = ""; cursor !== null; ) {
            const more = cursor && `&cursor=${encodeURIComponent(cursor)}`;
            const answer = await fetch(`/api/v1/connections?user=me${more}`);
            if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
            const { items, next } = await answer.json();
            const found = items.find(({ tag }) => tag === this.#tag);
            if (found) return found.id;
            cursor = next ?? null;
        }
        throw new Error("the broker does not list this connection");
    }
}
