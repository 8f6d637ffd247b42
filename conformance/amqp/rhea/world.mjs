// Where the broker is, and what a case is lent: connections that end with it and names of its own.
import rhea from "rhea";
import { Peer } from "./peer.mjs";

let turn = 0;

export class BaseWorld {
    constructor(given, name) {
        Object.assign(this, { given, name, peers: [] });
    }

    queue() {
        return `${this.given.queues}${this.name}`;
    }

    topic() {
        return `${this.given.topics}${this.name}`;
    }

    unique(word) {
        turn += 1;
        return `${word}-${this.given.run}-${turn}`;
    }

    mechanisms() {
        return rhea.sasl.client_mechanisms();
    }

    async peer(options = {}) {
        const peer = await Peer.open(this.details(), options);
        this.peers.push(peer);
        return peer;
    }

    async end() {
        for (const peer of this.peers) await peer.close().catch(() => {});
    }
}
