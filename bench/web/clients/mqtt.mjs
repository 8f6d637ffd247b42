// mqtt.js with a session that outlives its connections. The library keeps what is unconfirmed and sends it again after
// each connection. What is published while it does so, it rejects if that connection is lost too: only this is
// published again here, at once, which keeps the order, since the library keeps it until there is a connection.
import mqtt from "mqtt";
import { PAUSE_MS } from "./pause.mjs";

const make = (qos) => ({ address, id }) => {
    let client;
    return {
        connect: (url) =>
            new Promise((resolve) => {
                client = mqtt.connect(url, {
                    clientId: id,
                    clean: false,
                    reconnectPeriod: PAUSE_MS,
                    username: "guest",
                    password: "guest",
                });
                // Without a listener a connection that is cut ends the program.
                client.on("error", () => {});
                client.once("connect", () => resolve());
            }),
        async publish(n) {
            for (;;) {
                try {
                    return await client.publishAsync(address, String(n), { qos });
                } catch (error) {
                    if (client.disconnecting) throw error;
                }
            }
        },
        async subscribe(taken) {
            client.on("message", (_topic, payload) => taken(Number(payload)));
            await client.subscribeAsync(address, { qos });
        },
        close: () => client.endAsync(true),
    };
};

// The last one shows what cuts do where nothing is confirmed.
export const rows = [
    { key: "mqtt", how: "QoS 1", broker: "RabbitMQ, MQTT", repeats: "client, most", make: make(1) },
    { key: "mqtt", how: "QoS 1", broker: "Mosquitto", repeats: "client, most", make: make(1) },
    { key: "mqtt", how: "QoS 2", broker: "Mosquitto", repeats: "client, most", make: make(2) },
    { key: "mqtt", how: "QoS 0", broker: "Mosquitto", repeats: "nobody", make: make(0) },
];
