// Who has sent what, and what has come of it: the arithmetic behind the counters.

/** What one pane has received of one sender, whose messages are numbered from 1. */
class Received {
    highest = 0;
    missing = new Set();
    #marked = new Set();

    take(number, again) {
        const isNew = number > this.highest || this.missing.delete(number);
        while (this.highest < number) {
            this.highest += 1;
            if (this.highest < number) this.missing.add(this.highest);
        }
        const wasMarked = this.#marked.has(number);
        if (again) this.#marked.add(number);
        if (isNew) return "received";
        // Of two copies it is enough that one says what it is: an application can tell them.
        return again || wasMarked ? "repeated" : "duplicated";
    }
}

export class Tally {
    /** Handed to the protocol, and on the broker's disk for all that this pane knows. */
    sent = 0;
    confirmed = 0;
    /** Messages, each counted once. */
    received = 0;
    /** Came again and said so: recognised by their id, and dropped. */
    repeated = 0;
    /** Came again as if for the first time. */
    duplicated = 0;
    #senders = new Map();

    /** A message id is the sender's name, a hyphen and a number. */
    take(id, again) {
        const [sender, number] = (id ?? "").split("-");
        if (!/^[1-9][0-9]{0,6}$/.test(number ?? "")) return;
        if (!this.#senders.has(sender)) this.#senders.set(sender, new Received());
        this[this.#senders.get(sender).take(Number(number), again)] += 1;
    }

    /** Overtaken by younger messages of their sender. Each protocol keeps the order of a sender. */
    get lost() {
        let count = 0;
        for (const { missing } of this.#senders.values()) count += missing.size;
        return count;
    }

    /** Of what a sender knows to be on disk: how much is not here. */
    missingOf(sender, confirmed) {
        const received = this.#senders.get(sender);
        return Math.max(0, confirmed - (received ? received.highest - received.missing.size : 0));
    }
}
