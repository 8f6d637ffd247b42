// strophe.js, which leaves reconnecting to its caller and resumes by itself then.
import { WebSocket } from "ws";
import { DOMParser } from "@xmldom/xmldom";
import { Heard, eventOf, pause } from "./events.mjs";

globalThis.WebSocket = WebSocket;
const { Strophe } = await import("strophe.js");

const get = {
    name: (element) => element.nodeName,
    child: (element, name) => [...element.childNodes].find((child) => child.localName === name || child.nodeName === name),
    attribute: (element, name) => element?.getAttribute(name) || undefined,
    text: (element) => element.textContent,
};

export const mechanism = { ws: "SCRAM-SHA-512", wss: "SCRAM-SHA-512" };

function parse(xml) {
    return new DOMParser().parseFromString(xml, "text/xml").documentElement;
}

export async function connect({ url, host, user, password, resource }) {
    const heard = new Heard();
    const connection = new Strophe.Connection(url, { enableStreamManagement: true, keepalive: false });
    const jid = `${user}@${host}/${resource}`;
    const session = { heard, jid, resumed: 0, mechanism: undefined, closing: false };
    let ready, failed, again;
    const online = new Promise((done, bad) => ([ready, failed] = [done, bad]));
    const status = (now) => {
        if (now === Strophe.Status.CONNECTED) {
            if (connection.hasResumed()) session.resumed += 1;
            // Handlers end with their connection.
            connection.addHandler(hear, null, null);
            session.mechanism ??= connection._sasl_mechanism?.mechname;
            ready();
        } else if (now === Strophe.Status.AUTHFAIL) {
            failed(new Error("the login failed"));
        } else if (now === Strophe.Status.DISCONNECTED && !session.closing) {
            // Said after every failure, sometimes twice.
            clearTimeout(again);
            again = setTimeout(() => session.closing || connection.connect(jid, password, status), 100);
        }
    };
    const hear = (element) => {
        heard.push(eventOf(element, get));
        return true;
    };
    connection.connect(jid, password, status);
    await online;
    const iq = (type, to, payload) =>
        new Promise((done, bad) => {
            const id = connection.getUniqueId();
            const at = to ? ` to='${to}'` : "";
            const stanza = parse(`<iq xmlns='jabber:client' type='${type}' id='${id}'${at}>${payload}</iq>`);
            connection.sendIQ(stanza, (answer) => done(answer.toString()), (error) => bad(new Error(String(error))), 15_000);
        });
    return Object.assign(session, {
        iq,
        // It has no place for what is said while there is no connection.
        async send(xml) {
            while (!connection.connected || !connection.authenticated) await pause(20);
            connection.send(parse(xml.replace(/^<(\w+)/, "<$1 xmlns='jabber:client'")));
        },
        async close() {
            session.closing = true;
            connection.disconnect();
            await pause(200);
        },
    });
}
