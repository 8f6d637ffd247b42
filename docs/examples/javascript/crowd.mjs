// As many readers of prices as you like, each with a WebSocket and a token of its own as a page has,
// until each has got so many. Usage: node crowd.mjs READERS MESSAGES
import { WebSocket } from "ws";
import { parse } from "./mbws.js";

const [readers, wanted] = process.argv.slice(2).map(Number);
const { PORT = "8000" } = process.env;
// Of one burst, so that no server meets all of them at once.
const OPENING_MAX = 50;

const counts = new Array(readers).fill(0);
const sockets = [];
let first = 0;
let done = 0;

function take(reader, frame) {
    const { name, price } = JSON.parse(parse(frame).body);
    if (typeof name !== "string" || typeof price !== "string") throw new Error(`what is ${frame}?`);
    first ||= performance.now();
    counts[reader] += 1;
    if (counts[reader] === wanted) done += 1;
    if (done === readers) end();
}

function end() {
    const took = Math.round(performance.now() - first);
    console.log(`each of ${readers} has got ${wanted}, the last one ${took} ms after the first`);
    for (const socket of sockets) socket.close();
}

async function open(reader) {
    const { url, token } = await (await fetch(`http://127.0.0.1:${PORT}/login`)).json();
    const at = `${url}?address=topic/prices&unit=utf16`;
    // What a browser says of the page.
    const origin = `http://127.0.0.1:${PORT}`;
    const socket = new WebSocket(at, ["MBLWS.huawei.com", token], { origin });
    sockets.push(socket);
    socket.on("message", (data) => take(reader, String(data)));
    return new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject));
}

for (let next = 0; next < readers; next += OPENING_MAX) {
    const burst = Array.from({ length: Math.min(OPENING_MAX, readers - next) }, (_, at) => next + at);
    await Promise.all(burst.map(open));
}
console.log(`${readers} are looking`);
