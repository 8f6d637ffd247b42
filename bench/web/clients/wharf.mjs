// The client of this repository. It repeats, recovers and keeps order by itself: nothing is added here.
import WebSocket from "ws";
import { connect } from "../../../clients/web/dist/index.js";
import { TOKEN } from "../../../clients/web/test/broker.mjs";
import { PAUSE_MS } from "./pause.mjs";

/** What `persist` keeps, in memory: node has no IndexedDB, and no page dies here. */
function memory() {
    let saved;
    let entries = [];
    let key = 0;
    return {
        load: async () => saved,
        add: async (frames) => frames.map((frame) => entries.push({ key: (key += 1), frame }) && key),
        async read(after, take) {
            for (const entry of entries) if (entry.key > after && !take(entry)) return;
        },
        async save(next) {
            saved = next;
            entries = entries.filter((entry) => entry.key > (next?.settled ?? Infinity));
        },
        close() {},
    };
}

function make({ address }) {
    let client;
    return {
        async connect(url) {
            // Full jitter: half of it in the mean.
            const pauses = { retryFirstMs: 2 * PAUSE_MS, retryMaxMs: 2 * PAUSE_MS };
            client = await connect(url, { token: TOKEN, persist: memory(), WebSocket, ...pauses });
        },
        publish: (n) => client.send(address, String(n)),
        async subscribe(taken) {
            const deliveries = client.receive(address);
            (async () => {
                for await (const delivery of deliveries) {
                    taken(Number(delivery.text()));
                    await delivery.ack();
                }
            })();
            // The wish goes the way of messages: when it is answered the subscription is there.
            await client.drain();
        },
        close: () => client.close({ forget: true }),
    };
}

export const rows = [{ key: "wharf", how: "persist", broker: "wharf", repeats: "client", make }];
