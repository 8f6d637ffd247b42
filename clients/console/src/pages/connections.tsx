// Who is connected.
import { call } from "../api/call.ts";
import type { Connection, Protocol } from "../api/operations.ts";
import { askFirst } from "../parts/dialog.tsx";
import { SelectField, TextField } from "../parts/form.tsx";
import { List } from "../parts/list.tsx";
import { Badge, Code, OrNone, Time } from "../parts/show.tsx";
import type { Column } from "../parts/table.tsx";
import { place, refine, to } from "../route.ts";

const PROTOCOLS = [
    ["", "all"],
    ["mbws", "MBWS"],
    ["amqp", "AMQP"],
    ["xmpp", "XMPP"],
] as const;

export function ConnectionsPage() {
    const { user, protocol } = place.value.query;
    const asked = {
        ...(user ? { user } : {}),
        ...(protocol ? { protocol: protocol as Protocol } : {}),
    };
    return (
        <>
            <div class="head">
                <h1>Connections</h1>
            </div>
            <p class="lead">
                A connection that is closed leaves its session, which its client can take up again.
            </p>
            <form class="filters" onSubmit={(event) => event.preventDefault()}>
                <TextField
                    label="User"
                    value={user ?? ""}
                    placeholder="everybody"
                    data-filter
                    hint="“me” is you."
                    onChange={(event) => refine({ user: event.currentTarget.value })}
                />
                <SelectField
                    label="Protocol"
                    choices={PROTOCOLS}
                    value={protocol ?? ""}
                    onChange={(event) => refine({ protocol: event.currentTarget.value })}
                />
            </form>
            <List
                caption="Connections"
                of={JSON.stringify(asked)}
                ask={(page, signal) =>
                    call("listConnections", { query: { ...asked, ...page }, signal })
                }
                columns={COLUMNS}
                keyOf={({ id }) => id}
                empty="Nobody is connected."
                heeds="connections"
            />
        </>
    );
}

const COLUMNS: readonly Column<Connection>[] = [
    { name: "Number", show: ({ id }) => id, isHeader: true, isShort: true },
    { name: "Protocol", show: ({ protocol }) => <Badge>{protocol.toUpperCase()}</Badge> },
    {
        name: "User",
        show: ({ user }) => <OrNone>{user && <a href={to(["users", user])}>{user}</a>}</OrNone>,
    },
    { name: "Host", show: ({ host }) => host },
    { name: "From", show: ({ peer }) => <Code>{peer}</Code> },
    {
        name: "Encrypted",
        show: ({ secure }) => (secure ? <Badge tone="good">yes</Badge> : <Badge>no</Badge>),
    },
    { name: "Tag", show: ({ tag }) => <OrNone>{tag}</OrNone> },
    { name: "Opened", show: ({ opened_at_ms }) => <Time ms={opened_at_ms} /> },
    {
        name: "Session",
        show: ({ session }) => (
            <OrNone>{session && <a href={to(["sessions"], { session })}>{session}</a>}</OrNone>
        ),
    },
    {
        name: "Login ends",
        show: ({ login_expires_at_ms: ends }) => <OrNone>{ends ? <Time ms={ends} /> : ""}</OrNone>,
    },
    {
        name: "Actions",
        show: (connection) => (
            <div class="row-actions">
                <button type="button" onClick={() => close(connection, false)}>
                    Close<span class="unseen"> connection {connection.id}</span>
                </button>
                <button type="button" onClick={() => close(connection, true)}>
                    Cut<span class="unseen"> connection {connection.id}</span>
                </button>
            </div>
        ),
    },
];

function close({ id, user, peer }: Connection, abrupt: boolean) {
    askFirst({
        title: abrupt ? `Cut connection ${id}?` : `Close connection ${id}?`,
        text: (
            <p>
                It is {user ? `that of ${user}` : "not logged in"}, from {peer}.{" "}
                {abrupt
                    ? "Its socket is closed without a word, as if the wire were cut."
                    : "Its client is told to go away."}{" "}
                The client may come back, and then its session goes on.
            </p>
        ),
        action: abrupt ? "Cut" : "Close",
        run: async () => {
            const path = { connection: id };
            await call("closeConnection", { path, query: abrupt ? { abrupt } : {} });
            return `Connection ${id} is ${abrupt ? "cut" : "closed"}.`;
        },
    });
}
