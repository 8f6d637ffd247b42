// @xmpp/client, which reconnects and resumes by itself.
import { WebSocket } from "ws";
import { Heard, eventOf, pause } from "./events.mjs";

globalThis.WebSocket ??= WebSocket;
const { client } = await import("@xmpp/client");
const { default: parse } = await import("@xmpp/xml/lib/parse.js");

const get = {
    name: (element) => element.name,
    child: (element, name) => element.getChild(name) ?? element.getChildElements().find((child) => child.getName() === name),
    attribute: (element, name) => element?.attrs[name],
    text: (element) => element.getText(),
};

export const mechanism = { ws: "SCRAM-SHA-1", wss: "SCRAM-SHA-1" };

export async function connect({ url, host, user, password, resource }) {
    const heard = new Heard();
    const xmpp = client({ service: url, domain: host, username: user, password, resource });
    xmpp.reconnect.delay = 100;
    const session = { heard, jid: `${user}@${host}/${resource}`, resumed: 0, mechanism: undefined };
    xmpp.on("error", () => {});
    xmpp.on("send", (element) => {
        if (element.name === "auth" || element.name === "authenticate") session.mechanism ??= element.attrs.mechanism;
    });
    xmpp.on("stanza", (element) => heard.push(eventOf(element, get)));
    xmpp.streamManagement.on("resumed", () => (session.resumed += 1));
    const address = await new Promise((done, failed) => {
        xmpp.once("error", failed);
        xmpp.once("online", done);
        xmpp.start().catch(failed);
    });
    session.jid = address.toString();
    return Object.assign(session, {
        xmpp,
        iq: async (type, to, payload) => {
            const child = parse(payload);
            const attributes = `type='${type}'${to ? ` to='${to}'` : ""}`;
            const stanza = parse(`<iq ${attributes}></iq>`);
            stanza.append(child);
            return (await xmpp.iqCaller.request(stanza, 15_000)).toString();
        },
        // It sends again after a resume what was not acknowledged; while there is no connection it refuses.
        async send(xml) {
            for (;;) {
                if (xmpp.status === "online") {
                    await xmpp.send(parse(xml)).catch(() => {});
                    return;
                }
                await pause(20);
            }
        },
        close: () => xmpp.stop(),
    });
}
