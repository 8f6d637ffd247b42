// One protocol on the page: its counters, its chart, and what happened to it.

import { Chart } from "./chart.js";
import { Tally } from "./tally.js";

const NOTES_MAX = 40;
/** Waiting for the broker without end is for outboxes on disk; this one is in memory. */
const UNCONFIRMED_MAX = 5000;

export const digits = new Intl.NumberFormat("en");

export class Pane {
    tally = new Tally();
    isUp = false;
    isSubscribed = false;
    cuts = 0;
    #downAt = 0;
    #protocol;
    #chart;

    /** `changed` is called when the wire is there again, or gone. */
    constructor(Protocol, name, address, key, changed) {
        this.name = name;
        this.changed = changed;
        this.#protocol = new Protocol(address, this);
        this.#build(key);
    }

    #build(key) {
        const element = document.querySelector(`#${this.name}`);
        element.append(document.querySelector("#pane").content.cloneNode(true));
        const find = (selector) => element.querySelector(selector);
        this.element = element;
        this.state = find(".state");
        this.log = find(".log");
        this.sender = find("input");
        this.sender.value = this.name;
        this.counts = [...element.querySelectorAll("[data-count]")];
        this.#chart = new Chart(find("canvas"));
        const button = find(".cut");
        button.onclick = () => this.cut();
        button.ariaKeyShortcuts = find("kbd").textContent = key;
    }

    begin() {
        this.#show("connecting");
        this.#protocol.begin();
    }

    end() {
        this.isUp = false;
        this.#show("ended");
        this.#protocol.end();
    }

    async cut() {
        try {
            await this.#protocol.cut();
            this.cuts += 1;
        } catch (error) {
            this.note(`not cut: ${error.message}`, "bad");
        }
    }

    /** The next message, if the broker is not too far behind. */
    sendNext() {
        const { tally } = this;
        if (tally.sent - tally.confirmed >= UNCONFIRMED_MAX) return;
        tally.sent += 1;
        this.#chart.add("sent");
        this.#protocol.send(`${this.name}-${tally.sent}`, `sent ${new Date().toISOString()}`);
    }

    // What follows is what a protocol says.

    /** `unconfirmed`: what is sent now, whether it was sent before or waited. */
    up(how, unconfirmed) {
        this.isUp = true;
        const ms = Math.round(performance.now() - this.#downAt);
        const rest = unconfirmed > 0 ? `, with ${digits.format(unconfirmed)} unconfirmed` : "";
        if (this.#downAt) this.note(`${how} after ${digits.format(ms)} ms${rest}`, "good");
        else this.note(how, "good");
        this.#downAt = 0;
        this.#chart.wire(false);
        this.#show("connected");
        this.changed();
    }

    down(code) {
        if (this.isUp) this.note(`no wire (code ${code})`, "bad");
        if (this.isUp) this.#downAt = performance.now();
        this.isUp = false;
        this.#chart.wire(true);
        this.#show("no wire");
        this.changed();
    }

    subscribed() {
        this.isSubscribed = true;
    }

    confirmed() {
        this.tally.confirmed += 1;
    }

    received(id, again) {
        this.tally.take(id, again);
        this.#chart.add("received");
    }

    note(text, kind = "") {
        const entry = document.createElement("li");
        entry.textContent = text;
        entry.className = kind;
        this.log.prepend(entry);
        while (this.log.children.length > NOTES_MAX) this.log.lastChild.remove();
    }

    #show(state) {
        this.state.textContent = state;
        this.element.dataset.state = state.replace(" ", "-");
    }

    draw() {
        for (const count of this.counts) {
            const value = this.tally[count.dataset.count];
            count.textContent = digits.format(value);
            count.classList.toggle("alarm", value > 0 && count.hasAttribute("data-bad"));
        }
        this.#chart.draw();
    }
}
