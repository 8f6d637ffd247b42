// AMQP 1.0 over WebSocket: one session with two links, one of them to a durable subscription of the
// topic. Links are not resumed here. After a loss the page connects and attaches again; what was
// not settled comes again from the broker, with a delivery count, and is sent again by the page,
// with a mark. So nothing is lost, and what comes twice can be told by its message id.
//
// An entry that waits to be accepted is { id, body, again }.

import * as to from "./amqp-codec.js";
import { Wire, random } from "./wire.js";

// Descriptors of parts 2, 3 and 5 of the standard.
const [OPEN, BEGIN, ATTACH, FLOW] = [0x10, 0x11, 0x12, 0x13];
const [TRANSFER, DISPOSITION, DETACH, END, CLOSE] = [0x14, 0x15, 0x16, 0x17, 0x18];
const [ACCEPTED, SOURCE, TARGET] = [0x24, 0x28, 0x29];
const [MECHANISMS, INIT, OUTCOME] = [0x40, 0x41, 0x44];
const [HEADER, PROPERTIES, APPLICATION_PROPERTIES, VALUE] = [0x70, 0x73, 0x74, 0x77];

/** Whom the WebSocket's request has let in; or anybody. */
const LOGINS = ["EXTERNAL", "ANONYMOUS"];
/** Our names for the links, by number. */
const [RECEIVING, SENDING] = [0, 1];
/** Of part 2.8: both sides may speak of a link. */
const [IS_SENDER, IS_RECEIVER] = [false, true];
const FRAME_MAX_BYTES = 65_536;
/** Transfers that may come; the link's credit is what limits them. */
const WINDOW = 2 ** 31 - 1;
const CREDIT = 200;
const UNSETTLED_STATE = 2;

export class Amqp {
    #wire;
    /** Part of the subscription's name, so the same on each connection. */
    #container = `demo-${random()}`;
    #waiting = [];
    /** Sent on this connection and not accepted, by delivery id. */
    #unsettled = new Map();
    #isLoggedIn = false;
    #attached = new Set();
    #beat;
    /** Deliveries of ours; each is one transfer, so this is the id of the next in both counts. */
    #sent = 0;
    #creditUpTo = 0;
    #windowUpTo = 0;
    #sendingThere;
    /** Transfers and deliveries that came, and the number of the next transfer. */
    #nextIncoming = 0;
    #received = 0;
    #granted = 0;
    #parts = [];
    #partsOf = 0;

    constructor(address, audience) {
        Object.assign(this, { address, audience });
        this.#wire = new Wire("amqp", "", this);
    }

    begin() {
        this.#wire.open();
    }

    /** A link that is closed, and not only detached, ends its subscription. */
    end() {
        this.#say(to.composite(DETACH, to.uint(RECEIVING), to.bool(true)));
        this.#say(to.composite(CLOSE));
        this.#wire.close();
        clearInterval(this.#beat);
    }

    cut() {
        return this.#wire.cut();
    }

    send(id, body) {
        this.#waiting.push({ id, body, again: false });
        this.#flush();
    }

    #say(performative, payload) {
        this.#wire.send(to.frame(false, performative, payload));
    }

    opened() {
        this.#wire.send(to.header(true));
    }

    received(data) {
        for (const frame of to.framesOf(new Uint8Array(data))) this.#take(frame);
    }

    #take({ isHeader, descriptor, fields, payload }) {
        if (isHeader) return;
        const steps = {
            [MECHANISMS]: () => this.#logIn([fields[0]].flat()),
            [OUTCOME]: () => (fields[0] === 0 ? this.#connect() : this.#giveUp("login refused")),
            [OPEN]: () => this.#keepAlive(fields[4]),
            [BEGIN]: () => this.#begun(fields),
            [ATTACH]: () => this.#attach(fields),
            [FLOW]: () => this.#flow(fields),
            [TRANSFER]: () => this.#transfer(fields, payload),
            [DISPOSITION]: () => this.#settle(fields),
            [DETACH]: () => this.#giveUp(fields[2]?.value),
            [END]: () => this.#giveUp(fields[0]?.value),
            [CLOSE]: () => this.#giveUp(fields[0]?.value),
        };
        steps[descriptor]?.();
    }

