// What the tests of the client in node have in common.
import WebSocket from "ws";
import { connect } from "../dist/index.min.js";
import { TOKEN } from "./broker.mjs";

/** Fast pauses: the broker is near. */
export const QUICK = { WebSocket, token: TOKEN, retryFirstMs: 20, retryMaxMs: 200, closeTimeoutMs: 2000 };

export const open = (url, options = {}) => connect(url, { ...QUICK, ...options });

/** Every state that a client enters, and its details. */
export function statesOf(client) {
    const states = [];
    client.addEventListener("state", ({ detail }) => states.push(detail));
    return states;
}

/** Waits until a condition holds, looking again and again; `what` says what was waited for. */
export async function until(condition, what, ms = 30_000) {
    const end = Date.now() + ms;
    while (!(await condition())) {
        if (Date.now() > end) throw new Error(`waited too long: ${typeof what === "function" ? what() : what}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
    }
}

/** Reads `count` texts of an address, and acknowledges each. */
export async function collect(client, address, count, options) {
    const texts = [];
    for await (const delivery of client.receive(address, options)) {
        texts.push(delivery.text());
        const isTaken = delivery.ack();
        if (texts.length < count) continue;
        await isTaken;
        break;
    }
    return texts;
}

export const numbers = (count, prefix = "") => Array.from({ length: count }, (_, at) => `${prefix}${at}`);
