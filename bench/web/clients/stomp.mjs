// stompjs as its guide and that of RabbitMQ's STOMP say: subscriptions are made in `onConnect`, messages are persistent
// and confirmed by receipts, the queue is durable, and each message is acknowledged after it was dealt with.
// The library repeats nothing: what has no receipt is sent again here, in its order, after each connection.
import { Client } from "@stomp/stompjs";
import WebSocket from "ws";
import { PAUSE_MS } from "./pause.mjs";

const PROTOCOLS = ["v12.stomp", "v11.stomp", "v10.stomp"];
const QUEUE = { durable: "true", "auto-delete": "false" };
/** As many at once as wharf-web takes by itself. */
const INDIVIDUAL = { ack: "client-individual", "prefetch-count": "32" };

function make({ address }) {
    const destination = `/queue/${address}`;
    /** By number, in the order of sending: who waits for the receipt. */
    const unconfirmed = new Map();
    let client;
    let listen = () => {};

    const send = (n) => {
        client.watchForReceipt(`m${n}`, () => {
            unconfirmed.get(n)?.();
            unconfirmed.delete(n);
        });
        const headers = { ...QUEUE, persistent: "true", receipt: `m${n}` };
        client.publish({ destination, body: String(n), headers });
    };

    return {
        connect: (url) =>
            new Promise((resolve) => {
                client = new Client({
                    webSocketFactory: () => new WebSocket(url, PROTOCOLS),
                    connectHeaders: { login: "guest", passcode: "guest" },
                    reconnectDelay: PAUSE_MS,
                    onConnect() {
                        listen();
                        for (const n of unconfirmed.keys()) send(n);
                        resolve();
                    },
                });
                client.activate();
            }),
        publish: (n) =>
            new Promise((resolve) => {
                unconfirmed.set(n, resolve);
                if (client.connected) send(n);
            }),
        subscribe: (taken) =>
            new Promise((resolve) => {
                listen = () => {
                    client.watchForReceipt("subscribed", resolve);
                    const headers = { ...QUEUE, ...INDIVIDUAL, receipt: "subscribed" };
                    const deal = (message) => {
                        taken(Number(message.body));
                        message.ack();
                    };
                    client.subscribe(destination, deal, headers);
                };
                if (client.connected) listen();
            }),
        close: () => client.deactivate(),
    };
}

export const rows = [
    { key: "stomp", how: "receipts, `client-individual`", broker: "RabbitMQ, STOMP", repeats: "application", make },
];
