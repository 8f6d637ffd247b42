// What a part of a page shows, asked for once or again and again.
import { useEffect, useRef, useState } from "preact/hooks";
import { asProblem, changes, type Problem } from "../api/call.ts";

export interface Loaded<T> {
    /** The latest answer, perhaps of the key before. */
    data: T | undefined;
    /** Why there is no newer one. */
    problem: Problem | undefined;
    isBusy: boolean;
    reload(): void;
}

/** Asking takes at most this part (a fiftieth) of the broker's time, however slow the answers are. */
const SHARE = 50;
/** But nobody waits longer, for one answer that was slow. */
const PAUSE_MAX_MS = 10_000;

/**
 * Asks when `key` changes, when something was changed from here, when told to, and every `everyMs`
 * (0: not by itself) as long as the page can be seen.
 */
export function useLoad<T>(
    key: string,
    load: (signal: AbortSignal) => Promise<T>,
    everyMs = 0,
): Loaded<T> {
    const [state, setState] = useState<Omit<Loaded<T>, "reload">>({
        data: undefined,
        problem: undefined,
        isBusy: true,
    });
    const latest = useRef(load);
    latest.current = load;
    const reload = useRef(() => {});

    useEffect(() => {
        const asker = new Asker(
            (signal) => latest.current(signal),
            everyMs,
            (change) => setState((state) => ({ ...state, ...change })),
        );
        reload.current = () => asker.ask();
        asker.ask();
        return () => asker.end();
    }, [key, everyMs]);

    const seen = useRef(changes.value);
    const now = changes.value;
    useEffect(() => {
        if (seen.current !== now) reload.current();
        seen.current = now;
    }, [now]);

    return { ...state, reload: () => reload.current() };
}

type Change<T> = Partial<Omit<Loaded<T>, "reload">>;

/** Asks again and again; of two questions the answer to the later one counts. */
class Asker<T> {
    private asking: AbortController | undefined;
    private timer: ReturnType<typeof setTimeout> | undefined;
    private isOver = false;

    constructor(
        private readonly load: (signal: AbortSignal) => Promise<T>,
        private readonly everyMs: number,
        private readonly change: (change: Change<T>) => void,
    ) {}

    ask() {
        if (this.isOver) return;
        this.stop();
        void this.run(new AbortController());
    }

    end() {
        this.isOver = true;
        this.stop();
    }

    private stop() {
        this.asking?.abort();
        clearTimeout(this.timer);
        document.removeEventListener("visibilitychange", this.seen);
    }

    private async run(asking: AbortController) {
        this.asking = asking;
        const began = performance.now();
        this.change({ isBusy: true });
        const isObsolete = () => this.isOver || this.asking !== asking;
        try {
            const data = await this.load(asking.signal);
            if (isObsolete()) return;
            this.change({ data, problem: undefined, isBusy: false });
        } catch (error) {
            if (isObsolete()) return;
            this.change({ problem: asProblem(error), isBusy: false });
        }
        if (!this.everyMs) return;
        const took = performance.now() - began;
        const pause = Math.min(took * SHARE, PAUSE_MAX_MS);
        this.timer = setTimeout(this.again, Math.max(this.everyMs, pause));
    }

    private readonly again = () => {
        if (document.hidden) document.addEventListener("visibilitychange", this.seen);
        else this.ask();
    };

    private readonly seen = () => {
        if (!document.hidden) this.ask();
    };
}
