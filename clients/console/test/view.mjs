// The console as its user sees it, and what must hold wherever the user is.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const GRAVE = ["serious", "critical"];

export class View {
    constructor(page, host) {
        Object.assign(this, { page, host, problems: [], judged: 0 });
        page.setDefaultTimeout(20_000);
        page.on("pageerror", (error) => this.problems.push(String(error)));
        page.on("console", (message) => {
            // What is refused is a part of the tests, and chromium logs it.
            if (message.type() !== "error" || /status of 4/.test(message.text())) return;
            if (!this.isLost) this.problems.push(message.text());
        });
        // Whether the broker is known to be away.
        this.isLost = false;
    }

    /** Opens a page of the console by its address, and waits until it has its data. */
    async go(path) {
        await this.page.goto(`http://${this.host}/console#/${path}`);
        await this.settled();
    }

    async settled() {
        await this.page.locator("h1").first().waitFor();
        await this.page.waitForFunction(() => !/Loading…/.test(document.body.textContent));
    }

    heading() {
        return this.page.locator("h1").textContent();
    }

    link(name) {
        return this.page.getByRole("link", { name, exact: true });
    }

    button(name, within = this.page) {
        return within.getByRole("button", { name, exact: true });
    }

    /** Waits until chromium has logged this, which is right here, and a fault elsewhere. */
    async said(pattern) {
        const at = () => this.problems.findIndex((problem) => pattern.test(problem));
        for (let tries = 0; at() < 0 && tries < 250; tries += 1) {
            await this.page.waitForTimeout(20);
        }
        assert.ok(at() >= 0, `chromium has not logged ${pattern}`);
        this.problems.splice(at(), 1);
    }

    field(label, within = this.page) {
        return within.getByLabel(label, { exact: true });
    }

    row(text) {
        return this.page.locator("tbody tr").filter({ hasText: text });
    }

    dialog() {
        return this.page.getByRole("dialog");
    }

    note() {
        return this.page.getByRole("alert");
    }

    /** Waits until this text is on the page. */
    async shows(text) {
        await this.page.getByText(text).first().waitFor();
    }

    async hides(locator) {
        await locator.waitFor({ state: "detached" });
    }

    /** Presses a button that asks first, looks at what it asks, and confirms. */
    async confirm(action, ask) {
        const dialog = this.dialog();
        await dialog.waitFor();
        if (ask) assert.match(await dialog.textContent(), ask);
        await this.judge(`dialog: ${action}`);
        await this.button(action, dialog).click();
        await this.hides(dialog);
    }

    /** Fills in the fields of a form by their labels. */
    async fill(values, within = this.page) {
        for (const [label, value] of Object.entries(values)) {
            const field = this.field(label, within);
            const kind = await field.evaluate((element) => element.tagName + element.type);
            if (kind.startsWith("SELECT")) await field.selectOption(value);
            else if (kind === "INPUTcheckbox") await field.setChecked(value);
            else await field.fill(String(value));
        }
    }

    /** What must hold everywhere: nobody is shut out, and nothing sticks out of the page. */
    async judge(name) {
        const isThere = await this.page.evaluate(() => "axe" in globalThis);
        if (!isThere) await this.page.evaluate(AXE);
        const violations = await this.page.evaluate(async () => {
            const { violations } = await globalThis.axe.run(document, {
                resultTypes: ["violations"],
            });
            return violations.map(({ id, impact, help, nodes }) => ({
                id,
                impact,
                help,
                where: nodes
                    .slice(0, 3)
                    .map(({ target, failureSummary }) => [target, failureSummary]),
            }));
        });
        const grave = violations.filter(({ impact }) => GRAVE.includes(impact));
        assert.deepEqual(grave, [], `${name}: ${JSON.stringify(grave, null, 1)}`);
        for (const { id, help } of violations) console.log(`    ${name}: ${id}: ${help}`);
        const sticksOut = await this.page.evaluate(
            () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        assert.ok(sticksOut <= 0, `${name}: ${sticksOut} pixels stick out`);
        this.judged += 1;
    }
}
