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
    const management = xmpp.streamManagement;
    const acknowledged = new WeakSet();
    let asked = 0;
    management.on("ack", (stanza) => acknowledged.add(stanza));
    management.on("resumed", () => (session.resumed += 1));
    const address = await new Promise((done, failed) => {
        xmpp.once("error", failed);
        xmpp.once("online", done);
        xmpp.start().catch(failed);
    });
    session.jid = address.toString();
    return Object.assign(session, {
        xmpp,
        // Not by its iqCaller: answers that it finds do not come to where stanzas are counted, so that its h is too low.
        iq: (type, to, payload) => {
            const id = `iq-${(asked += 1)}`;
            const stanza = parse(`<iq id='${id}' type='${type}'${to ? ` to='${to}'` : ""}></iq>`);
            stanza.append(parse(payload));
            return new Promise((done, failed) => {
                const timer = setTimeout(() => failed(new Error(`no answer to ${payload}`)), 15_000);
                const hear = (answer) => {
                    if (answer.name !== "iq" || answer.attrs.id !== id) return;
                    clearTimeout(timer);
                    xmpp.off("stanza", hear);
                    if (answer.attrs.type === "error") failed(new Error(answer.toString()));
                    else done(answer.toString());
                };
                xmpp.on("stanza", hear);
                xmpp.send(stanza).catch(failed);
            });
        },
        // It sends again after a resume what it has in its queue. What it was given between the loss of the
        // connection and the news of it is in no queue, and for the application to say again.
        async send(xml) {
            for (;;) {
                if (xmpp.status === "online" && management.enabled) {
                    const stanza = parse(xml);
                    const sending = xmpp.send(stanza).then(() => true, () => false);
                    // It is put there within a few turns, and taken out again when a stream is resumed.
                    let queued = false;
                    for (let turn = 0; turn < 20 && !queued; turn += 1) {
                        await null;
                        queued = management.outbound_q.some((item) => item.stanza === stanza);
                    }
                    if ((await sending) || queued || acknowledged.has(stanza)) return;
                }
                await pause(20);
            }
        },
        close: () => xmpp.stop(),
    });
}
