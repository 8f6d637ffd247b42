// XMPP over WebSocket (RFC 7395) with stream management (XEP-0198). Each message of the WebSocket
// is one element. A topic is an address of XMPP: presence to it subscribes, a message to it is
// sent. Both sides count the stanzas that they have handled; after a loss the stream is resumed,
// and what the other side has not counted is sent again. So nothing is lost and nothing comes
// twice.
//
// An entry that waits to be counted is { id, body, again } or { presence: true }.

import { Wire } from "./wire.js";

const CLIENT = "jabber:client";
const FRAMING = "urn:ietf:params:xml:ns:xmpp-framing";
const SASL = "urn:ietf:params:xml:ns:xmpp-sasl";
const BIND = "urn:ietf:params:xml:ns:xmpp-bind";
const SM = "urn:xmpp:sm:3";
const HEADERS = "http://jabber.org/protocol/shim";
/** Not who one is by a password, but whom the WebSocket's request has let in; or anybody. */
const MECHANISMS = ["EXTERNAL", "ANONYMOUS"];

export class Xmpp {
    #wire;
    #isOpen = false;
    #topic = "";
    /** What the stream is resumed by; empty before there is one. */
    #stream = "";
    /** Stanzas received, and of ours those that the broker has handled. */
    #received = 0;
    #handled = 0;
    /** What came after those. */
    #waiting = [];
    #isAsking = false;

    constructor(address, audience) {
        Object.assign(this, { address, audience });
        this.#wire = new Wire("xmpp", "", this);
    }

    begin() {
        this.#wire.open();
    }

    /** A stream that is closed is over, and with it the subscription. */
    end() {
        this.#write(element(FRAMING, "close"));
        this.#wire.close();
    }

    cut() {
        return this.#wire.cut();
    }

    send(id, body) {
        const entry = { id, body, again: false };
        this.#waiting.push(entry);
        if (this.#isOpen) this.#writeEntry(entry);
    }

    #write(xml) {
        this.#wire.send(new XMLSerializer().serializeToString(xml));
    }

    #writeEntry({ presence, id, body, again }) {
        const to = this.#topic;
        if (presence) this.#write(element(CLIENT, "presence", { to }));
        else this.#write(element(CLIENT, "message", { to, id }, contentOf(body, again)));
        this.#ask();
    }

    /** Is it handled? One question at a time; its answer leads to the next. */
    #ask() {
        if (this.#isAsking || this.#waiting.length === 0) return;
        this.#isAsking = true;
        this.#write(element(SM, "r"));
    }

    opened() {
        this.#write(element(FRAMING, "open", { version: "1.0" }));
    }

    received(data) {
        const xml = new DOMParser().parseFromString(data, "text/xml").documentElement;
        const steps = {
            open: () => this.#learnHost(xml),
            "stream:features": () => this.#choose(xml),
            success: () => this.opened(),
            resumed: () => this.#resumed(xml),
            failed: () => this.#failed(xml),
            failure: () => this.#end(xml),
            enabled: () => this.#enabled(xml),
            r: () => this.#write(element(SM, "a", { h: this.#received })),
            a: () => this.#answered(xml),
            iq: () => this.#answeredIq(xml),
            presence: () => this.#takePresence(xml),
            message: () => this.#takeMessage(xml),
            "stream:error": () => this.#end(xml),
            close: () => this.#wire.giveUp(),
        };
        steps[xml.nodeName]?.();
    }

    // Localparts have no slash (XEP-0106).
    #learnHost(open) {
        const local = this.address.replaceAll("/", "\\2f");
        this.#topic = `${local}@mq.${open.getAttribute("from")}`;
    }

    #choose(features) {
        const offered = all(features, SASL, "mechanism").map((one) => one.textContent);
        const mechanism = MECHANISMS.find((one) => offered.includes(one));
        if (mechanism) return this.#write(element(SASL, "auth", { mechanism }, ["="]));
        if (offered.length > 0) {
            this.audience.note(`the broker offers ${offered}, and the page has no password`, "bad");
        } else if (this.#stream) {
            const where = { previd: this.#stream, h: this.#received };
            this.#write(element(SM, "resume", where));
        } else this.#bind();
    }

    #bind() {
        const bind = [element(BIND, "bind")];
        this.#write(element(CLIENT, "iq", { type: "set", id: "bind" }, bind));
    }

    #answeredIq(iq) {
        if (iq.getAttribute("id") !== "bind") this.#received += 1;
        else if (iq.getAttribute("type") === "error") this.#end(iq);
        else this.#write(element(SM, "enable", { resume: "true" }));
    }

    /** From here on stanzas are counted, on both sides. */
    #enabled(enabled) {
        this.#stream = enabled.getAttribute("id") ?? "";
        this.#received = this.#handled = 0;
        this.#waiting.unshift({ presence: true });
        this.#goOn("new stream");
    }

    #resumed(resumed) {
        this.#release(resumed);
        this.#goOn("resumed");
    }

    #goOn(how) {
        this.#isOpen = true;
        this.#wire.isGood();
        for (const entry of this.#waiting) this.#writeEntry(entry);
        this.audience.up(how, this.#waiting.length);
    }

    /**
     * There is no such stream: it has expired, or the journal is another. Nobody can say what of
     * the rest was handled, so what is sent again says so.
     */
    #failed(failed) {
        if (!this.#stream) return this.#end(failed);
        this.audience.note("the broker knows nothing of this stream", "bad");
        this.#stream = "";
        const messages = this.#waiting.filter(({ presence }) => !presence);
        this.#waiting = messages.map((entry) => ({ ...entry, again: true }));
        this.#bind();
    }

    #answered(answer) {
        this.#isAsking = false;
        this.#release(answer);
        this.#ask();
    }

    /** So many are on disk. */
    #release(counted) {
        const handled = Number(counted.getAttribute("h"));
        const gone = this.#waiting.splice(0, handled - this.#handled);
        this.#handled = handled;
        for (const { id } of gone) if (id) this.audience.confirmed(id);
    }

    #takePresence(presence) {
        this.#received += 1;
        if (presence.getAttribute("from") !== this.#topic) return;
        if (presence.getAttribute("type") === "error") this.#end(presence);
        else this.audience.subscribed();
    }

    #takeMessage(message) {
        this.#received += 1;
        if (message.getAttribute("type") === "error") {
            return this.audience.note(`refused: ${message.textContent}`, "bad");
        }
        const mark = all(message, HEADERS, "header").find(
            (header) => header.getAttribute("name") === "sent-again",
        );
        this.audience.received(message.getAttribute("id"), mark?.textContent === "true");
    }

    /** Something that another attempt may not have. */
    #end(xml) {
        const condition = xml.querySelector("error > *, failure > *, failed > *") ?? xml.firstChild;
        this.audience.note(condition?.nodeName ?? xml.nodeName, "bad");
        this.#wire.giveUp();
    }

    lost(code) {
        this.#isOpen = this.#isAsking = false;
        this.audience.down(code);
    }
}

const xmlDocument = document.implementation.createDocument(null, null);

function element(namespace, name, attributes = {}, children = []) {
    const made = xmlDocument.createElementNS(namespace, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
}

function contentOf(body, again) {
    const header = element(HEADERS, "header", { name: "sent-again" }, ["true"]);
    const mark = again ? [element(HEADERS, "headers", {}, [header])] : [];
    return [element(CLIENT, "body", {}, [body]), ...mark];
}

const all = (xml, namespace, name) => [...xml.getElementsByTagNameNS(namespace, name)];
