// centrifuge-js with positioning and recovery, of a channel with history. The library recovers the subscription. It
// rejects a publish whose connection is lost: what was not answered is sent again here, in its order, after each
// connection.
import { Centrifuge } from "centrifuge";
import WebSocket from "ws";
import { PAUSE_MS } from "./pause.mjs";

function make({ address }) {
    /** By number, in the order of sending: who waits for the answer. */
    const unconfirmed = new Map();
    let client;
    let connection = 0;

    const send = (n) => {
        const of = connection;
        const confirmed = () => {
            unconfirmed.get(n)?.();
            unconfirmed.delete(n);
        };
        // Not over the connection that it was lost with: the next one sends it again by itself.
        const failed = () => of === connection && client.state === "connected" && send(n);
        client.publish(address, n).then(confirmed, failed);
    };

    return {
        async connect(url) {
            const pauses = { minReconnectDelay: PAUSE_MS, maxReconnectDelay: PAUSE_MS };
            client = new Centrifuge(url, { websocket: WebSocket, ...pauses });
            client.on("connected", () => {
                connection += 1;
                for (const n of unconfirmed.keys()) send(n);
            });
            client.connect();
            await client.ready();
        },
        publish: (n) =>
            new Promise((resolve) => {
                unconfirmed.set(n, resolve);
                if (client.state === "connected") send(n);
            }),
        async subscribe(taken) {
            const pauses = { minResubscribeDelay: PAUSE_MS, maxResubscribeDelay: PAUSE_MS };
            const subscription = client.newSubscription(address, { positioned: true, recoverable: true, ...pauses });
            subscription.on("publication", ({ data }) => taken(data));
            subscription.subscribe();
            await subscription.ready();
        },
        close: async () => client.disconnect(),
    };
}

export const rows = [
    { key: "centrifuge", how: "recovery, positioning", broker: "Centrifugo", repeats: "application", make },
];
