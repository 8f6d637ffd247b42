// Rhea's events as promises, each bounded in time. Runs in node and in a web page.
import rhea from "rhea";

export const { message, types } = rhea;
const STEP_MS = 15_000;

// Every message keeps the octets it came as, so that a case can say whether they are those that were sent.
const decode = message.decode;
message.decode = (octets) => Object.assign(decode(octets), { octets });

export function within(promise, what, ms = STEP_MS) {
    let timer;
    const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`timed out: ${what}`)), ms);
    });
    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

const why = (error) => Object.assign(new Error(`${error?.condition}: ${error?.description}`), { condition: error?.condition });

export class Peer {
    constructor(connection) {
        this.connection = connection;
    }

    // `details` is what rhea needs to connect: from world.details().
    static async open(details, options = {}) {
        const container = rhea.create_container(options.container_id ? { id: options.container_id } : {});
        container.on("error", () => {});
        const connection = container.create_connection({ reconnect: false, ...details, ...options });
        const opened = new Promise((resolve, reject) => {
            connection.once("connection_open", resolve);
            connection.on("connection_error", ({ error }) => reject(why(error)));
            connection.on("error", reject);
            connection.on("protocol_error", reject);
            connection.on("disconnected", ({ error, reconnecting }) => reconnecting || reject(error ?? new Error("disconnected")));
        });
        opened.catch(() => {});
        connection.on("disconnected", () => {
            // Rhea would go on with the half of a frame that came over the wire that broke.
            Object.assign(connection, { frame_size: undefined, chunks: null, previous_input: null });
        });
        connection.connect();
        await within(opened, "open");
        return new Peer(connection);
    }

    async sender(address, options = {}) {
        const target = typeof address === "string" ? { address } : address;
        const sender = this.connection.open_sender({ autosettle: true, treat_modified_as_released: false, ...options, target });
        const outbox = new Outbox(sender);
        await attached(sender, "target", outbox.end);
        return outbox;
    }

    async receiver(address, { credit = 100, source = {}, ...options } = {}) {
        const from = { ...(typeof address === "string" ? { address } : address), ...source };
        const receiver = this.connection.open_receiver({ autoaccept: false, autosettle: false, credit_window: 0, ...options, source: from });
        const inbox = new Inbox(receiver);
        await attached(receiver, "source", inbox.end);
        if (credit) receiver.add_credit(credit);
        return inbox;
    }

    async close() {
        if (!this.connection.is_open()) return;
        const closed = new Promise((resolve) => {
            this.connection.once("connection_close", resolve);
            this.connection.once("disconnected", resolve);
        });
        this.connection.close();
        await within(closed, "close");
    }
}

// Rejects as soon as the link, its session or its connection ends: nobody waits for what cannot come.
function broken(link) {
    const kind = link.is_receiver() ? "receiver" : "sender";
    const end = new Promise((_, reject) => {
        link.on(`${kind}_error`, () => reject(why(link.error)));
        link.on(`${kind}_close`, () => reject(new Error(`the ${kind} was closed`)));
        link.session.on("session_error", ({ session }) => reject(why(session.error)));
        link.session.on("session_close", () => reject(new Error("the session was ended")));
        link.connection.on("connection_error", ({ error }) => reject(why(error)));
        link.connection.on("disconnected", ({ reconnecting }) => reconnecting || reject(new Error("disconnected")));
    });
    end.catch(() => {});
    return end;
}

// A refusal is an attach without a terminus, and then a detach that says why.
function attached(link, terminus, end) {
    const kind = link.is_receiver() ? "receiver" : "sender";
    const opened = new Promise((resolve) => {
        link.once(`${kind}_open`, () => {
            // Rhea shows a null in its own wrapping.
            if (link[terminus] && link[terminus].type?.name !== "Null") resolve();
        });
    });
    return within(Promise.race([opened, end]), `attach of a ${kind}`);
}

export class Outbox {
    constructor(sender) {
        this.sender = sender;
        this.end = broken(sender);
        this.waiting = new Map();
        const told = ({ delivery }) => {
            this.waiting.get(delivery)?.(delivery.remote_state);
            this.waiting.delete(delivery);
        };
        for (const outcome of ["accepted", "rejected", "released", "modified"]) sender.on(outcome, told);
    }

    // Sends when there is credit; a buffer is a whole message, encoded. The outcome is a promise of its own.
    async send(body, fields = {}) {
        if (!this.sender.sendable()) {
            const sendable = new Promise((resolve) => this.sender.once("sendable", resolve));
            await within(Promise.race([sendable, this.end]), "credit to send");
            return this.send(body, fields);
        }
        const delivery = body instanceof Buffer ? this.sender.send(body, undefined, 0) : this.sender.send({ ...fields, body });
        const outcome = new Promise((resolve) => this.waiting.set(delivery, resolve));
        return { delivery, outcome };
    }

    // Sends all of them and waits until each is accepted.
    async deliver(...messages) {
        const outcomes = [];
        for (const each of messages) {
            const { body, ...fields } = each.body ? each : { body: each };
            outcomes.push((await this.send(body, fields)).outcome);
        }
        for (const outcome of await within(Promise.race([Promise.all(outcomes), this.end]), "outcomes", 50_000)) {
            if (outcome?.constructor.composite_type !== "accepted") {
                throw new Error(`not accepted but ${outcome?.constructor.composite_type} ${outcome?.error?.condition ?? ""}`);
            }
        }
    }

    close() {
        return ended(this.sender, "close", "sender_close");
    }
}

export class Inbox {
    constructor(receiver) {
        this.receiver = receiver;
        this.end = broken(receiver);
        this.got = [];
        receiver.on("message", ({ message, delivery }) => {
            this.got.push({ message, delivery, body: text(message.body), count: message.delivery_count ?? 0 });
            this.wake?.();
        });
        receiver.on("receiver_drained", () => {
            receiver.drain = false;
            this.drained = true;
            this.wake?.();
        });
    }

    async until(done, what, ms) {
        const reached = new Promise((resolve) => {
            this.wake = () => done() && resolve();
        });
        this.wake();
        await within(Promise.race([reached, this.end]), what, ms);
    }

    async take(count = 1, ms) {
        await this.until(() => this.got.length >= count, `${count} messages`, ms);
        return this.got.splice(0, count);
    }

    async one(ms) {
        return (await this.take(1, ms))[0];
    }

    // Everything that is available, by draining: no waiting for what does not come.
    async rest(credit = 1000) {
        this.drained = false;
        this.receiver.add_credit(credit);
        this.receiver.drain_credit();
        await this.until(() => this.drained, "drained");
        return this.got.splice(0);
    }

    close() {
        return ended(this.receiver, "close", "receiver_close");
    }

    detach() {
        return ended(this.receiver, "detach", "receiver_close");
    }
}

async function ended(link, how, event) {
    const done = new Promise((resolve) => link.once(event, resolve));
    link[how]();
    await within(done, how);
}

// What a body says as text; cases that care about types look at the octets.
export function text(body) {
    const content = body?.collect_sections ? body.content : body;
    return content?.buffer ? new TextDecoder().decode(content) : content;
}

// The sections of a message: their numeric descriptors with their octets.
export function sections(octets) {
    const reader = new types.Reader(octets);
    const found = [];
    while (reader.remaining()) {
        const from = reader.position;
        const section = reader.read();
        found.push({ code: Number(section.descriptor.value), octets: octets.slice(from, reader.position), section });
    }
    return found;
}
