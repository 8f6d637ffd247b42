// What an AMQP client can rely on. `world` says where the broker is; the program around it differs by platform.
import { recovery } from "./recovery.mjs";
import { typed } from "./typed.mjs";
import { check, same, Skip } from "./check.mjs";
import { message, within } from "./peer.mjs";

const bodies = (messages) => messages.map(({ body }) => body);

// A connection, a sender and a receiver on the queue of the case.
async function pair(world, options) {
    const peer = await world.peer();
    const queue = world.queue();
    return { peer, queue, sender: await peer.sender(queue), receiver: await peer.receiver(queue, options) };
}

async function refused(promise, condition) {
    try {
        await promise;
    } catch (error) {
        check(!condition || error.condition === condition, `refused with ${error.condition ?? error}, not ${condition}`);
        return;
    }
    throw new Error("it was not refused");
}

async function outcome(world, settle, flags) {
    const { peer, queue, sender, receiver } = await pair(world);
    await sender.deliver("one");
    const first = await receiver.one();
    same([first.body, first.count], ["one", 0], "first delivery");
    settle(first.delivery);
    return { peer, queue, sender, receiver, ...flags };
}

export const cases = {
    async connect(world) {
        const peer = await world.peer();
        check(peer.connection.container_id, "the open has no container-id");
        await peer.close();
    },

    async "wrong-password"(world) {
        await refused(world.peer({ password: `not ${world.given.password}` }), "amqp:unauthorized-access");
        await refused(world.peer({ username: "nobody-of-this-name" }), "amqp:unauthorized-access");
    },

    async scram() {
        throw new Skip("rhea has no SCRAM");
    },

    async anonymous(world) {
        if (!world.given.anonymous) throw new Skip("needs --anonymous");
        const mechanisms = world.mechanisms();
        mechanisms.enable_anonymous("");
        await (await world.peer({ sasl_mechanisms: mechanisms })).close();
    },

    async thousand(world) {
        const { sender, receiver } = await pair(world, { credit: 50 });
        const wanted = Array.from({ length: world.given.messages }, (_, at) => `${at}:${"x".repeat(at % 300)}`);
        const sent = sender.deliver(...wanted);
        const got = [];
        while (got.length < wanted.length) {
            for (const { body, delivery } of await receiver.take(Math.min(25, wanted.length - got.length))) {
                got.push(body);
                delivery.accept();
            }
            receiver.receiver.add_credit(25);
        }
        await sent;
        same(got, wanted, "bodies");
        same(await receiver.rest(), [], "left over");
    },

    async accepted(world) {
        const { peer, queue, receiver } = await outcome(world, (delivery) => delivery.accept());
        await receiver.close();
        same(bodies(await (await peer.receiver(queue, { credit: 0 })).rest()), [], "after accepting");
    },

    async released(world) {
        const { receiver } = await outcome(world, (delivery) => delivery.release());
        const again = await receiver.one();
        same([again.body, again.count], ["one", 0], "second delivery (released is no failure)");
        again.delivery.accept();
    },

    async rejected(world) {
        if (!world.given["dead-letter"]) throw new Skip("needs --dead-letter");
        const { peer, sender, receiver } = await pair(world);
        const body = world.unique("rejected");
        await sender.deliver(body);
        (await receiver.one()).delivery.reject({ condition: "amqp:internal-error", description: "no good" });
        const letters = await peer.receiver(world.given["dead-letter"]);
        for (;;) {
            const letter = await letters.one();
            letter.delivery.accept();
            letters.receiver.add_credit(1);
            if (letter.body === body) break;
        }
        same(bodies(await receiver.rest()), [], "the rejected one comes again");
    },

    async "modified-failed"(world) {
        const { receiver } = await outcome(world, (delivery) => delivery.modified({ delivery_failed: true }));
        for (const count of [1, 2]) {
            const again = await receiver.one();
            same([again.body, again.count], ["one", count], "delivery-count");
            if (count === 1) again.delivery.modified({ delivery_failed: true });
            else again.delivery.accept();
        }
    },

    async "modified-undeliverable"(world) {
        const modify = (delivery) => delivery.modified({ undeliverable_here: true });
        const { peer, queue, sender, receiver } = await outcome(world, modify);
        await sender.deliver("two");
        same((await receiver.one()).body, "two", "what the link that cannot have it gets");
        same(bodies(await receiver.rest()), [], "on the link that cannot have it");
        const other = await peer.receiver(queue);
        same((await other.one()).body, "one", "what another link gets");
    },

    async "presettled-send"(world) {
        const { peer, queue, receiver } = await pair(world);
        const sender = await peer.sender(queue, { snd_settle_mode: 1 });
        for (let at = 0; at < 50; at += 1) await sender.send(`${at}`);
        const got = await receiver.take(50);
        same(bodies(got), Array.from({ length: 50 }, (_, at) => `${at}`), "bodies");
        got.forEach(({ delivery }) => delivery.accept());
    },

    async "presettled-receive"(world) {
        const { peer, queue, sender, receiver } = await pair(world, { snd_settle_mode: 1, credit: 10 });
        await sender.deliver("one", "two");
        const got = await receiver.take(2);
        same(got.map(({ body, delivery }) => [body, delivery.remote_settled]), [["one", true], ["two", true]], "settled by the sender");
        await receiver.close();
        same(bodies(await (await peer.receiver(queue, { credit: 0 })).rest()), [], "what was sent settled is gone");
    },

    async "settle-second"(world) {
        const { peer, queue, sender, receiver } = await pair(world, { rcv_settle_mode: 1 });
        same(receiver.receiver.rcv_settle_mode, 1, "rcv-settle-mode of the broker's attach");
        await sender.deliver("one");
        const { delivery } = await receiver.one();
        const settled = new Promise((resolve) => receiver.receiver.once("settled", resolve));
        delivery.accept();
        await within(settled, "the broker settles second");
        delivery.update(true);
        await receiver.close();
        same(bodies(await (await peer.receiver(queue, { credit: 0 })).rest()), [], "after settling");
    },

    async credit(world) {
        const { sender, receiver } = await pair(world, { credit: 0 });
        await sender.deliver(..."abcdefghij");
        receiver.receiver.add_credit(3);
        same(bodies(await receiver.take(3)), [..."abc"], "with a credit of 3");
        // A round trip later nothing more may have come.
        await sender.deliver("k");
        same(bodies(receiver.got), [], "without credit");
        receiver.receiver.add_credit(2);
        same(bodies(await receiver.take(2)), [..."de"], "with a credit of 2");
    },

    async drain(world) {
        const { sender, receiver } = await pair(world, { credit: 0 });
        same(bodies(await receiver.rest(10)), [], "an empty queue, drained");
        await sender.deliver(..."abc");
        same(bodies(await receiver.rest(10)), [..."abc"], "three, drained with a credit of 10");
        await sender.deliver(..."def");
        same(bodies(receiver.got), [], "drained credit is gone");
        same(bodies(await receiver.rest(2)), [..."de"], "drained with a credit of 2");
    },

    async browse(world) {
        const { peer, queue, sender } = await pair(world, { credit: 0 });
        await sender.deliver(..."abc");
        for (const time of ["once", "twice"]) {
            const browser = await peer.receiver(queue, { credit: 0, source: { distribution_mode: "copy" } });
            same(browser.receiver.source.distribution_mode, "copy", "distribution-mode of the broker's attach");
            const seen = await browser.rest();
            same(bodies(seen), [..."abc"], `browsed ${time}`);
            seen.forEach(({ delivery }) => delivery.accept());
            await browser.close();
        }
        const taker = await peer.receiver(queue);
        same(bodies(await taker.take(3)), [..."abc"], "taken after browsing");
    },

    async topic(world) {
        const topic = world.topic();
        const [one, two] = [await world.peer(), await world.peer()];
        const inboxes = [await one.receiver(topic), await two.receiver(topic)];
        await (await one.sender(topic)).deliver(..."abc");
        for (const inbox of inboxes) same(bodies(await inbox.take(3)), [..."abc"], "each subscriber");
    },

    async "topic-durable"(world) {
        const topic = world.topic();
        const container = { container_id: world.unique("container") };
        const how = { name: "kept", source: { durable: 2, expiry_policy: "never" } };
        const sender = await (await world.peer()).sender(topic);
        let peer = await world.peer(container);
        const first = await peer.receiver(topic, how);
        await sender.deliver("a");
        const got = await first.one();
        same(got.body, "a", "while attached");
        got.delivery.accept();
        await first.detach();
        await peer.close();
        await sender.deliver(..."bc");
        peer = await world.peer(container);
        const again = await peer.receiver(topic, how);
        const kept = await again.take(2);
        same(bodies(kept), [..."bc"], "kept while detached");
        kept.forEach(({ delivery }) => delivery.accept());
        // Closing, unlike detaching, ends the subscription.
        await again.close();
        await sender.deliver("d");
        same(bodies(await (await peer.receiver(topic, { ...how, credit: 0 })).rest()), [], "after it was closed");
    },

    async "dynamic-node"(world) {
        const queue = world.queue();
        const [asking, answering] = [await world.peer(), await world.peer()];
        const replies = await asking.receiver({ dynamic: true });
        const address = replies.receiver.source.address;
        check(address, "the dynamic node has no address");
        const requests = await answering.receiver(queue);
        await (await asking.sender(queue)).deliver({ body: "ping", reply_to: address, correlation_id: "7" });
        const request = await requests.one();
        const { reply_to: to, correlation_id } = request.message;
        same(to, address, "reply-to");
        request.delivery.accept();
        await (await answering.sender(to)).deliver({ body: "pong", correlation_id });
        const reply = await replies.one();
        same([reply.body, reply.message.correlation_id], ["pong", "7"], "reply");
        const second = await asking.receiver({ dynamic: true });
        check(second.receiver.source.address !== address, "two dynamic nodes share an address");
    },

    async "anonymous-terminus"(world) {
        const peer = await world.peer();
        const offered = [peer.connection.offered_capabilities ?? []].flat().map(String);
        check(offered.includes("ANONYMOUS-RELAY"), `the open offers [${offered}], not ANONYMOUS-RELAY`);
        const queues = ["a", "b"].map((part) => `${world.queue()}-${part}`);
        const inboxes = [await peer.receiver(queues[0]), await peer.receiver(queues[1])];
        const sender = await peer.sender({});
        await sender.deliver({ body: "to a", to: queues[0] }, { body: "to b", to: queues[1] });
        for (const [at, inbox] of inboxes.entries()) {
            const got = await inbox.one();
            same([got.body, got.message.to], [`to ${"ab"[at]}`, queues[at]], "by the message's to");
        }
    },

    "large-1mib": (world) => large(world, 1 << 20),
    large: (world) => large(world, world.given.large),

    async forbidden(world) {
        if (!world.given.limited) throw new Skip("needs --limited");
        const [username, password] = world.given.limited.split(":");
        const peer = await world.peer({ username, password });
        await refused(peer.receiver(world.queue()), "amqp:unauthorized-access");
        await refused(peer.sender(world.queue()), "amqp:unauthorized-access");
        const allowed = `${world.given["limited-address"]}/${world.unique("open")}`;
        await (await peer.sender(allowed)).deliver("x");
        same((await (await peer.receiver(allowed)).one()).body, "x", "the connection lives on, and what is permitted works");
    },

    async heartbeat(world) {
        // Rhea gives a connection up after twice this time without a frame.
        const peer = await world.peer({ idle_time_out: 1000 });
        let lost = false;
        peer.connection.on("disconnected", () => (lost = true));
        await new Promise((resolve) => setTimeout(resolve, 3000));
        check(!lost, "the connection was lost while idle");
        const queue = world.queue();
        await (await peer.sender(queue)).deliver("x");
        same((await (await peer.receiver(queue)).one()).body, "x", "after a silence");
    },

    ...typed,
    ...recovery,
};

async function large(world, size) {
    const { sender, receiver } = await pair(world, { credit: 1 });
    const body = new Uint8Array(size);
    for (let at = 0; at < size; at += 1) body[at] = (at * 31 + (at >> 13)) & 255;
    const data = globalThis.Buffer ? Buffer.from(body.buffer) : body;
    await sender.deliver({ body: message.data_section(data) });
    const [{ message: got, delivery }] = await receiver.take(1, 50_000);
    delivery.accept();
    const content = got.body.content;
    same(content.length, size, "length");
    check(content.every((octet, at) => octet === body[at]), "the octets differ");
}
