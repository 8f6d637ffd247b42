// MBWS, in text frames: docs/protocols/mbws.md has the bytes. A connection has a name, and each
// side numbers what it sends from 1. After a loss both say how far they got; what the other side
// does not have is sent again under its old number. So nothing is lost and nothing comes twice.
//
// An entry that waits to be acknowledged is { id, body, again } or { consume: address }.

import { Wire } from "./wire.js";

const MESSAGE = 3;
const ACKNOWLEDGE = 2;
const CONNECT = 1;

export class Mbws {
    #wire;
    #isOpen = false;
    /** The connection; empty before there is one. */
    #name = "";
    /** Number of the last message received. */
    #received = 0;
    /** Number of the last message that the broker has on disk. */
    #acknowledged = 0;
    /** What came after that. The next number is behind its end. */
    #window;

    constructor(address, audience) {
        Object.assign(this, { address, audience });
        this.#window = [{ consume: address }];
        // String lengths are to be what String.length says.
        this.#wire = new Wire("MBWS.huawei.com", "unit=utf16", this);
    }

    begin() {
        this.#wire.open();
    }

    /** Code 1000 ends the connection, and with it the subscription. */
    end() {
        this.#wire.close();
    }

    cut() {
        return this.#wire.cut();
    }

    send(id, body) {
        const entry = { id, body, again: false };
        this.#window.push(entry);
        if (this.#isOpen) this.#write(entry);
    }

    #write(entry) {
        this.#wire.send(messageFrame(this.address, entry));
    }

    opened() {
        const last = this.#acknowledged + this.#window.length;
        const numbers = this.#name ? [this.#received, this.#acknowledged + 1, last] : [];
        this.#wire.send(`${CONNECT} ${string(this.#name)}${list(numbers, (n) => `${n} `)}`);
    }

    received(data) {
        // A binary message is none of ours, but has a number like any other.
        const frame = typeof data === "string" ? read(data) : { kind: MESSAGE, properties: [] };
        if (frame.kind === CONNECT) this.#connected(frame);
        else if (frame.kind === ACKNOWLEDGE) this.#release(frame.number);
        else this.#take(frame);
    }

    #connected({ name, numbers }) {
        this.#isOpen = true;
        this.#wire.isGood();
        const isSame = numbers.length > 0;
        if (isSame) this.#release(numbers[0]);
        else if (this.#name) this.#startAnew();
        this.#name = name;
        for (const entry of this.#window) this.#write(entry);
        this.audience.up(isSame ? "recovered" : "new connection", this.#window.length);
    }

    /**
     * The broker knows the connection no more: its retention is over, or its journal is another.
     * Nobody can say whether it had what it did not acknowledge, so what is sent again says so.
     */
    #startAnew() {
        this.audience.note("the broker knows nothing of this connection", "bad");
        const waiting = this.#window.filter(({ consume }) => !consume);
        this.#window = [
            { consume: this.address },
            ...waiting.map((entry) => ({ ...entry, again: true })),
        ];
        this.#acknowledged = this.#received = 0;
    }

    #take({ properties }) {
        this.#received += 1;
        const property = (name) => properties.find(([known]) => known === name)?.[1];
        this.audience.received(property("message-id"), property("sent-again") === "true");
        // After it is counted: what is acknowledged does not come again.
        this.#wire.send(`${ACKNOWLEDGE} ${this.#received} `);
    }

    /** Everything up to this number is on disk. */
    #release(upTo) {
        const gone = this.#window.splice(0, upTo - this.#acknowledged);
        this.#acknowledged = upTo;
        for (const { id, consume } of gone) {
            if (consume) this.audience.subscribed();
            else this.audience.confirmed(id);
        }
    }

    lost(code) {
        this.#isOpen = false;
        this.audience.down(code);
    }
}

const string = (value) => `${value.length} ${value}`;
const list = (values, entry) => `${values.length} ${values.map(entry).join("")}`;

function messageFrame(address, { id, body = "", again, consume }) {
    const properties = consume ? [["address", consume]] : [["message-id", id]];
    if (again) properties.push(["sent-again", "true"]);
    const pairs = list(properties, ([name, value]) => string(name) + string(value));
    const to = consume ? "wharf/consume" : address;
    return `${MESSAGE} ${list([to], string)}${string("")}${pairs}${body}`;
}

function read(text) {
    let at = 0;
    const number = () => {
        const end = text.indexOf(" ", at);
        const value = Number(text.slice(at, end));
        at = end + 1;
        return value;
    };
    const string = () => {
        const length = number();
        at += length;
        return text.slice(at - length, at);
    };
    const list = (entry) => Array.from({ length: number() }, entry);
    const kind = number();
    if (kind === CONNECT) return { kind, name: string(), numbers: list(number) };
    if (kind === ACKNOWLEDGE) return { kind, number: number() };
    const [addresses, type] = [list(string), string()];
    const properties = list(() => [string(), string()]);
    return { kind, addresses, type, properties, body: text.slice(at) };
}
