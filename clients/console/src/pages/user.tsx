// One user: password, rules, limits.
import { useState } from "preact/hooks";
import { call } from "../api/call.ts";
import { whoami } from "../api/login.ts";
import type { Limits, Permission, User, UserChange } from "../api/operations.ts";
import { askFirst } from "../parts/dialog.tsx";
import { Form, NumberField, TextField, type Filled } from "../parts/form.tsx";
import { useLoad } from "../parts/load.ts";
import { ProblemNote } from "../parts/problem.tsx";
import { Card } from "../parts/show.tsx";
import { say } from "../parts/toast.tsx";
import { go, to } from "../route.ts";

/** `""` is a new one. */
export function UserPage({ name }: { name: string }) {
    const { data, problem, reload } = useLoad(name, async (signal) =>
        name ? call("getUser", { path: { user: name }, signal }) : undefined,
    );
    return (
        <>
            <p class="trail">
                <a href={to(["users"])}>Users</a>
            </p>
            <div class="head">
                <h1>{name || "Add a user"}</h1>
                {data && <Links name={name} />}
            </div>
            {problem && <ProblemNote problem={problem} again={reload} />}
            {(data || !name) && <Editor user={data} />}
        </>
    );
}

function Links({ name }: { name: string }) {
    return (
        <div class="row-actions">
            <a class="button" href={to(["connections"], { user: name })}>
                Connections
            </a>
            <a class="button" href={to(["sessions"], { user: name })}>
                Sessions
            </a>
            <button type="button" class="risky" onClick={() => remove(name)}>
                Delete…
            </button>
        </div>
    );
}

type Rule = Permission & { key: number };
const EMPTY = { host: "", pattern: "", send: false, receive: false, manage: false };
let keys = 0;
const keyed = (rule: Permission): Rule => ({ ...rule, key: (keys += 1) });

function Editor({ user }: { user: User | undefined }) {
    const [rules, setRules] = useState(() => (user?.permissions ?? []).map(keyed));
    const [rest, setRest] = useState(0);
    const save = async (filled: Filled) => {
        const name = user?.name ?? filled.text("name").trim();
        const change = changeOf(filled, rules);
        const put = async () => {
            await call("putUser", { path: { user: name }, body: change });
            // An empty field for the next password.
            setRest(rest + 1);
            if (!user) go(["users", name]);
            return user ? `User ${name} is changed.` : `User ${name} is added.`;
        };
        if (name !== whoami.value?.user) return put();
        askFirst({
            title: "Change yourself?",
            text: <p>You are logged in as {name}. What you take from it ends at once.</p>,
            action: "Change",
            run: put,
        });
        return undefined;
    };
    return (
        <Form action={user ? "Save" : "Add the user"} run={save}>
            <Card title="Login">
                <div class="fields">
                    {!user && (
                        <TextField
                            label="Name"
                            name="name"
                            required
                            maxLength={255}
                            pattern="[^:\/]+"
                            hint="Without colon and slash."
                        />
                    )}
                    <TextField
                        key={rest}
                        label={user?.has_password ? "New password" : "Password"}
                        name="password"
                        type="password"
                        maxLength={1024}
                        autocomplete="new-password"
                        hint={
                            user?.has_password
                                ? "Left empty, it stays what it is."
                                : "Left empty, the user comes by token or certificate."
                        }
                    />
                </div>
            </Card>
            <Rules rules={rules} setRules={setRules} />
            <LimitsCard limits={user?.limits} />
        </Form>
    );
}

function changeOf(filled: Filled, rules: Rule[]): UserChange {
    const password = filled.text("password");
    return {
        ...(password ? { password } : {}),
        permissions: rules.map(({ key: _, ...rule }) => rule),
        limits: {
            connections_max: filled.number("connections_max"),
            sessions_max: filled.number("sessions_max"),
            messages_per_second_max: filled.number("messages_per_second_max"),
            bytes_per_second_max: filled.number("bytes_per_second_max"),
        },
    };
}

interface RulesProps {
    rules: Rule[];
    setRules: (rules: Rule[]) => void;
}

