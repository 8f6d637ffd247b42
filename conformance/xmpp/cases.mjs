// The same cases for every client. Each is given `world`: `connect(user, resource)`, `given`, `control(what)`.
import { pause } from "./clients/events.mjs";

function check(holds, what) {
    if (!holds) throw new Error(what);
}

const same = (found, wanted, what) =>
    check(JSON.stringify(found) === JSON.stringify(wanted), `${what}: ${JSON.stringify(found).slice(0, 300)} is not ${JSON.stringify(wanted).slice(0, 300)}`);

const chat = (to, body) => `<message to='${to}' type='chat'><body>${body}</body></message>`;
const ROSTER = "<query xmlns='jabber:iq:roster'/>";
const bodies = (session, fits) => session.heard.all("message").filter(fits).map((event) => event.body);

async function present(world, user, resource) {
    const session = await world.connect(user, resource);
    await session.iq("get", "", ROSTER);
    await session.send("<presence/>");
    await session.heard.wait("its own presence", (event) => event.kind === "presence" && event.from === session.jid);
    return session;
}

/** Numbered messages, one by one, while something happens; all arrive once and in order. */
async function storm(world, happen) {
    const [alice, bob] = [await present(world, "alice", "storm"), await present(world, "bob", "storm")];
    const to = alice.jid.split("/")[0];
    const count = world.given.messages;
    const sending = (async () => {
        for (let at = 0; at < count; at += 1) {
            await bob.send(chat(to, `n${world.run}-${at}`));
            await pause(5);
        }
    })();
    await happen();
    await sending;
    const last = `n${world.run}-${count - 1}`;
    await alice.heard.wait("the last message", (event) => event.kind === "message" && event.body === last, 60_000);
    const found = bodies(alice, (event) => !event.copy && !event.archived && event.body?.startsWith(`n${world.run}-`));
    const wanted = Array.from({ length: count }, (_, at) => `n${world.run}-${at}`);
    const lost = wanted.filter((body) => !found.includes(body));
    const twice = found.filter((body, at) => found.indexOf(body) !== at);
    const early = found.filter((body, at) => at > 0 && wanted.indexOf(body) < wanted.indexOf(found[at - 1]));
    const list = (bodies) => `${bodies.length} (${bodies.slice(0, 5).join(" ")})`;
    check(lost.length + twice.length + early.length === 0, `lost ${list(lost)}, twice ${list(twice)}, out of order ${list(early)}`);
    return [alice, bob];
}

