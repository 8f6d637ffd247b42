// Writes to a queue as if it were a person, and prints who answers, over XMPP with strophe.js.
// Usage: node chat.mjs ADDRESS TEXT
import { WebSocket } from "ws";

// strophe.js expects the browser's.
globalThis.WebSocket = WebSocket;
const { Strophe, $msg, $pres } = await import("strophe.js");
Strophe.setLogLevel(Strophe.LogLevel.WARN);

const { WHARF_URL = "ws://127.0.0.1:8080/ws", WHARF_USER, WHARF_PASSWORD } = process.env;
const [to, text] = process.argv.slice(2);

// With stream management what was sent is resent after a lost connection, and counted.
const connection = new Strophe.Connection(WHARF_URL, { enableStreamManagement: true });

connection.connect(`${WHARF_USER}@localhost/chat`, WHARF_PASSWORD, (status, reason) => {
    if (status === Strophe.Status.CONNECTED) {
        connection.addHandler(answered, null, "message");
        connection.send($pres());
        connection.send($msg({ to, type: "chat" }).c("body").t(text));
    }
    if (status === Strophe.Status.AUTHFAIL) throw new Error(`login: ${reason}`);
});

function answered(stanza) {
    const [body] = stanza.getElementsByTagName("body");
    const from = Strophe.getBareJidFromJid(stanza.getAttribute("from"));
    if (stanza.getAttribute("type") === "error") console.log(`${from} refused it`);
    else console.log(`${from}: ${Strophe.getText(body)}`);
    connection.disconnect();
    return false;
}
