import rhea from "rhea";
import { WebSocket } from "ws";

const { WHARF_URL, WHARF_USER: username, WHARF_PASSWORD: password } = process.env;
const connection_details = rhea.websocket_connect(WebSocket)(WHARF_URL, ["amqp"], {});
rhea.connect({ connection_details, username, password }).open_receiver("orders");
rhea.on("message", ({ message }) => console.log(message.body));