export const cases = {
    async login(world) {
        const session = await world.connect("alice", "login");
        same(session.mechanism, world.mechanism, "the mechanism");
        // With Bind2 the server chooses, and puts the client's wish in front (XEP-0386, section 3.2).
        check(/\/login(\/|$)/.test(session.jid), `the resource: ${session.jid}`);
    },
    async "wrong-password"(world) {
        const refused = await world.connect("alice", "wrong", "not the password").then(() => false, () => true);
        check(refused, "it was let in");
    },
    async ping(world) {
        const session = await world.connect("alice", "ping");
        await session.iq("get", world.given.host, "<ping xmlns='urn:xmpp:ping'/>");
    },
    async roster(world) {
        const session = await world.connect("alice", "roster");
        await session.iq("set", "", `<query xmlns='jabber:iq:roster'><item jid='carol@${world.given.host}' name='A friend'/></query>`);
        const roster = await session.iq("get", "", ROSTER);
        check(roster.includes(`carol@${world.given.host}`), `the roster: ${roster}`);
    },
    async presence(world) {
        const [alice, bob] = [await present(world, "alice", "see"), await present(world, "bob", "see")];
        const [a, b] = [alice, bob].map((session) => session.jid.split("/")[0]);
        for (const [one, other, to, from] of [[alice, bob, b, a], [bob, alice, a, b]]) {
            await one.send(`<presence to='${to}' type='subscribe'/>`);
            await other.heard.wait("a request", (event) => event.type === "subscribe" && event.from === from);
            await other.send(`<presence to='${from}' type='subscribed'/>`);
            await one.heard.wait("the contact", (event) => event.kind === "presence" && event.type === "available" && event.from === other.jid);
        }
        await bob.close();
        await alice.heard.wait("that the contact is gone", (event) => event.type === "unavailable" && event.from === bob.jid);
        for (const [one, contact] of [[alice, b], [await present(world, "bob", "part"), a]]) {
            await one.send(`<presence to='${contact}' type='unsubscribe'/>`);
            await one.send(`<presence to='${contact}' type='unsubscribed'/>`);
        }
    },
    async chat(world) {
        const [alice, bob] = [await present(world, "alice", "chat"), await present(world, "bob", "chat")];
        for (const [one, other] of [[alice, bob], [bob, alice]]) {
            const wanted = Array.from({ length: 20 }, (_, at) => `${world.run} ${at} &lt;é&gt; 😀`);
            for (const body of wanted) await one.send(chat(other.jid, body));
            const last = `${world.run} 19 <é> 😀`;
            await other.heard.wait("the last message", (event) => event.body === last || event.body === wanted.at(-1));
            check(bodies(other, (event) => event.from === one.jid && event.body).length === 20, "twenty messages");
        }
    },
    async offline(world) {
        const bob = await present(world, "bob", "late");
        await bob.send(chat(`carol@${world.given.host}`, `late ${world.run}`));
        await pause(300);
        const carol = await present(world, "carol", "late");
        await carol.heard.wait("what has waited", (event) => event.body === `late ${world.run}`);
    },
    async carbons(world) {
        const [phone, desk, bob] = [await present(world, "alice", "phone"), await present(world, "alice", "desk"), await present(world, "bob", "carbons")];
        await desk.iq("set", "", "<enable xmlns='urn:xmpp:carbons:2'/>");
        await bob.send(chat(phone.jid, `in ${world.run}`));
        await desk.heard.wait("a copy of what came", (event) => event.copy === "received" && event.body === `in ${world.run}`);
        await phone.send(chat(bob.jid, `out ${world.run}`));
        await desk.heard.wait("a copy of what went", (event) => event.copy === "sent" && event.body === `out ${world.run}`);
    },
    async archive(world) {
        const [alice, bob] = [await present(world, "alice", "archive"), await present(world, "bob", "archive")];
        const wanted = Array.from({ length: 7 }, (_, at) => `kept ${world.run} ${at}`);
        for (const body of wanted) await bob.send(chat(alice.jid, body));
        await alice.heard.wait("the last message", (event) => event.body === wanted.at(-1));
        let after = "";
        for (;;) {
            const set = `<set xmlns='http://jabber.org/protocol/rsm'><max>3</max>${after}</set>`;
            const end = await alice.iq("set", "", `<query xmlns='urn:xmpp:mam:2'>${set}</query>`);
            const found = alice.heard.all("message").filter((event) => event.archived);
            if (/complete=["']true/.test(end)) break;
            after = `<after>${found.at(-1).archived}</after>`;
        }
        const archived = bodies(alice, (event) => event.archived && event.body?.startsWith(`kept ${world.run}`));
        same(archived, wanted, "the archive");
    },
    async cut(world) {
        const sessions = await storm(world, async () => {
            for (let cuts = 0; cuts < 3; cuts += 1) {
                await pause(300);
                await world.control("cut");
            }
        });
        check(sessions.every((session) => session.resumed > 0), `resumed: ${sessions.map((session) => session.resumed)}`);
    },
    async kill(world) {
        const sessions = await storm(world, async () => {
            await pause(400);
            await world.control("kill");
            await pause(300);
            await world.control("start");
        });
        check(sessions.every((session) => session.resumed > 0), `resumed: ${sessions.map((session) => session.resumed)}`);
    },
};
