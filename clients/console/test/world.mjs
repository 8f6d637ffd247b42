// What a broker is filled with, so that every page has something to show.
import { ask } from "./broker.mjs";

const NONE = {
    connections_max: 0,
    sessions_max: 0,
    messages_per_second_max: 0,
    bytes_per_second_max: 0,
};
const rule = (pattern, rights, host = "") => ({
    host,
    pattern,
    send: rights.includes("s"),
    receive: rights.includes("r"),
    manage: rights.includes("m"),
});

const USERS = {
    "orders-app": {
        password: "orders secret",
        permissions: [rule("orders/**", "sr"), rule("wharf/dead-letter", "r")],
        limits: { ...NONE, connections_max: 200, messages_per_second_max: 5000 },
    },
    billing: {
        password: "billing secret",
        permissions: [
            rule("orders/paid", "r"),
            rule("invoices/**", "srm"),
            rule("topic/prices", "r"),
            rule("topic/rates", "r", "shop.example"),
        ],
        limits: { ...NONE, sessions_max: 50 },
    },
    auditor: { password: "auditor secret", permissions: [rule("wharf/**", "r")], limits: NONE },
    "sensor-7": {
        permissions: [rule("sensors/7/*", "s")],
        limits: { ...NONE, bytes_per_second_max: 20_000 },
    },
};

const PLAIN = {
    kind: "queue",
    priority: 0,
    deliveries_max: 20,
    dead_letter_address: "wharf/dead-letter",
    ttl_ms: 0,
    messages_max: 0,
    bytes_max: 0,
    overflow: "reject",
};
const POLICIES = {
    orders: { ...PLAIN, pattern: "orders/**", deliveries_max: 5, ttl_ms: 86_400_000, priority: 10 },
    sensors: {
        ...PLAIN,
        pattern: "sensors/**",
        messages_max: 1000,
        bytes_max: 1_000_000,
        overflow: "drop-oldest",
        dead_letter_address: "",
    },
    small: { ...PLAIN, pattern: "small/*", messages_max: 2 },
};

const ROUTES = {
    bestellungen: { kind: "alias", host: "", address: "bestellungen", to: ["orders/new"] },
    everywhere: {
        kind: "fan-out",
        host: "",
        address: "orders/all",
        to: ["orders/eu", "orders/us", "orders/asia"],
    },
    west: { kind: "redirect", address: "west/**", to: [], url: "amqps://west.example" },
};

const QUEUES = ["orders/new", "orders/paid", "orders/eu", "orders/us", "orders/asia", "archive"];
const TOPICS = ["topic/prices", "topic/news"];

const at = (name) => `/addresses/${encodeURIComponent(name)}`;

/** A frame of MBWS that carries a message. */
export function frame(address, body, properties = {}) {
    const text = (value) => `${[...value].length} ${value}`;
    const all = Object.entries(properties);
    const said = all.map(([name, value]) => text(name) + text(value)).join("");
    return `3 1 ${text(address)}0 ${all.length} ${said}${body}`;
}

async function messages(host) {
    const send = (name, message) =>
        ask(host, "POST", `${at(name)}/messages`, { content_type: "", properties: {}, ...message });
    for (let number = 1; number <= 30; number += 1) {
        const order = { order: number, customer: `c-${(number * 37) % 91}`, total: number * 4.5 };
        await send("orders/new", {
            text: JSON.stringify(order),
            content_type: "application/json",
            properties: { priority: number % 5 ? "normal" : "high", region: "eu" },
        });
    }
    await send("orders/paid", { text: "paid in full" });
    await send("archive", { base64: Buffer.from([...Array(70).keys()]).toString("base64") });
    await send("archive", { text: '<b>not bold</b> & "quoted"' });
}

/** Opens WebSockets from a page, which are clients of MBWS; gives what closes them. */
export async function clients(page) {
    await page.evaluate(
        (frames) =>
            new Promise((resolve, reject) => {
                const socket = new WebSocket("/ws?tag=till-4", "MBWS.huawei.com");
                globalThis.socket = socket;
                socket.onclose = ({ code, reason }) => reject(new Error(`${code} ${reason}`));
                socket.onopen = () => socket.send("1 0 0 ");
                socket.onmessage = ({ data }) => {
                    if (data.startsWith("1 ")) for (const frame of frames) socket.send(frame);
                    if (data === `2 ${frames.length} `) resolve();
                };
            }),
        [
            frame("wharf/consume", "", {
                address: "topic/prices",
                credit: "2",
                subscription: "till-4",
            }),
            ...["1.10", "1.12", "1.09", "1.15"].map((price) => frame("topic/prices", price)),
            ...["one", "two", "three", "four"].map((body) => frame("small/box", body)),
        ],
    );
}

export async function fill(host) {
    for (const [name, user] of Object.entries(USERS))
        await ask(host, "PUT", `/users/${name}`, user);
    for (const [name, rule] of Object.entries(POLICIES)) {
        await ask(host, "PUT", `/policies/${name}`, rule);
    }
    for (const [name, rule] of Object.entries(ROUTES))
        await ask(host, "PUT", `/routes/${name}`, rule);
    for (const name of QUEUES) await ask(host, "PUT", at(name), { kind: "queue" });
    for (const name of TOPICS) await ask(host, "PUT", at(name), { kind: "topic" });
    await ask(host, "PUT", `${at("returns")}?host=shop.example`, { kind: "queue" });
    await ask(host, "POST", "/tokens", { user: "billing", valid_s: 86_400, note: "nightly run" });
    await ask(host, "POST", "/tokens", { user: "sensor-7", valid_s: 2_592_000, note: "field 7" });
    await messages(host);
}

/** So many addresses more. */
export async function crowd(host, count) {
    const addresses = Array.from({ length: count }, (_, number) => ({
        host: "localhost",
        name: `device/${String(number).padStart(6, "0")}/in`,
        kind: "queue",
    }));
    await ask(host, "PUT", "/definitions", {
        version: 1,
        users: [],
        policies: [],
        routes: [],
        addresses,
    });
}
