// What passes through an address, as it passes.
import { useEffect, useRef, useState } from "preact/hooks";
import { call } from "../api/call.ts";
import type { Address } from "../api/operations.ts";
import { useLoad } from "../parts/load.ts";
import { ProblemNote } from "../parts/problem.tsx";
import { Badge, Facts } from "../parts/show.tsx";
import { overview } from "../watch.ts";
import { tap, type Heard } from "../tap.ts";
import { bytes, count, moment } from "../words.ts";
import { BodyOf, firstLine } from "./body.tsx";
import { MessageEntry } from "./messages.tsx";

const KEPT = 200;
const SHOWN = 20;

export function Live({ address }: { address: Address }) {
    if (address.kind === "queue") return <Queue address={address} />;
    const hosts = overview.value?.hosts ?? [];
    // A WebSocket belongs to the host by whose name it was opened, else to the first.
    const here = hosts.find((host) => host === location.hostname) ?? hosts[0];
    if (here !== undefined && here !== address.host) {
        return (
            <p class="empty">
                This page can listen to topics of {here}, the host that it came from. To listen to
                this one, open it as {address.host}.
            </p>
        );
    }
    return <Topic name={address.name} />;
}

/** Of a queue every message goes to one consumer, so that nobody can listen but by looking. */
function Queue({ address: { host, name } }: { address: Address }) {
    const { data, problem, reload } = useLoad(
        `${host} ${name}`,
        (signal) => {
            const query = { host, limit: SHOWN };
            return call("peekMessages", { path: { address: name }, query, signal });
        },
        1000,
    );
    return (
        <section>
            <div class="filters">
                <p class="quiet">
                    The {SHOWN} oldest messages that wait here, looked at every second. Who consumes
                    quickly leaves nothing to be seen.
                </p>
            </div>
            {problem && <ProblemNote problem={problem} again={reload} />}
            {data?.items.length === 0 && <p class="empty">No message waits here.</p>}
            <ol class="messages">
                {data?.items.map((message, at) => (
                    <li key={at}>
                        <MessageEntry message={message} host={host} />
                    </li>
                ))}
            </ol>
        </section>
    );
}

function Topic({ name }: { name: string }) {
    const [state, setState] = useState<[string, string | undefined]>(["connecting", undefined]);
    const [shown, setShown] = useState<{ total: number; latest: Heard[] }>({
        total: 0,
        latest: [],
    });
    const [isPaused, setPaused] = useState(false);
    const kept = useRef({ total: 0, latest: [] as Heard[] });
    const paused = useRef(false);
    paused.current = isPaused;

    useEffect(() => {
        const over = new AbortController();
        const listener = {
            heard: (message: Heard) => {
                const { latest } = kept.current;
                kept.current = {
                    total: message.number,
                    latest: [message, ...latest].slice(0, KEPT),
                };
            },
            state: (state: string, reason?: string) => setState([state, reason]),
        };
        void tap(name, listener, over.signal);
        // However many come, the page is drawn anew four times a second.
        const timer = setInterval(() => {
            if (!paused.current) setShown(kept.current);
        }, 250);
        return () => {
            clearInterval(timer);
            over.abort();
        };
    }, [name]);

    const isOpen = state[0] === "open" || state[0] === "recovered";
    return (
        <section>
            <div class="filters">
                <p class="quiet">
                    This page is subscribed over MBWS as long as this is open, and takes nothing
                    from others.
                </p>
                <Badge tone={isOpen ? "good" : "warn"}>{state[0]}</Badge>
                <span data-heard={shown.total}>{count(shown.total)} heard</span>
                <button type="button" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
                    {isPaused ? "Go on" : "Pause"}
                </button>
            </div>
            {state[1] && <p class="note bad">{state[1]}</p>}
            {shown.total === 0 && <p class="empty">Nothing has been sent since.</p>}
            <ol class="messages">
                {shown.latest.map((message) => (
                    <li key={message.number}>
                        <details>
                            <summary>
                                <span class="quiet">{moment(message.at_ms).slice(11)}</span>
                                <span class="preview">{firstLine(message)}</span>
                                {message.content_type && <Badge>{message.content_type}</Badge>}
                                <span class="quiet">{bytes(message.len_bytes)}</span>
                            </summary>
                            <Facts of={Object.entries(message.properties)} />
                            <BodyOf {...message} />
                        </details>
                    </li>
                ))}
            </ol>
        </section>
    );
}
