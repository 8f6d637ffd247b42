// Asks a service and waits for its answer, over AMQP 1.0 on a WebSocket. The answers come to an
// address that the broker makes for this connection. Usage: node ask.mjs QUESTION ...
import rhea from "rhea";
import { WebSocket } from "ws";

const { WHARF_URL = "ws://127.0.0.1:8080/ws", WHARF_USER, WHARF_PASSWORD } = process.env;

const socketTo = rhea.websocket_connect(WebSocket);
const connection = rhea.connect({
    connection_details: socketTo(WHARF_URL, ["amqp"], {}),
    username: WHARF_USER,
    password: WHARF_PASSWORD,
    reconnect: false,
});
const answers = connection.open_receiver({ source: { dynamic: true } });
const questions = connection.open_sender("questions");
const waiting = new Map();

answers.on("message", ({ message }) => {
    waiting.get(message.correlation_id)?.(message.body);
    waiting.delete(message.correlation_id);
});
const ready = Promise.all([
    new Promise((resolve) => answers.once("receiver_open", resolve)),
    new Promise((resolve) => questions.once("sendable", resolve)),
]);

async function ask(body) {
    await ready;
    const id = crypto.randomUUID();
    const answer = new Promise((resolve) => waiting.set(id, resolve));
    questions.send({ message_id: id, reply_to: answers.source.address, body });
    return answer;
}

for (const question of process.argv.slice(2)) console.log(question, "->", await ask(question));
connection.close();
