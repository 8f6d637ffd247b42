// The page as its user sees it: what can be read on it, and what can be pressed.

export const PANES = ["mbws", "xmpp", "amqp"];
const COUNTS = ["sent", "confirmed", "received", "repeated", "duplicated", "lost"];
const WAIT_MS = 60_000;

export class DemoPage {
    constructor(page) {
        this.page = page;
    }

    /** Every counter of every pane, the totals, the verdict. */
    read() {
        return this.page.evaluate(
            ([panes, counts]) => {
                const text = (selector) => document.querySelector(selector).textContent;
                const number = (selector) => Number(text(selector).replace(/\D/g, ""));
                const pane = (name) => ({
                    state: text(`#${name} .state`),
                    notes: [...document.querySelectorAll(`#${name} li`)].map((li) => li.innerText),
                    ...Object.fromEntries(
                        counts.map((what) => [what, number(`#${name} [data-count=${what}]`)]),
                    ),
                });
                return {
                    stage: document.body.dataset.stage,
                    cuts: number("#cuts"),
                    restarts: number("#restarts"),
                    kill: text("#kill"),
                    verdict: text("#verdict"),
                    word: document.querySelector("#verdict").className,
                    ...Object.fromEntries(panes.map((name) => [name, pane(name)])),
                };
            },
            [PANES, COUNTS],
        );
    }

    /** Looks at the page until it shows what is waited for. */
    async until(condition, what) {
        const end = Date.now() + WAIT_MS;
        for (;;) {
            const shown = await this.read();
            if (condition(shown)) return shown;
            if (Date.now() > end) {
                throw new Error(`waited too long: ${what}\n${JSON.stringify(shown, null, 1)}`);
            }
            await this.page.waitForTimeout(50);
        }
    }

    async start(sender, rate) {
        await this.page.check(`#${sender} input`);
        await this.page.selectOption("#rate", String(rate));
        await this.page.click("#start");
        return this.until(({ stage }) => stage === "sending", "all panes are subscribed");
    }

    /** Presses Stop, and waits for what the page has to say of it all. */
    async stop() {
        await this.page.click("#start");
        return this.until(({ word }) => /good|bad/.test(word), "a verdict");
    }

    /** Whatever was done: every pane is there again, and has got `count` more messages. */
    async goesOn(count, what) {
        const before = await this.read();
        const isThere = (shown) => (name) =>
            shown[name].state === "connected" &&
            shown[name].received >= before[name].received + count;
        return this.until((shown) => PANES.every(isThere(shown)), `messages after ${what}`);
    }

    /** Presses a button that cuts, and waits until the broker has done it. */
    async cut(selector, count) {
        const { cuts } = await this.read();
        await this.page.click(selector);
        return this.until((shown) => shown.cuts >= cuts + count, `a cut by ${selector}`);
    }
}
