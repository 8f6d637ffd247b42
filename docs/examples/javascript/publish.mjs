// Publishes prices on a topic, over AMQP 1.0 on a WebSocket. As JSON in a string, so that pages get
// text. Usage: node publish.mjs NAME=PRICE ...
import rhea from "rhea";
import { WebSocket } from "ws";

const { WHARF_URL = "ws://127.0.0.1:8080/ws", WHARF_USER, WHARF_PASSWORD } = process.env;

const socketTo = rhea.websocket_connect(WebSocket);
const connection = rhea.connect({
    connection_details: socketTo(WHARF_URL, ["amqp"], {}),
    username: WHARF_USER,
    password: WHARF_PASSWORD,
});
const sender = connection.open_sender("topic/prices");
const waiting = process.argv.slice(2);
let open = waiting.length;

sender.on("sendable", () => {
    while (waiting.length > 0 && sender.sendable()) {
        const [name, price] = waiting.shift().split("=");
        sender.send({ content_type: "application/json", body: JSON.stringify({ name, price }) });
    }
});
// Accepted: it is on disk for every subscription that the topic had.
sender.on("accepted", () => {
    open -= 1;
    if (open === 0) connection.close();
});
sender.on("rejected", ({ delivery }) => {
    throw new Error(`rejected: ${delivery.remote_state.error?.description}`);
});
connection.on("connection_error", () => {
    throw new Error(`${connection.error.condition}: ${connection.error.description}`);
});
connection.on("connection_close", () => console.log(`published ${process.argv.length - 2}`));