function Rules({ rules, setRules }: RulesProps) {
    const change = (key: number, to: Partial<Permission>) =>
        setRules(rules.map((rule) => (rule.key === key ? { ...rule, ...to } : rule)));
    return (
        <Card title="What the user may do">
            <p class="hint">
                In a pattern <code>*</code> stands for anything but <code>/</code>, and{" "}
                <code>**</code> for anything. The areas of the API are called{" "}
                <code>wharf/users</code>, <code>wharf/policies</code> and so on, so that{" "}
                <code>**</code> is everything.
            </p>
            <div class="table" role="region" aria-label="Rules" tabIndex={0}>
                <table class="rules">
                    <thead>
                        <tr>
                            {["Pattern", "Host", "Send", "Receive", "Manage", ""].map((name) => (
                                <th key={name} scope="col">
                                    {name || <span class="unseen">Actions</span>}
                                </th>
                            ))}
                        </tr>
                    </thead>
                    <tbody>
                        {rules.map((rule, at) => (
                            <RuleRow
                                key={rule.key}
                                rule={rule}
                                number={at + 1}
                                change={(to) => change(rule.key, to)}
                                remove={() => setRules(rules.filter((one) => one !== rule))}
                            />
                        ))}
                    </tbody>
                </table>
                {rules.length === 0 && <p class="empty">Nothing at all.</p>}
            </div>
            <button type="button" onClick={() => setRules([...rules, keyed(EMPTY)])}>
                Add a rule
            </button>
        </Card>
    );
}

interface RowProps {
    rule: Rule;
    number: number;
    change: (to: Partial<Permission>) => void;
    remove: () => void;
}

function RuleRow({ rule, number, change, remove }: RowProps) {
    const right = (name: "send" | "receive" | "manage") => (
        <td>
            <input
                type="checkbox"
                aria-label={`${name}, rule ${number}`}
                checked={rule[name]}
                onChange={(event) => change({ [name]: event.currentTarget.checked })}
            />
        </td>
    );
    return (
        <tr>
            <td>
                <input
                    type="text"
                    required
                    maxLength={1024}
                    spellcheck={false}
                    aria-label={`pattern, rule ${number}`}
                    value={rule.pattern}
                    onInput={(event) => change({ pattern: event.currentTarget.value })}
                />
            </td>
            <td>
                <input
                    type="text"
                    maxLength={255}
                    spellcheck={false}
                    placeholder="every one"
                    aria-label={`host, rule ${number}`}
                    value={rule.host}
                    onInput={(event) => change({ host: event.currentTarget.value })}
                />
            </td>
            {right("send")}
            {right("receive")}
            {right("manage")}
            <td>
                <button type="button" onClick={remove}>
                    Remove<span class="unseen"> rule {number}</span>
                </button>
            </td>
        </tr>
    );
}

const LIMITS: [keyof Limits, string, string][] = [
    ["connections_max", "Connections", "at once"],
    ["sessions_max", "Sessions", "at once, those that wait among them"],
    ["messages_per_second_max", "Messages a second", "more are read later"],
    ["bytes_per_second_max", "Octets a second", "more are read later"],
];

function LimitsCard({ limits }: { limits: Limits | undefined }) {
    return (
        <Card title="What the user may use">
            <div class="fields">
                {LIMITS.map(([name, label, hint]) => (
                    <NumberField
                        key={name}
                        label={label}
                        name={name}
                        hint={`${hint}; 0 is without limit`}
                        defaultValue={limits?.[name] ?? 0}
                    />
                ))}
            </div>
        </Card>
    );
}

function remove(name: string) {
    askFirst({
        title: `Delete user ${name}?`,
        text: (
            <p>
                Its connections are closed, its sessions end, its tokens are revoked, and what waits
                for it alone is gone. This cannot be undone.
            </p>
        ),
        action: "Delete the user",
        run: async () => {
            await call("deleteUser", { path: { user: name } });
            go(["users"]);
            say(`User ${name} is deleted.`);
        },
    });
}
