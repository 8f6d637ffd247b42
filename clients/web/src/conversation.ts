// One connection over one WebSocket after another. Of all tabs that share a store, one has this.
import { Backoff, hintMs } from "./backoff.js";
import { WharfError } from "./errors.js";
import { acknowledgeFrame, decode, type Content, type Frame } from "./frames.js";
import { Ledger } from "./ledger.js";
import { Link, type Loss, type SocketClass } from "./link.js";
import { Saving } from "./saving.js";
import type { Store } from "./store.js";

export interface Settings {
    WebSocket: SocketClass;
    /** The URL of the next WebSocket. */
    target(): Promise<string>;
    /** The next WebSocket may be asked for with other credentials than the last. */
    renews: boolean;
    /** What the broker may have stored when a connection is lost for good: sent again, or given up. */
    uncertain: "resend" | "reject";
    answerTimeoutMs: number;
    heartbeatMs: number;
    backoff: Backoff;
}

/** A delivery as it came. */
export interface Arrived {
    content: Content;
    seq: number;
    name: string;
}

/** What may happen. */
export interface Audience {
    /** Messages flow. */
    open(state: "open" | "recovered"): void;
    /** No WebSocket; the next one is asked for after a pause. */
    waiting(detail: { attempt: number; pauseMs: number; reason: string }): void;
    delivered(arrived: Arrived): void;
    /** Entries up to this key are stored by the broker. */
    settled(key: number): void;
    /** One entry never will be. */
    failed(key: number, error: WharfError): void;
    /** The broker closed the WebSocket over something; true if it is known over what, and dealt with. */
    blamed(reason: string): boolean;
    /** The connection is gone for good. The new one knows nothing of what is to be received. */
    lost(uncertain: Content[]): void;
    /** What came on an earlier connection, and is not acknowledged, comes again. */
    renewed(): void;
    /** It is silent: send something that the broker answers, if its silence may matter. */
    probe(isAwake: boolean): void;
    ended(error: WharfError): void;
}

/** Close codes that say that something of ours is not acceptable. */
const REFUSALS = [1002, 1003, 1007, 1008, 1009];
/** Somebody else goes on with the connection. */
const TAKEN_OVER = 4001;
/** The broker broke the protocol; browsers may not say 1002. */
const VIOLATION = 4002;
/** Left to be recovered. */
const ABANDONED = 4000;
/** The broker is overloaded. */
const TRY_LATER = 1013;
const TRY_LATER_MS = 1000;
/** HTTP statuses that do not change by themselves. */
const PERMANENT = [400, 401, 403, 404, 426];
/** After so long a WebSocket was good, whatever came over it. */
const GOOD_MS = 10_000;

export class Conversation {
    ledger!: Ledger;
    /** Counts connections: what came on an earlier one is acknowledged no more. */
    generation = 0;
    private link: Link | undefined;
    /** The broker has answered Connect. */
    private isAnswered = false;
    /** Messages may be sent. */
    private isOpen = false;
    private isStopped = false;
    private openedAt = 0;
    private pause: ReturnType<typeof setTimeout> | undefined;
    private heart: ReturnType<typeof setInterval> | undefined;
    private heardAt = 0;
    private isMore = false;
    private filling: Promise<void> | undefined;
    private told = 0;
    private saving: Saving;
    /** Up to this number, one message at a time: the broker closes the connection over one of them. */
    private suspectUpTo = 0;
    /** The one that was alone on its way when it did so again, and what it said. */
    private culprit: { seq: number; reason: string } | undefined;

    constructor(
        private readonly store: Store,
        private readonly settings: Settings,
        private readonly audience: Audience,
    ) {
        this.saving = new Saving(
            () => this.save(),
            (error) => this.end(new WharfError("storage", String(error))),
        );
    }

    /** Begins, or begins again after `stop`. */
    async start() {
        try {
            const saved = await this.store.load();
            // Nobody else had it meanwhile: what the application holds is still valid.
            const isOurs = this.ledger && JSON.stringify(saved) === JSON.stringify(this.ledger.save());
            if (!isOurs) {
                this.ledger = new Ledger(saved);
                this.generation += 1;
                this.told = 0;
                this.audience.renewed();
            }
            this.audience.settled(saved.settled);
        } catch (error) {
            return this.end(new WharfError("storage", String(error)));
        }
        this.isStopped = false;
        // The window that Connect tells of is the whole one.
        await this.fill();
        await this.connect();
    }

