// Other ways for messages and clients.
import { useState } from "preact/hooks";
import { call } from "../api/call.ts";
import type { Route, RouteKind, RouteRule } from "../api/operations.ts";
import { askFirst, Dialog, hide, show } from "../parts/dialog.tsx";
import { AreaField, Form, SelectField, TextField, type Filled } from "../parts/form.tsx";
import { List } from "../parts/list.tsx";
import { Code } from "../parts/show.tsx";
import type { Column } from "../parts/table.tsx";
import { useHosts } from "./addresses.tsx";

const KINDS = [
    ["alias", "alias: another name of one address"],
    ["fan-out", "fan-out: what is sent to it is sent to several"],
    ["redirect", "redirect: clients are sent elsewhere"],
] as const;

export function RoutesPage() {
    return (
        <>
            <div class="head">
                <h1>Routes</h1>
                <button type="button" class="primary" onClick={() => show(<Edit />)}>
                    Add a route
                </button>
            </div>
            <p class="lead">
                A route gives an address another name, sends to several what is sent to one, or
                sends clients to another broker.
            </p>
            <List
                caption="Routes"
                of="routes"
                ask={(page, signal) => call("listRoutes", { query: page, signal })}
                columns={COLUMNS}
                keyOf={({ name }) => name}
                empty="There are no routes."
            />
        </>
    );
}

const COLUMNS: readonly Column<Route>[] = [
    { name: "Name", show: ({ name }) => name, isHeader: true },
    { name: "Kind", show: ({ kind }) => kind },
    {
        name: "Host",
        show: ({ kind, host }) => (kind === "redirect" ? "every one" : host || "the first"),
    },
    { name: "Address", show: ({ address }) => <Code>{address}</Code> },
    {
        name: "To",
        show: ({ to, url }) => (
            <ul class="bare">
                {(url ? [url] : to).map((target) => (
                    <li key={target}>
                        <Code>{target}</Code>
                    </li>
                ))}
            </ul>
        ),
    },
    {
        name: "Actions",
        show: (route) => (
            <div class="row-actions">
                <button type="button" onClick={() => show(<Edit route={route} />)}>
                    Edit<span class="unseen"> route {route.name}</span>
                </button>
                <button type="button" onClick={() => remove(route)}>
                    Delete<span class="unseen"> route {route.name}</span>
                </button>
            </div>
        ),
    },
];

function ruleOf(filled: Filled): RouteRule {
    const kind = filled.text("kind") as RouteKind;
    const rule = { kind, host: "", address: filled.text("address").trim(), to: [] };
    if (kind === "redirect") return { ...rule, url: filled.text("url").trim() };
    return { ...rule, host: filled.text("host"), to: filled.lines("to") };
}

function Edit({ route }: { route?: Route }) {
    const [kind, setKind] = useState<string>(route?.kind ?? "alias");
    const hosts = useHosts();
    const put = async (filled: Filled) => {
        const name = route?.name ?? filled.text("name").trim();
        await call("putRoute", { path: { route: name }, body: ruleOf(filled) });
        hide();
        return `Route ${name} applies.`;
    };
    const isRedirect = kind === "redirect";
    return (
        <Dialog title={route ? `Route ${route.name}` : "Add a route"} wide>
            <Form action={route ? "Save" : "Add"} inDialog run={put}>
                {!route && (
                    <TextField label="Name" name="name" required maxLength={255} data-first />
                )}
                <SelectField
                    label="Kind"
                    name="kind"
                    choices={KINDS}
                    value={kind}
                    onChange={(event) => setKind(event.currentTarget.value)}
                />
                <TextField
                    label={isRedirect ? "Pattern of addresses" : "Address"}
                    name="address"
                    required
                    maxLength={1024}
                    defaultValue={route?.address ?? ""}
                />
                {isRedirect ? (
                    <TextField
                        label="URL"
                        name="url"
                        required
                        defaultValue={route?.url ?? ""}
                        placeholder="amqps://other.example"
                        hint="Clients whose protocol has redirects are sent there."
                    />
                ) : (
                    <>
                        <SelectField
                            label="Host"
                            name="host"
                            choices={[
                                ["", "the first"] as const,
                                ...hosts.map((name) => [name, name] as const),
                            ]}
                            value={route?.host ?? ""}
                        />
                        <AreaField
                            label="To"
                            name="to"
                            required
                            rows={3}
                            defaultValue={route?.to.join("\n") ?? ""}
                            hint={kind === "alias" ? "One address." : "Addresses, one a line."}
                        />
                    </>
                )}
            </Form>
        </Dialog>
    );
}

function remove({ name, kind, address }: Route) {
    askFirst({
        title: `Delete route ${name}?`,
        text: (
            <p>
                {address} is no {kind} any more: who sends to it sends to an address of this name.
            </p>
        ),
        action: "Delete the route",
        run: async () => {
            await call("deleteRoute", { path: { route: name } });
            return `Route ${name} is deleted.`;
        },
    });
}
