// A client as a web page would have it: it sends, receives, and goes on where it was whenever its socket is lost.
import { acknowledge, connect, decode, encode, message } from "./codec.js";

const PROTOCOL = "MBWS.huawei.com";
const RETRY_MS = 50;

export class Client {
    constructor(url, { kind = "text", unit = "code-points", store = null, onMessage = () => {} } = {}) {
        Object.assign(this, { url, kind, unit, store, onMessage });
        // MBWS-021: what is needed to go on: the name, the last number received, and what is unacknowledged.
        const kept = store && JSON.parse(sessionStorage.getItem(store) ?? "null");
        this.state = kept ?? { name: "", received: 0, sent: 0, window: [] };
        this.losses = [];
        this.refusals = 0;
        this.isOpen = false;
        this.isWanted = true;
        this.idle = [];
        this.open();
    }

    open() {
        const socket = new WebSocket(this.url, PROTOCOL);
        socket.binaryType = "arraybuffer";
        this.socket = socket;
        this.isOpen = false;
        socket.onopen = () => this.write(this.opening());
        socket.onmessage = ({ data }) => {
            if (this.socket === socket) this.receive(decode(data, this.unit), typeof data);
        };
        socket.onclose = ({ code, wasClean }) => {
            if (this.socket !== socket) return;
            this.isOpen = false;
            this.losses.push({ code, wasClean });
            if (this.isWanted) setTimeout(() => this.socket === socket && this.isWanted && this.open(), RETRY_MS);
            this.settle();
        };
    }

    // MBWS-010, MBWS-040, MBWS-041, MBWS-042, MBWS-A04
    opening() {
        const { name, received, sent, window } = this.state;
        return name ? connect(name, [received, sent - window.length + 1, sent]) : connect();
    }

    write(frame, kind = this.kind) {
        this.socket.send(encode(frame, kind, this.unit));
    }

    receive(frame, type) {
        if (frame.id === 3) {
            this.state.received += 1;
            const delivery = { ...frame, seq: this.state.received, kind: type === "string" ? "text" : "binary" };
            this.keep();
            this.onMessage(delivery);
            this.write(acknowledge(this.state.received));
        } else if (frame.id === 2) {
            this.drop(frame.number);
        } else {
            this.opened(frame);
        }
        this.settle();
    }

    opened({ name, numbers }) {
        if (this.state.name && name !== this.state.name) {
            // MBWS-050, MBWS-052: refused. What was not acknowledged is sent anew, under new numbers.
            this.refusals += 1;
            Object.assign(this.state, { received: 0, sent: this.state.window.length });
        } else if (this.state.name) {
            // MBWS-047, MBWS-A23
            this.drop(numbers[0]);
        }
        this.state.name = name;
        this.isOpen = true;
        this.keep();
        for (const [addresses, body, properties, kind] of this.state.window) {
            this.write(message(addresses, body, properties), kind);
        }
    }

    // MBWS-034
    drop(number) {
        const { window, sent } = this.state;
        window.splice(0, number - (sent - window.length));
        this.keep();
    }

    send(addresses, body, properties = [], kind = this.kind) {
        this.state.sent += 1;
        this.state.window.push([addresses, body, properties, kind]);
        this.keep();
        if (this.isOpen) this.write(message(addresses, body, properties), kind);
    }

    keep() {
        if (this.store) sessionStorage.setItem(this.store, JSON.stringify(this.state));
    }

    // Waits until `condition` holds; it is looked at whenever something has come.
    until(condition) {
        return new Promise((resolve) => {
            this.idle.push([condition, resolve]);
            this.settle();
        });
    }

    settle() {
        const waiting = this.idle;
        this.idle = [];
        for (const [condition, resolve] of waiting) {
            if (condition(this)) resolve();
            else this.idle.push([condition, resolve]);
        }
    }

    isSettled() {
        return this.isOpen && this.state.window.length === 0;
    }

    end(code, reason) {
        this.isWanted = false;
        const socket = this.socket;
        return new Promise((resolve) => {
            socket.onclose = ({ code: seen, wasClean }) => resolve({ code: seen, wasClean });
            if (code === undefined) socket.close();
            else socket.close(code, reason);
        });
    }
}
