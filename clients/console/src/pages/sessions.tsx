// Sessions, with and without a connection.
import { call } from "../api/call.ts";
import type { Session } from "../api/operations.ts";
import { askFirst } from "../parts/dialog.tsx";
import { SelectField, TextField } from "../parts/form.tsx";
import { List } from "../parts/list.tsx";
import { Badge, Time } from "../parts/show.tsx";
import type { Column } from "../parts/table.tsx";
import { place, refine, to } from "../route.ts";
import { bytes, count, counted } from "../words.ts";

const STATES = [
    ["", "all"],
    ["connected", "connected"],
    ["waiting", "waiting for their client"],
] as const;

export function SessionsPage() {
    const { user, state, session } = place.value.query;
    const asked = {
        ...(user ? { user } : {}),
        ...(state ? { attached: state === "connected" } : {}),
    };
    return (
        <>
            <div class="head">
                <h1>Sessions</h1>
            </div>
            <p class="lead">
                A session outlives its connection. While it waits, its client can take it up again:
                nothing is lost, and nothing comes twice.
            </p>
            <form class="filters" onSubmit={(event) => event.preventDefault()}>
                <TextField
                    label="User"
                    value={user ?? ""}
                    placeholder="everybody"
                    data-filter
                    onChange={(event) => refine({ user: event.currentTarget.value })}
                />
                <SelectField
                    label="State"
                    choices={STATES}
                    value={state ?? ""}
                    onChange={(event) => refine({ state: event.currentTarget.value })}
                />
                {session && (
                    <p class="only">
                        Only session {session}.{" "}
                        <button type="button" onClick={() => refine({ session: undefined })}>
                            Show all
                        </button>
                    </p>
                )}
            </form>
            <List
                caption="Sessions"
                of={JSON.stringify([asked, session])}
                ask={async (page, signal) => {
                    if (!session)
                        return call("listSessions", { query: { ...asked, ...page }, signal });
                    return { items: [await call("getSession", { path: { session }, signal })] };
                }}
                columns={COLUMNS}
                keyOf={({ id }) => id}
                empty="There are no such sessions."
                everyMs={2000}
                heeds="connections"
            />
        </>
    );
}

function State({ session }: { session: Session }) {
    const { connection, resumable_until_ms: until, recoverable } = session;
    if (connection) {
        return (
            <>
                <Badge tone="good">connected</Badge>{" "}
                <span class="quiet">
                    {recoverable ? "" : "ends with "}connection {connection}
                </span>
            </>
        );
    }
    return (
        <>
            <Badge tone="warn">waiting</Badge>{" "}
            {until ? (
                <span class="quiet">
                    expires <Time ms={until} />
                </span>
            ) : (
                ""
            )}
        </>
    );
}

const COLUMNS: readonly Column<Session>[] = [
    { name: "Number", show: ({ id }) => id, isHeader: true, isShort: true },
    {
        name: "User",
        show: ({ user, host, origin }) => (
            <>
                <a href={to(["users", user])}>{user}</a>{" "}
                <span class="quiet">
                    on {host}
                    {origin && `, from ${origin}`}
                </span>
            </>
        ),
    },
    {
        name: "State",
        show: (session) => (
            <span class="unbroken">
                <State session={session} />
            </span>
        ),
    },
    {
        name: "Unsettled",
        title: "Deliveries that its client has not settled",
        isNumber: true,
        show: ({ deliveries_unsettled: deliveries, deliveries_unsettled_bytes: octets }) =>
            deliveries ? `${count(deliveries)} (${bytes(octets)})` : "0",
    },
    { name: "Consumers", isNumber: true, show: ({ consumers }) => count(consumers) },
    { name: "Received", isNumber: true, show: (session) => count(session.messages_received) },
    { name: "Delivered", isNumber: true, show: (session) => count(session.messages_delivered) },
    {
        name: "Actions",
        show: (session) => (
            <div class="row-actions">
                <button type="button" onClick={() => end(session)}>
                    End<span class="unseen"> session {session.id}</span>
                </button>
            </div>
        ),
    },
];

function end({ id, user, deliveries_unsettled, connection }: Session) {
    askFirst({
        title: `End session ${id}?`,
        text: (
            <p>
                It is that of {user}. It ends for good{connection ? ", with its connection" : ""}:
                its client cannot take it up again. What it has not settled (
                {counted(deliveries_unsettled, "delivery")}) goes back to its queues.
            </p>
        ),
        action: "End the session",
        run: async () => {
            await call("endSession", { path: { session: id } });
            return `Session ${id} has ended.`;
        },
    });
}
