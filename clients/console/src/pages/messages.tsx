// The oldest messages of a queue, which stay where they are.
import { useState } from "preact/hooks";
import { call } from "../api/call.ts";
import type { Message } from "../api/operations.ts";
import { Pick } from "../parts/form.tsx";
import { useLoad } from "../parts/load.ts";
import { ProblemNote } from "../parts/problem.tsx";
import { Badge, Facts } from "../parts/show.tsx";
import { to } from "../route.ts";
import { bytes, counted } from "../words.ts";
import { asked, type Where } from "./address.tsx";
import { BodyOf, firstLine } from "./body.tsx";

const LIMITS = [20, 50, 100].map((limit) => [limit, String(limit)] as const);

export function Messages({ where }: { where: Where }) {
    const [limit, setLimit] = useState(20);
    const { path, query } = asked(where);
    const { data, problem, isBusy, reload } = useLoad(JSON.stringify([where, limit]), (signal) =>
        call("peekMessages", { path, query: { ...query, limit }, signal }),
    );
    return (
        <section aria-busy={isBusy}>
            <div class="filters">
                <p class="quiet">
                    The oldest messages that are not out to a consumer. To look at them takes
                    nothing away.
                </p>
                <Pick label="At most" choices={LIMITS} value={limit} pick={setLimit} />
                <button type="button" onClick={reload}>
                    Look again
                </button>
            </div>
            {problem && <ProblemNote problem={problem} again={reload} />}
            {data?.items.length === 0 && <p class="empty">No message waits here.</p>}
            <ol class="messages">
                {data?.items.map((message, at) => (
                    <li key={at}>
                        <MessageEntry message={message} host={where.host} />
                    </li>
                ))}
            </ol>
        </section>
    );
}

export function MessageEntry({ message, host }: { message: Message; host: string }) {
    const { content_type, properties, len_bytes, deliveries, death } = message;
    return (
        <details>
            <summary>
                <span class="preview">{firstLine(message)}</span>
                {death && <Badge tone="bad">{death.reason}</Badge>}
                {deliveries > 0 && <Badge tone="warn">{counted(deliveries, "delivery")}</Badge>}
                {content_type && <Badge>{content_type}</Badge>}
                <span class="quiet">{bytes(len_bytes)}</span>
            </summary>
            {death && (
                <Facts
                    of={[
                        ["died because", death.reason],
                        [
                            "meant for or from",
                            <a href={to(["addresses", host, death.address])}>{death.address}</a>,
                        ],
                        ...(death.detail ? [["the consumer said", death.detail] as const] : []),
                    ]}
                />
            )}
            {Object.keys(properties).length > 0 && <Facts of={Object.entries(properties)} />}
            <BodyOf {...message} />
        </details>
    );
}
