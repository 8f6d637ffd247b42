// What administrators did lately.
import { call } from "../api/call.ts";
import type { AuditEntry } from "../api/operations.ts";
import { List } from "../parts/list.tsx";
import { Badge, Code, OrNone } from "../parts/show.tsx";
import type { Column } from "../parts/table.tsx";
import { to } from "../route.ts";
import { moment } from "../words.ts";

export function AuditPage() {
    return (
        <>
            <div class="head">
                <h1>Audit log</h1>
            </div>
            <p class="lead">
                Every change, and every attempt at one, the newest first: the last thousand since
                the broker started. The <a href={to(["logs"])}>log</a> of the process keeps them all.
            </p>
            <List
                caption="What administrators did"
                of="audit"
                heeds="audit"
                ask={(page, signal) => call("listAudit", { query: page, signal })}
                columns={COLUMNS}
                keyOf={(entry) => JSON.stringify(entry)}
                empty="Nothing has been changed since the start."
            />
        </>
    );
}

const COLUMNS: readonly Column<AuditEntry>[] = [
    { name: "When", show: ({ at_ms }) => <time>{moment(at_ms)}</time> },
    { name: "User", show: ({ user }) => user },
    { name: "From", show: ({ peer }) => <Code>{peer}</Code> },
    { name: "Operation", show: ({ operation }) => operation, isHeader: true },
    { name: "On", show: ({ target }) => <OrNone>{target && <Code>{target}</Code>}</OrNone> },
    {
        name: "Outcome",
        show: ({ status }) => (
            <Badge tone={status < 400 ? "good" : "bad"}>
                {status < 400 ? "done" : "refused"} ({status})
            </Badge>
        ),
    },
];
