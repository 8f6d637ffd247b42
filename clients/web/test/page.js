// What the pages of the browser tests do: the client as an application would use it.
import { connect } from "./wharf.js";

/** Quick pauses: the broker is near. */
const QUICK = { retryFirstMs: 20, retryMaxMs: 200 };

window.states = [];
window.lost = [];
window.got = [];

window.open = async (options) => {
    window.client = await connect(`ws://${location.host}/ws`, { ...QUICK, ...options });
    client.addEventListener("state", ({ detail }) => states.push(detail.state));
    client.addEventListener("lost", ({ detail }) => lost.push(detail));
};

/** Receives texts; each is acknowledged when it is in `got`, which outlives the page. */
window.receive = async (address, options) => {
    got = JSON.parse(localStorage.got ?? "[]");
    for await (const delivery of client.receive(address, options)) {
        got.push(delivery.text());
        localStorage.got = JSON.stringify(got);
        await delivery.ack();
    }
};

/** Receives into `got N: TEXT`, one for each delivery that is not known by its id. */
window.receiveOnce = async (address, options) => {
    for await (const delivery of client.receive(address, options)) {
        const isKnown = `id ${delivery.id}` in localStorage;
        if (isKnown) localStorage.repeated = Number(localStorage.repeated ?? 0) + 1;
        else {
            const count = Number(localStorage.count ?? 0);
            localStorage[`id ${delivery.id}`] = `${count} ${delivery.text()}`;
            localStorage.count = count + 1;
        }
        await delivery.ack();
    }
};

/** Sends `PREFIX0`, `PREFIX1` and so on, a few at a time; what was begun and what is stored outlives the page. */
window.produce = async (address, prefix, count) => {
    const burst = () => {
        const next = Number(localStorage[`next:${prefix}`] ?? 0);
        if (next >= count || localStorage.isStopped) return null;
        localStorage[`next:${prefix}`] = next + 1;
        const text = `${prefix}${next}`;
        return client.send(address, text).then(() => (localStorage[`stored:${text}`] = 1));
    };
    for (;;) {
        const bursts = Array.from({ length: 10 }, burst).filter(Boolean);
        if (!bursts.length) return;
        await Promise.all(bursts);
    }
};

/** The numbers of those of a prefix whose `send` has resolved, in this life of the page or another. */
window.storedOf = (prefix) => {
    const begin = `stored:${prefix}`;
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(begin));
    return keys.map((key) => Number(key.slice(begin.length)));
};

/** How many entries the outbox has in IndexedDB. */
window.kept = (name) =>
    new Promise((resolve, reject) => {
        const request = indexedDB.open(`wharf:${name}`);
        request.onerror = () => reject(request.error);
        request.onsuccess = () => {
            const count = request.result.transaction("outbox").objectStore("outbox").count();
            count.onsuccess = () => {
                resolve(count.result);
                request.result.close();
            };
        };
    });

window.isReady = true;
