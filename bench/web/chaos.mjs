// The proxy of the client's own tests, which here breaks its wire by a plan.
import { Proxy, randomFrom } from "../../clients/web/test/proxy.mjs";

/** An armed wire that nobody uses is cut all the same. */
const SILENT_MS = 500;

/** The same cuts for the same seed: after which message, on whose wire, how many octets later, and how. */
export function planOf(seed, cuts, messages) {
    const random = randomFrom(seed);
    const plan = Array.from({ length: cuts }, () => ({
        after: 1 + random(messages),
        side: random(2) ? "publisher" : "subscriber",
        /** No wire is cut before it is so old: a few are met in their handshake, most in the flow of messages. */
        ageMs: random(100),
        octets: random(600),
        isReset: random(2) === 1,
    }));
    return plan.sort((a, b) => a.after - b.after);
}

export class Chaos extends Proxy {
    due = [];
    made = 0;

    /** Cuts the wire that is there, or the next one. */
    cutSoon(cut) {
        this.due.push(cut);
        this.arm();
    }

    join(client, head) {
        super.join(client, head);
        const wire = [...this.wires].at(-1);
        if (!wire) return;
        wire.since = performance.now();
        // As the clients and the brokers do themselves: who writes a frame in pieces would wait 40 ms for the second.
        for (const socket of [wire.client, wire.broker]) socket.setNoDelay();
        this.arm();
    }

    /** One cut for the newest wire, when it is old enough. */
    arm() {
        const wire = [...this.wires].at(-1);
        if (!wire || wire.plan || !this.due.length) return;
        wire.plan = this.due.shift();
        wire.timer = setTimeout(() => {
            wire.isArmed = true;
            wire.left = wire.plan.octets;
            wire.timer = setTimeout(() => this.cut(wire), SILENT_MS);
        }, Math.max(0, wire.since + wire.plan.ageMs - performance.now()));
    }

    cut(wire) {
        if (!this.wires.has(wire)) return;
        clearTimeout(wire.timer);
        if (wire.plan && !wire.isArmed) {
            // It went by itself: its cut is for the next one.
            this.due.unshift(wire.plan);
        } else if (wire.plan) {
            this.made += 1;
            if (wire.plan.isReset) for (const socket of [wire.client, wire.broker]) reset(socket);
        }
        super.cut(wire);
        this.arm();
    }

    close() {
        for (const wire of this.wires) clearTimeout(wire.timer);
        this.due = [];
        super.close();
    }
}

/** A socket that is not connected yet has nothing to reset. */
function reset(socket) {
    if (!socket.connecting && !socket.destroyed) socket.resetAndDestroy();
}