    /** Leaves the connection to be recovered, by this tab or another. */
    async stop() {
        this.silence();
        await this.filling;
        await this.saving.idle();
    }

    /** Ends the connection for good: what is unacknowledged goes back to its addresses. */
    // MBWS-015
    async finish(waitMs: number) {
        await this.saving.idle();
        const { link } = this;
        this.link = undefined;
        this.isOpen = false;
        await link?.close(1000, waitMs);
        await this.stop();
    }

    private silence() {
        this.isStopped = true;
        this.isOpen = this.isAnswered = false;
        clearTimeout(this.pause);
        clearInterval(this.heart);
        void this.link?.close(ABANDONED);
        this.link = undefined;
    }

    private end(error: WharfError) {
        if (this.isStopped) return;
        this.silence();
        this.audience.ended(error);
    }

    private async connect() {
        this.pause = undefined;
        let url;
        try {
            url = await this.settings.target();
        } catch (error) {
            if (error instanceof WharfError) return this.end(error);
            return this.lost({ code: 0, reason: String(error) });
        }
        if (this.isStopped || this.link) return;
        try {
            const link: Link = new Link(this.settings.WebSocket, url, {
                opened: () => link.send(this.ledger.opening()),
                received: (data) => this.received(data),
                lost: (loss) => this.lost(loss),
            });
            link.expect(this.settings.answerTimeoutMs);
            this.link = link;
        } catch (error) {
            this.end(new WharfError("refused", String(error)));
        }
    }

    /** Something may have changed: the network, or the page was asleep. */
    wake() {
        if (this.pause !== undefined) {
            clearTimeout(this.pause);
            this.settings.backoff.reset();
            void this.connect();
        } else if (this.isOpen) {
            this.beat(true);
            this.link?.expect(this.settings.answerTimeoutMs / 4);
        }
    }

    /** A browser does not say when a WebSocket is dead: something is asked that is answered. */
    private beat(isAwake = false) {
        if (!this.ledger.inFlight) this.audience.probe(isAwake);
    }

    private received(data: string | ArrayBuffer) {
        this.heardAt = Date.now();
        try {
            this.handle(decode(typeof data === "string" ? data : new Uint8Array(data)));
        } catch (error) {
            void this.link?.close(VIOLATION);
            this.end(error instanceof WharfError ? error : new WharfError("protocol", String(error)));
        }
        this.await();
    }

    private await() {
        if (this.ledger.inFlight > 0) this.link?.expect(this.settings.answerTimeoutMs);
    }

    private handle(frame: Frame) {
        if (frame.id === 1) {
            if (this.isAnswered) throw new WharfError("protocol", "a second Connect");
            return void this.answered(frame.name, this.ledger.answered(frame.name, frame.numbers));
        }
        // MBWS-017
        if (!this.isAnswered) throw new WharfError("protocol", "a frame before Connect");
        if (frame.id === 2) return this.release(frame.number);
        // MBWS-073
        if (frame.addresses.length !== 1) throw new WharfError("protocol", "a delivery from many addresses");
        const seq = this.ledger.deliver();
        if (!seq) return;
        this.settings.backoff.reset();
        this.audience.delivered({ content: frame, seq, name: this.ledger.name });
    }

    private async answered(name: string, answer: ReturnType<Ledger["answered"]>) {
        this.isAnswered = true;
        this.openedAt = Date.now();
        if (typeof answer === "object") {
            // MBWS-A23
            this.release(answer.resumed);
            this.dropCulprit();
            return this.begin("recovered");
        }
        const { link } = this;
        const uncertain = answer === "refused" ? this.giveUp() : undefined;
        this.ledger.restart(name);
        this.generation += 1;
        this.suspectUpTo = 0;
        this.culprit = undefined;
        this.audience.renewed();
        if (uncertain) this.audience.lost(uncertain);
        // The name is safe before the first message is sent on it.
        await this.saving.soon().catch(() => {});
        if (this.link === link && !this.isStopped) this.begin("open");
    }

    private begin(state: "open" | "recovered") {
        this.isOpen = true;
        this.told = state === "open" ? 0 : this.told;
        this.audience.open(state);
        const { heartbeatMs } = this.settings;
        const listen = () => Date.now() - this.heardAt >= heartbeatMs && this.beat();
        if (heartbeatMs) this.heart = setInterval(listen, heartbeatMs / 2);
        this.flush();
        void this.fill();
    }

