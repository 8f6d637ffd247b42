// Settings of addresses by pattern.
import { call } from "../api/call.ts";
import type { Kind, Overflow, Policy, PolicyRule } from "../api/operations.ts";
import { askFirst, Dialog, hide, show } from "../parts/dialog.tsx";
import { Form, NumberField, SelectField, TextField, type Filled } from "../parts/form.tsx";
import { List } from "../parts/list.tsx";
import { Badge, Code, OrNone } from "../parts/show.tsx";
import type { Column } from "../parts/table.tsx";
import { bytes, count, span } from "../words.ts";

/** What a policy says that says nothing. */
const PLAIN: PolicyRule = {
    pattern: "",
    kind: "queue",
    priority: 0,
    deliveries_max: 20,
    dead_letter_address: "wharf/dead-letter",
    ttl_ms: 0,
    messages_max: 0,
    bytes_max: 0,
    overflow: "reject",
};

/** Those of the configuration file are changed there. */
const isOfFile = ({ name }: Policy) => name.startsWith("file:");

export function PoliciesPage() {
    return (
        <>
            <div class="head">
                <h1>Policies</h1>
                <button type="button" class="primary" onClick={() => show(<Edit />)}>
                    Add a policy
                </button>
            </div>
            <p class="lead">
                The first policy in this order whose pattern matches an address applies to it: the
                highest priority first, then by name, and at last those of the configuration file.
            </p>
            <List
                caption="Policies"
                of="policies"
                ask={(page, signal) => call("listPolicies", { query: page, signal })}
                columns={COLUMNS}
                keyOf={({ name }) => name}
                empty="There are no policies: every address is a queue, but topic/** are topics."
            />
        </>
    );
}

const COLUMNS: readonly Column<Policy>[] = [
    { name: "Name", show: ({ name }) => name, isHeader: true },
    { name: "Pattern", show: ({ pattern }) => <Code>{pattern}</Code> },
    { name: "Kind", show: ({ kind }) => kind },
    {
        name: "Priority",
        isNumber: true,
        show: (policy) => (isOfFile(policy) ? <OrNone>{""}</OrNone> : policy.priority),
    },
    {
        name: "Deliveries",
        isNumber: true,
        title: "Before a message is a dead letter",
        show: ({ deliveries_max: max }) => (max ? count(max) : "no end"),
    },
    {
        name: "Dead letters go to",
        show: ({ dead_letter_address: address }) =>
            address ? <Code>{address}</Code> : <Badge tone="warn">nowhere</Badge>,
    },
    {
        name: "Bounds of a queue",
        show: ({ ttl_ms, messages_max, bytes_max, overflow }) => {
            const bounds = [
                ttl_ms && span(ttl_ms),
                messages_max && `${count(messages_max)} messages`,
                bytes_max && bytes(bytes_max),
            ].filter(Boolean);
            const isBound = messages_max + bytes_max > 0;
            return (
                <OrNone>
                    {bounds.length > 0 && bounds.join(", ")}{" "}
                    {isBound && <span class="quiet unbroken">then {overflow}</span>}
                </OrNone>
            );
        },
    },
    {
        name: "Actions",
        show: (policy) =>
            isOfFile(policy) ? (
                <span class="quiet">in the file</span>
            ) : (
                <div class="row-actions">
                    <button type="button" onClick={() => show(<Edit policy={policy} />)}>
                        Edit<span class="unseen"> policy {policy.name}</span>
                    </button>
                    <button type="button" onClick={() => remove(policy)}>
                        Delete<span class="unseen"> policy {policy.name}</span>
                    </button>
                </div>
            ),
    },
];

function ruleOf(filled: Filled): PolicyRule {
    return {
        pattern: filled.text("pattern").trim(),
        kind: filled.text("kind") as Kind,
        priority: filled.number("priority"),
        deliveries_max: filled.number("deliveries_max"),
        dead_letter_address: filled.text("dead_letter_address").trim(),
        ttl_ms: filled.number("ttl_ms"),
        messages_max: filled.number("messages_max"),
        bytes_max: filled.number("bytes_max"),
        overflow: filled.text("overflow") as Overflow,
    };
}

function Edit({ policy }: { policy?: Policy }) {
    const put = async (filled: Filled) => {
        const name = policy?.name ?? filled.text("name").trim();
        await call("putPolicy", { path: { policy: name }, body: ruleOf(filled) });
        hide();
        return `Policy ${name} applies.`;
    };
    return (
        <Dialog title={policy ? `Policy ${policy.name}` : "Add a policy"} wide>
            <Form action={policy ? "Save" : "Add"} inDialog run={put}>
                {!policy && (
                    <TextField label="Name" name="name" required maxLength={255} data-first />
                )}
                <Rule of={policy ?? PLAIN} />
            </Form>
        </Dialog>
    );
}

function Rule({ of }: { of: PolicyRule }) {
    return (
        <>
            <TextField
                label="Pattern"
                name="pattern"
                required
                maxLength={1024}
                defaultValue={of.pattern}
                hint="* stands for anything but /, ** for anything."
            />
            <NumberField
                label="Priority"
                name="priority"
                min={-2147483648}
                max={2147483647}
                defaultValue={of.priority}
                hint="The highest that matches applies."
            />
            <SelectField
                label="Kind"
                name="kind"
                hint="What an address becomes by its first use."
                choices={[
                    ["queue", "queue"],
                    ["topic", "topic"],
                ]}
                value={of.kind}
            />
            <NumberField
                label="Deliveries, at most"
                name="deliveries_max"
                max={65535}
                defaultValue={of.deliveries_max}
                hint="Then it is a dead letter. 0: without end."
            />
            <TextField
                label="Dead letters go to"
                name="dead_letter_address"
                maxLength={1024}
                defaultValue={of.dead_letter_address}
                hint="Empty: nowhere, they are dropped."
            />
            <NumberField
                label="A message lives (ms)"
                name="ttl_ms"
                defaultValue={of.ttl_ms}
                hint="In each queue. 0: without end."
            />
            <NumberField
                label="Messages in a queue, at most"
                name="messages_max"
                defaultValue={of.messages_max}
                hint="0: without bound."
            />
            <NumberField
                label="Bytes in a queue, at most"
                name="bytes_max"
                defaultValue={of.bytes_max}
                hint="0: without bound."
            />
            <SelectField
                label="When it is full"
                name="overflow"
                choices={[
                    ["reject", "the new message dies"],
                    ["drop-oldest", "the oldest dies"],
                ]}
                value={of.overflow}
            />
        </>
    );
}

function remove({ name, pattern }: Policy) {
    askFirst({
        title: `Delete policy ${name}?`,
        text: (
            <p>
                What it says of {pattern} holds no more. Addresses stay what they are; their other
                settings become those of the next policy that matches.
            </p>
        ),
        action: "Delete the policy",
        run: async () => {
            await call("deletePolicy", { path: { policy: name } });
            return `Policy ${name} is deleted.`;
        },
    });
}
