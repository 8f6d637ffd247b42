/** What a page is told about its own life, where there is one. */
export interface Life {
    /** The network is back, the page is looked at, or it has come out of a sleep. */
    wake(): void;
    /** It may be asleep for long, or never wake up. */
    sleep(): void;
}

/** Returns what ends it. */
export function watch({ wake, sleep }: Life): () => void {
    const page = globalThis as Partial<Window & typeof globalThis>;
    const document = page.document;
    const seen = () => document?.visibilityState === "visible" && wake();
    const hidden = (event: Event) => (event as PageTransitionEvent).persisted && sleep();
    const watched: [EventTarget | undefined, string, (event: Event) => void][] = [
        [page as EventTarget, "online", wake],
        [page as EventTarget, "pageshow", wake],
        [page as EventTarget, "pagehide", hidden],
        [document, "visibilitychange", seen],
        [document, "resume", wake],
        [document, "freeze", sleep],
    ];
    for (const [target, name, listener] of watched) target?.addEventListener?.(name, listener);
    return () => {
        for (const [target, name, listener] of watched) target?.removeEventListener?.(name, listener);
    };
}