    /** Nobody knows whether the broker has these. */
    // MBWS-023
    private giveUp(): Content[] {
        const count = this.ledger.uncertain;
        const uncertain = this.ledger.window.slice(0, count).map(({ frame }) => decode(frame) as Content & Frame);
        if (this.settings.uncertain === "reject") {
            const error = new WharfError("uncertain", "the connection is gone; the broker may have stored this or not");
            for (const { key } of this.ledger.drop(count)) this.audience.failed(key, error);
        }
        return uncertain;
    }

    private dropCulprit() {
        const { culprit } = this;
        this.culprit = undefined;
        if (culprit?.seq !== this.ledger.acknowledged + 1) return;
        this.suspectUpTo -= 1;
        for (const { key } of this.ledger.drop(1)) {
            this.audience.failed(key, new WharfError("refused", culprit.reason));
        }
        void this.saving.soon();
    }

    // MBWS-034
    private release(upTo: number) {
        if (!this.ledger.release(upTo)) return;
        this.settings.backoff.reset();
        this.audience.settled(this.ledger.settled);
        void this.saving.soon();
        this.flush();
    }

    /** Brings what waits in the store into the window, in its order. */
    fill(): Promise<void> {
        this.isMore = true;
        this.filling ??= this.fillNow().catch((error) => this.end(new WharfError("storage", String(error))));
        return this.filling;
    }

    private async fillNow() {
        // So that `filling` is set before it is unset.
        await undefined;
        while (this.isMore && !this.isStopped) {
            this.isMore = false;
            const { count, bytes } = this.ledger.room();
            if (!count) break;
            const entries = await this.store.read(this.ledger.loaded, count, bytes);
            if (this.isStopped) break;
            this.ledger.load(entries);
            this.isMore ||= entries.length > 0;
            this.flush();
        }
        this.filling = undefined;
    }

    private flush() {
        if (!this.isOpen || !this.link) return;
        const { ledger, link } = this;
        while (ledger.acknowledged >= this.suspectUpTo || ledger.inFlight < 1) {
            const frame = ledger.next();
            if (frame === undefined) break;
            link.send(frame);
        }
        this.await();
    }

    private async save() {
        const { taken, name } = await this.ledger.saveTo((saved) => this.store.save(saved));
        void this.fill();
        // MBWS-033: what is said to be taken is safe.
        if (!this.isOpen || name !== this.ledger.name || taken <= this.told) return;
        this.told = taken;
        this.link?.send(acknowledgeFrame(taken));
    }

    /** The application has taken a delivery. False if it will come again: its connection is gone. */
    async take(seq: number, generation: number): Promise<boolean> {
        if (this.isStopped || generation !== this.generation) return false;
        this.ledger.take(seq);
        await this.saving.soon();
        return true;
    }

    private lost(loss: Loss) {
        const wasAnswered = this.isAnswered;
        this.link = undefined;
        this.isOpen = this.isAnswered = false;
        clearInterval(this.heart);
        if (this.isStopped) return;
        const error = this.judge(loss, wasAnswered);
        if (error) return this.end(error);
        const { backoff } = this.settings;
        if (wasAnswered && Date.now() - this.openedAt > GOOD_MS) backoff.reset();
        const pauseMs = backoff.nextMs(hintMs(loss.reason) || (loss.code === TRY_LATER ? TRY_LATER_MS : 0));
        this.pause = setTimeout(() => this.connect(), pauseMs);
        const reason = loss.status ? `HTTP ${loss.status}` : loss.reason || `closed with ${loss.code}`;
        this.audience.waiting({ attempt: backoff.attempts, pauseMs, reason });
    }

    /** Why another WebSocket would end like this one; undefined if it need not. */
    // MBWS-A09
    private judge({ code, reason, status = 0 }: Loss, wasAnswered: boolean): WharfError | undefined {
        if (code === TAKEN_OVER) return new WharfError("taken-over", reason);
        if (PERMANENT.includes(status) && !this.settings.renews) {
            return new WharfError("unauthorized", `the broker answers with HTTP ${status}`);
        }
        if (!REFUSALS.includes(code) || this.audience.blamed(reason)) return undefined;
        if (!wasAnswered || !this.ledger.inFlight) return new WharfError("refused", reason || `closed with ${code}`);
        const { acknowledged, sent } = this.ledger;
        if (acknowledged < this.suspectUpTo) this.culprit = { seq: acknowledged + 1, reason };
        else this.suspectUpTo = sent;
        return undefined;
    }
}
