// stanza, which reconnects and resumes by itself.
import { createClient } from "stanza";
import { Heard, pause } from "./events.mjs";

// It takes the strongest name there is; see README.md for what it makes of it.
export const mechanism = { ws: "SCRAM-SHA-256", wss: "SCRAM-SHA-256-PLUS" };

const bare = (value) => value && value.toString();

export async function connect({ url, host, user, password, resource }) {
    const heard = new Heard();
    const jid = `${user}@${host}/${resource}`;
    const client = createClient({
        jid: `${user}@${host}`,
        resource,
        password,
        transports: { websocket: url, bosh: false },
        autoReconnect: true,
        allowResumption: true,
        maxReconnectBackoff: 1,
    });
    const session = { heard, jid, resumed: 0, mechanism: undefined };
    const tell = (message, copy, archived) =>
        heard.push({ kind: "message", from: bare(message.from), type: message.type, body: message.body, copy, archived });
    client.on("message", (message) => tell(message));
    client.on("carbon:received", (event) => tell(event.carbon.forward.message, "received"));
    client.on("carbon:sent", (event) => tell(event.carbon.forward.message, "sent"));
    for (const type of ["available", "unavailable", "subscribe", "subscribed", "unsubscribe", "unsubscribed"]) {
        client.on(type, (presence) => heard.push({ kind: "presence", from: bare(presence.from), type }));
    }
    client.on("raw:outgoing", (data) => {
        const found = /mechanism=["']([^"']+)/.exec(String(data));
        if (found) session.mechanism ??= found[1];
    });
    client.on("stream:management:resumed", () => (session.resumed += 1));
    await new Promise((done, failed) => {
        client.once("session:started", done);
        client.once("auth:failed", () => failed(new Error("the login failed")));
        client.connect().catch(failed);
    });
    return Object.assign(session, {
        client,
        send: (xml) => {
            const message = /^<message to='([^']+)' type='(\w+)'><body>([^<]*)/.exec(xml);
            if (message) return client.sendMessage({ to: message[1], type: message[2], body: message[3] });
            const presence = /^<presence(?: to='([^']+)')?(?: type='(\w+)')?/.exec(xml);
            return client.sendPresence({ to: presence[1], type: presence[2] });
        },
        iq: async (type, to, payload) => {
            if (payload.includes("jabber:iq:roster")) {
                const item = /jid='([^']+)'/.exec(payload);
                if (item) return client.updateRosterItem({ jid: item[1], name: "A friend" });
                return JSON.stringify(await client.getRoster());
            }
            if (payload.includes("urn:xmpp:carbons:2")) return client.enableCarbons();
            if (payload.includes("urn:xmpp:ping")) return client.ping(to);
            const max = Number(/<max>(\d+)/.exec(payload)[1]);
            const after = /<after>([^<]+)/.exec(payload)?.[1];
            const found = await client.searchHistory({ paging: { max, after } });
            for (const result of found.results ?? []) tell(result.item.message, undefined, result.id);
            return `<fin${found.complete ? " complete='true'" : ""}/>`;
        },
        async close() {
            client.config.autoReconnect = false;
            client.disconnect();
            await pause(200);
        },
    });
}
