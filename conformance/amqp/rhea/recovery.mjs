// Cuts of the TCP connection, and a broker that is killed. `world.control` asks the harness for them.
import { check, same, Skip } from "./check.mjs";
import { Peer, text, within } from "./peer.mjs";

const SENT = 300;
const CUTS = 3;
// A thousand letters of its own for each message, the same at each run: WebSocket compression makes little of them.
const body = (at) => {
    let state = at + 1;
    const letter = () => {
        state = (state * 48_271) % 2_147_483_647;
        return String.fromCharCode(97 + ((state >> 8) % 26));
    };
    return `${at}:${Array.from({ length: 1000 }, letter).join("")}`;
};
const number = (content) => Number(content.split(":")[0]);

// Asks for a cut soon, whenever a third of the way has been gone. The work waits until the harness is ready for it.
function cutter(world, after, reject, go) {
    let asked = 0;
    const paused = { is: false };
    paused.at = (done) => {
        if (asked >= CUTS || done < (asked * SENT) / CUTS + 20) return;
        asked += 1;
        paused.is = true;
        const resume = () => {
            paused.is = false;
            go();
        };
        world.control(`cut?after=${after}`).then(resume, reject);
    };
    return paused;
}

// Sends bodies 0 to SENT-1 over a line that is cut; what has no outcome is sent again. Says how often each was sent.
async function sendOverCuts(world, queue) {
    const peer = await Peer.open(world.details({ proxy: true }), { reconnect: 50 });
    const times = new Map();
    const open = new Map();
    let [next, accepted] = [0, 0];
    const { sender } = await peer.sender(queue);
    await new Promise((resolve, reject) => {
        const send = (at) => {
            times.set(at, (times.get(at) ?? 0) + 1);
            open.set(sender.send({ body: body(at) }), at);
        };
        const more = () => {
            while (!paused.is && next < SENT && sender.sendable() && open.size < 20) send(next++);
        };
        const paused = cutter(world, 20_000, reject, more);
        sender.on("accepted", ({ delivery }) => {
            if (open.delete(delivery)) accepted += 1;
            paused.at(accepted);
            if (accepted === SENT) resolve();
            more();
        });
        peer.connection.on("sender_open", () => {
            const again = [...open.values()];
            open.clear();
            sender.once("sendable", () => {
                again.forEach(send);
                more();
            });
        });
        peer.connection.on("connection_error", ({ error }) => reject(error));
        more();
        within(new Promise(() => {}), "sending over cuts", 20_000).catch((error) => {
            reject(new Error(`${error.message}; ${accepted} of ${SENT} were accepted`));
        });
    });
    await peer.close();
    return times;
}

// Takes from the queue over a line that is cut until each has come. Says how often each came without a sign of redelivery.
async function takeOverCuts(world, queue) {
    const peer = await Peer.open(world.details({ proxy: true }), { reconnect: 50 });
    const fresh = new Map();
    const seen = new Set();
    await new Promise((resolve, reject) => {
        const options = { source: { address: queue }, credit_window: 10, autoaccept: false };
        const receiver = peer.connection.open_receiver(options);
        let held = [];
        const settle = () => {
            while (!paused.is && held.length) held.shift().accept();
        };
        const paused = cutter(world, 2000, reject, settle);
        receiver.on("message", ({ message, delivery }) => {
            const at = number(text(message.body));
            if (!message.delivery_count) fresh.set(at, (fresh.get(at) ?? 0) + 1);
            seen.add(at);
            held.push(delivery);
            paused.at(seen.size);
            settle();
            if (seen.size === SENT) resolve();
        });
        // What was held came over a line that is gone.
        peer.connection.on("disconnected", () => (held = []));
        peer.connection.on("connection_error", ({ error }) => reject(error));
        within(new Promise(() => {}), "taking over cuts", 20_000).catch((error) => {
            reject(new Error(`${error.message}; ${seen.size} of ${SENT} came`));
        });
    });
    await peer.close();
    return fresh;
}

function flaggedUnlessFresh(messages, freshOnes, what) {
    const wrong = messages.filter(({ body, count }) => count === 0 && !freshOnes(number(body)));
    same(wrong.map(({ body }) => number(body)), [], what);
}

export const recovery = {
    async cut(world) {
        if (!world.given.proxy) throw new Skip("needs --proxy and --control");
        const queue = world.queue();
        const before = Number(await world.control("cuts"));
        const times = await sendOverCuts(world, queue);
        const fresh = await takeOverCuts(world, queue);
        const cuts = Number(await world.control("cuts")) - before;
        check(cuts >= CUTS, `only ${cuts} cuts`);
        const rest = await (await (await world.peer()).receiver(queue, { credit: 0 })).rest();
        for (const { body, count } of rest) {
            if (!count) fresh.set(number(body), (fresh.get(number(body)) ?? 0) + 1);
        }
        const doubled = [...fresh].filter(([at, came]) => came > times.get(at)).map(([at]) => at);
        same(doubled, [], "came more often than they were sent, without a delivery-count");
    },

    async kill(world) {
        if (!world.given.killable) throw new Skip("needs --killable");
        const queue = world.queue();
        const peer = await world.peer();
        const sender = await peer.sender(queue);
        await sender.deliver(...Array.from({ length: 200 }, (_, at) => body(at)));
        const receiver = await peer.receiver(queue, { credit: 50 });
        const held = await receiver.take(50);
        same(held.map(({ body }) => number(body)), [...Array(50).keys()], "before the kill");
        held.slice(0, 20).forEach(({ delivery }) => delivery.accept());
        await world.control("kill");
        await world.control("start");
        const rest = await (await (await world.peer()).receiver(queue, { credit: 0 })).rest();
        rest.forEach(({ delivery }) => delivery.accept());
        const came = rest.map(({ body }) => number(body)).filter((at) => at >= 20);
        same(came.toSorted((left, right) => left - right), Array.from({ length: 180 }, (_, at) => at + 20), "after the kill");
        flaggedUnlessFresh(rest, (at) => at >= 50, "redelivered without a delivery-count");
        const untouched = came.filter((at) => at >= 50);
        same(untouched, untouched.toSorted((left, right) => left - right), "order of what was not delivered before");
    },
};
