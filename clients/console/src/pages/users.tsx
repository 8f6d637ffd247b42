// Users, and the rules of all of them.
import { call } from "../api/call.ts";
import type { Limits, Permission, User, UserPermission } from "../api/operations.ts";
import { List } from "../parts/list.tsx";
import { Badge, Code, OrNone, Tabs } from "../parts/show.tsx";
import type { Column } from "../parts/table.tsx";
import { place, to } from "../route.ts";
import { bytes, count } from "../words.ts";

export function UsersPage() {
    const tab = place.value.query["tab"] ?? "users";
    return (
        <>
            <div class="head">
                <h1>Users</h1>
                <a class="button primary" href={to(["new-user"])}>
                    Add a user
                </a>
            </div>
            <Tabs
                label="Users or rules"
                tabs={[
                    ["users", "Users"],
                    ["rules", "All rules"],
                ]}
                current={tab}
                href={(tab) => to(["users"], { tab })}
            />
            {tab === "rules" ? (
                <List
                    key="rules"
                    caption="Rules of all users"
                    of="rules"
                    ask={(page, signal) => call("listPermissions", { query: page, signal })}
                    columns={RULES}
                    keyOf={(rule) => JSON.stringify(rule)}
                    empty="There are no rules: nobody may do anything."
                />
            ) : (
                <List
                    key="users"
                    caption="Users"
                    of="users"
                    ask={(page, signal) => call("listUsers", { query: page, signal })}
                    columns={USERS}
                    keyOf={({ name }) => name}
                    empty="There are no users."
                />
            )}
        </>
    );
}

/** What a rule allows, in a word or three. */
export function rights({ send, receive, manage }: Permission): string {
    const all = [send && "send", receive && "receive", manage && "manage"].filter(Boolean);
    return all.join(", ") || "nothing";
}

function limits(of: Limits): string {
    const {
        connections_max: connections,
        sessions_max: sessions,
        messages_per_second_max: messages,
        bytes_per_second_max: octets,
    } = of;
    const all = [
        connections && `${count(connections)} connections`,
        sessions && `${count(sessions)} sessions`,
        messages && `${count(messages)} messages/s`,
        octets && `${bytes(octets)}/s`,
    ];
    return all.filter(Boolean).join(", ");
}

const RULES_SHOWN = 3;

function Rules({ of }: { of: readonly Permission[] }) {
    const rest = of.length - RULES_SHOWN;
    return (
        <OrNone>
            {of.length > 0 && (
                <ul class="bare">
                    {of.slice(0, RULES_SHOWN).map((rule, at) => (
                        <li key={at}>
                            <Code>{rule.pattern}</Code> {rights(rule)}
                            {rule.host && <span class="quiet"> on {rule.host}</span>}
                        </li>
                    ))}
                    {rest > 0 && <li class="quiet">and {rest} more</li>}
                </ul>
            )}
        </OrNone>
    );
}

const USERS: readonly Column<User>[] = [
    {
        name: "Name",
        isHeader: true,
        show: ({ name }) => <a href={to(["users", name])}>{name}</a>,
    },
    { name: "May", show: ({ permissions }) => <Rules of={permissions} /> },
    { name: "Limits", show: (user) => <OrNone>{limits(user.limits)}</OrNone> },
    {
        name: "Password",
        show: ({ has_password }) =>
            has_password ? "yes" : <Badge tone="warn">none: token or certificate</Badge>,
    },
    {
        name: "SCRAM",
        show: ({ scram }) => (
            <OrNone>
                {scram.length > 0 && (
                    <span class="unbroken">
                        {scram.map((hash) => hash.replace("SCRAM-", "")).join(", ")}
                    </span>
                )}
            </OrNone>
        ),
    },
];

const mark = (may: boolean) => <OrNone>{may && "yes"}</OrNone>;

const RULES: readonly Column<UserPermission>[] = [
    {
        name: "User",
        isHeader: true,
        show: ({ user }) => <a href={to(["users", user])}>{user}</a>,
    },
    { name: "Pattern", show: ({ pattern }) => <Code>{pattern}</Code> },
    { name: "Host", show: ({ host }) => host || "every one" },
    { name: "Send", show: ({ send }) => mark(send) },
    { name: "Receive", show: ({ receive }) => mark(receive) },
    { name: "Manage", show: ({ manage }) => mark(manage) },
];
