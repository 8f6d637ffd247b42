/** Saves again and again, never twice at a time: what changes while one write runs goes into the next. */
export class Saving {
    private running: Promise<void> = Promise.resolve();
    private next: Promise<void> | undefined;

    constructor(
        private readonly write: () => Promise<void>,
        private readonly failed: (error: unknown) => void,
    ) {}

    /** Resolves when everything that has changed until now is saved. */
    soon(): Promise<void> {
        if (!this.next) {
            const next: Promise<void> = this.running.then(() => {
                this.running = next;
                this.next = undefined;
                return this.write();
            });
            next.catch(this.failed);
            this.next = next;
        }
        return this.next;
    }

    /** Resolves when nothing is being saved. */
    async idle() {
        await (this.next ?? this.running).catch(() => {});
    }
}