    #logIn(offered) {
        const mechanism = LOGINS.find((one) => offered.includes(one));
        if (!mechanism) return this.#giveUp(`${offered} is offered, and the page has no password`);
        const init = to.composite(INIT, to.symbol(mechanism), to.binary([]));
        this.#wire.send(to.frame(true, init));
    }

    /** All that does not depend on an answer goes at once. */
    #connect() {
        if (this.#isLoggedIn) return;
        this.#isLoggedIn = true;
        this.#wire.send(to.header(false));
        const container = to.string(this.#container);
        this.#say(to.composite(OPEN, container, to.nothing, to.uint(FRAME_MAX_BYTES)));
        this.#say(
            to.composite(BEGIN, to.nothing, to.uint(0), to.uint(WINDOW), to.uint(WINDOW)),
        );
        const address = to.string(this.address);
        // Neither the end of the link nor that of the connection is the subscription's.
        const subscription = to.composite(
            SOURCE,
            address,
            to.uint(UNSETTLED_STATE),
            to.symbol("never"),
        );
        this.#ask(RECEIVING, IS_RECEIVER, subscription, to.composite(TARGET));
        this.#ask(SENDING, IS_SENDER, to.composite(SOURCE), to.composite(TARGET, address));
    }

    #ask(handle, role, source, target) {
        // Unsettled until the receiver has settled; it says its outcome and settles in one.
        const modes = [to.ubyte(0), to.ubyte(0)];
        const ends = [source, target, to.nothing, to.bool(false), to.uint(0)];
        const [name, number] = [to.string("demo"), to.uint(handle)];
        this.#say(to.composite(ATTACH, name, number, to.bool(role), ...modes, ...ends));
    }

    /** A third of what the broker bears of silence. */
    #keepAlive(idleMs) {
        clearInterval(this.#beat);
        if (idleMs) this.#beat = setInterval(() => this.#say(), idleMs / 3);
    }

    #begun([, next, window]) {
        this.#nextIncoming = next;
        this.#windowUpTo = window;
    }

    #attach([, handle, role, , , source, target, , , count]) {
        // Refused; the reason follows in a detach.
        if (!source || !target) return;
        if (role === IS_SENDER) {
            this.#received = count ?? 0;
            this.#grant();
            this.audience.subscribed();
        } else this.#sendingThere = handle;
        this.#attached.add(role);
        if (this.#attached.size === 2) this.#ready();
    }

    #ready() {
        this.#wire.isGood();
        this.audience.up("attached", this.#waiting.length);
        this.#flush();
    }

    #grant() {
        this.#granted = this.#received;
        const session = [this.#nextIncoming, WINDOW, this.#sent, WINDOW];
        const link = [RECEIVING, this.#received, CREDIT];
        this.#say(to.composite(FLOW, ...[...session, ...link].map(to.uint)));
    }

    /** How much the broker takes: in all, and on the link. */
    #flow([next, window, , , handle, count, credit]) {
        this.#windowUpTo = (next ?? 0) + window;
        if (handle !== null && handle === this.#sendingThere) {
            this.#creditUpTo = (count ?? 0) + credit;
        }
        this.#flush();
    }

    #flush() {
        const upTo = Math.min(this.#creditUpTo, this.#windowUpTo);
        while (this.#waiting.length && this.#sent < upTo) {
            const entry = this.#waiting.shift();
            const id = to.uint(this.#sent);
            const tag = to.binary(id.slice(1));
            const settled = to.bool(false);
            const transfer = [to.uint(SENDING), id, tag, to.uint(0), settled];
            this.#say(to.composite(TRANSFER, ...transfer), message(entry));
            this.#unsettled.set(this.#sent, entry);
            this.#sent += 1;
        }
    }

    /** What the broker makes of ours. Accepted is on disk. */
    #settle([role, first, last, , state]) {
        if (role !== IS_RECEIVER || !state) return;
        for (let id = first; id <= (last ?? first); id += 1) {
            const entry = this.#unsettled.get(id);
            this.#unsettled.delete(id);
            if (entry && state.descriptor === ACCEPTED) this.audience.confirmed(entry.id);
            else if (entry) this.audience.note(`${entry.id} was not accepted`, "bad");
        }
    }

    /** A message, or a part of one. */
    #transfer([, id, , , , more], payload) {
        this.#nextIncoming += 1;
        this.#partsOf = id ?? this.#partsOf;
        this.#parts.push(...payload);
        if (more) return;
        const sections = new to.Reader(Uint8Array.from(this.#parts.splice(0)));
        const { messageId, again } = read(sections);
        this.audience.received(messageId, again);
        this.#received += 1;
        // After it is counted: what is settled does not come again.
        const number = to.uint(this.#partsOf);
        const [role, settled] = [to.bool(IS_RECEIVER), to.bool(true)];
        const accepted = to.composite(ACCEPTED);
        this.#say(to.composite(DISPOSITION, role, number, number, settled, accepted));
        if (this.#received - this.#granted > CREDIT / 2) this.#grant();
    }

    /** The broker ends a link, a session or the connection: an error, or a reason. */
    #giveUp(why) {
        const text = Array.isArray(why) ? why.filter(Boolean).join(": ") : why;
        this.audience.note(text ?? "ended by the broker", "bad");
        this.#wire.giveUp();
    }

    lost(code) {
        clearInterval(this.#beat);
        const unsettled = [...this.#unsettled.values()];
        // Before younger ones, so that the order stays.
        this.#waiting.unshift(...unsettled.map((entry) => ({ ...entry, again: true })));
        this.#unsettled.clear();
        this.#attached.clear();
        this.#isLoggedIn = false;
        this.#parts = [];
        this.#sent = this.#creditUpTo = this.#windowUpTo = 0;
        this.#sendingThere = undefined;
        this.audience.down(code);
    }
}

function message({ id, body, again }) {
    const mark = [to.string("sent-again"), to.bool(true)];
    return [
        to.composite(HEADER, to.bool(true)),
        to.composite(PROPERTIES, to.string(id)),
        again ? to.described(APPLICATION_PROPERTIES, to.map(...mark)) : [],
        to.described(VALUE, to.string(body)),
    ].flat();
}

/** Its id, and whether somebody may have had it before. */
function read(sections) {
    const found = { messageId: undefined, again: false };
    while (!sections.isAtEnd) {
        const { descriptor, value } = sections.value();
        if (descriptor === HEADER) found.again ||= (value[4] ?? 0) > 0;
        else if (descriptor === PROPERTIES) found.messageId = String(value[0] ?? "");
        else if (descriptor === APPLICATION_PROPERTIES) {
            found.again ||= String(value.get("sent-again")) === "true";
        }
    }
    return found;
}
