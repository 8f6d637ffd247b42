// Takes orders from a queue, one after the other, and never the same one twice.
// WHARF_URL=ws://127.0.0.1:8080/ws WHARF_USER=admin WHARF_PASSWORD=... node node.mjs [how many]
import WebSocket from "ws"; // from node 22 on there is a global one
import { connect } from "../dist/index.js";

const { WHARF_URL: url, WHARF_USER: user, WHARF_PASSWORD: password } = process.env;
let left = Number(process.argv[2] ?? Infinity);
const client = await connect(url, { token: `${user}:${password}`, WebSocket });
client.addEventListener("state", ({ detail }) => console.error(detail.state, detail.reason ?? ""));
for await (const order of client.receive("orders", { credit: 8 })) {
    console.log(order.text());
    await order.ack();
    if ((left -= 1) <= 0) break;
}
await client.close();
