// Addresses, in pages that the broker filters and sorts.
import { call } from "../api/call.ts";
import type { Address, Kind, Operations } from "../api/operations.ts";
import { Dialog, hide, show } from "../parts/dialog.tsx";
import { Form, SelectField, TextField } from "../parts/form.tsx";
import { List } from "../parts/list.tsx";
import { useLoad } from "../parts/load.ts";
import { Badge } from "../parts/show.tsx";
import type { Column } from "../parts/table.tsx";
import { go, place, refine, to } from "../route.ts";
import { bytes, count } from "../words.ts";

type Sort = NonNullable<Operations["listAddresses"]["query"]["sort"]>;

const KINDS = [
    ["", "all"],
    ["queue", "queues"],
    ["topic", "topics"],
] as const;

/** Names of the virtual hosts, the first one first. */
export function useHosts(): string[] {
    const { data } = useLoad("hosts", (signal) => call("listHosts", { signal }));
    return data?.items.map(({ name }) => name) ?? [];
}

export function AddressesPage() {
    const { host, pattern, kind, sort = "name", order } = place.value.query;
    const hosts = useHosts();
    const descending = order === "desc";
    const asked = {
        ...(host ? { host } : {}),
        ...(pattern ? { pattern: patternOf(pattern) } : {}),
        ...(kind ? { kind: kind as Kind } : {}),
        sort: sort as Sort,
        order: descending ? ("desc" as const) : ("asc" as const),
    };
    return (
        <>
            <div class="head">
                <h1>Addresses</h1>
                <button
                    type="button"
                    class="primary"
                    onClick={() => show(<Declare hosts={hosts} host={host ?? hosts[0] ?? ""} />)}
                >
                    Declare an address
                </button>
            </div>
            <form class="filters" onSubmit={(event) => event.preventDefault()}>
                <TextField
                    label="Name"
                    value={pattern ?? ""}
                    placeholder="orders/**"
                    data-filter
                    hint="A part of it; or a pattern: * stands for anything but /, ** for anything."
                    onChange={(event) => refine({ pattern: event.currentTarget.value.trim() })}
                />
                <SelectField
                    label="Kind"
                    choices={KINDS}
                    value={kind ?? ""}
                    onChange={(event) => refine({ kind: event.currentTarget.value })}
                />
                {hosts.length > 1 && (
                    <SelectField
                        label="Host"
                        choices={hosts.map((name) => [name, name] as const)}
                        value={host ?? hosts[0] ?? ""}
                        onChange={(event) => refine({ host: event.currentTarget.value })}
                    />
                )}
            </form>
            <List
                caption="Addresses"
                of={JSON.stringify(asked)}
                ask={(page, signal) =>
                    call("listAddresses", { query: { ...asked, ...page }, signal })
                }
                columns={COLUMNS}
                keyOf={({ host, name }) => `${host} ${name}`}
                empty="There are no such addresses."
                order={{ by: sort, descending }}
                onOrder={({ by, descending }) =>
                    refine({ sort: by, order: descending ? "desc" : undefined })
                }
            />
        </>
    );
}

/** What a person types who looks for something, as a pattern. */
function patternOf(typed: string): string {
    return typed.includes("*") ? typed : `**${typed}**`;
}

const COLUMNS: readonly Column<Address>[] = [
    {
        name: "Name",
        sort: "name",
        isHeader: true,
        show: ({ host, name, dynamic }) => (
            <>
                <a href={to(["addresses", host, name])}>{name}</a>{" "}
                {dynamic && <Badge>dynamic</Badge>}
            </>
        ),
    },
    { name: "Kind", show: ({ kind }) => kind },
    {
        name: "Ready",
        sort: "messages_ready",
        isNumber: true,
        title: "Messages that wait for a consumer",
        show: ({ messages_ready }) => count(messages_ready),
    },
    {
        name: "Out",
        sort: "messages_out",
        isNumber: true,
        title: "Messages that are out to a consumer",
        show: ({ messages_out }) => count(messages_out),
    },
    {
        name: "Size",
        sort: "messages_bytes",
        isNumber: true,
        title: "Bodies of both",
        show: ({ messages_bytes }) => bytes(messages_bytes),
    },
    {
        name: "Consumers",
        sort: "consumers",
        isNumber: true,
        show: ({ consumers }) => count(consumers),
    },
    {
        name: "Subscriptions",
        isNumber: true,
        show: ({ kind, subscriptions }) => (kind === "topic" ? count(subscriptions) : ""),
    },
];

function Declare({ hosts, host }: { hosts: string[]; host: string }) {
    return (
        <Dialog title="Declare an address">
            <Form
                action="Declare"
                inDialog
                run={async (filled) => {
                    const kind = filled.text("kind") as Kind | "";
                    const declared = await call("putAddress", {
                        path: { address: filled.text("name") },
                        query: { host: filled.text("host") || host },
                        body: kind ? { kind } : {},
                    });
                    hide();
                    go(["addresses", declared.host, declared.name]);
                    return `${declared.name} is a ${declared.kind}.`;
                }}
            >
                <TextField label="Name" name="name" required maxLength={1024} data-first whole />
                <SelectField
                    label="Kind"
                    name="kind"
                    hint="One that is there already stays as it is."
                    choices={[
                        ["", "as its policy says"],
                        ["queue", "queue: each message to one consumer"],
                        ["topic", "topic: each message to every subscription"],
                    ]}
                />
                {hosts.length > 1 && (
                    <SelectField
                        label="Host"
                        name="host"
                        choices={hosts.map((name) => [name, name] as const)}
                        value={host}
                    />
                )}
            </Form>
        </Dialog>
    );
}
