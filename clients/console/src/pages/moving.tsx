// What takes messages away: moving, redriving, purging, deleting.
import { call } from "../api/call.ts";
import type { Address, Moved } from "../api/operations.ts";
import { askFirst, Dialog, hide } from "../parts/dialog.tsx";
import { Form, NumberField, TextField } from "../parts/form.tsx";
import { go } from "../route.ts";
import { counted } from "../words.ts";
import { asked, type Where } from "./address.tsx";

const MAX = 1_000_000;

const nameOf = ({ name, subscription }: Where) =>
    subscription ? `${subscription} of ${name}` : name;

function told({ messages, remaining }: Moved): string {
    return `${counted(messages, "message")} moved, ${remaining} left.`;
}

function Most() {
    return (
        <NumberField
            label="At most"
            name="max"
            min={1}
            max={MAX}
            defaultValue={MAX}
            required
            hint="messages, the oldest first"
        />
    );
}

export function MoveForm({ where }: { where: Where }) {
    return (
        <Dialog title={`Move messages from ${nameOf(where)}`}>
            <Form
                action="Move"
                danger
                inDialog
                run={async (filled) => {
                    const moved = await call("moveMessages", {
                        ...asked(where),
                        body: { to: filled.text("to").trim(), messages_max: filled.number("max") },
                    });
                    hide();
                    return told(moved);
                }}
            >
                <TextField
                    label="To"
                    name="to"
                    required
                    data-first
                    hint="An address of the same host that exists. What is out to a consumer stays."
                    whole
                />
                <Most />
            </Form>
        </Dialog>
    );
}

export function RedriveForm({ where }: { where: Where }) {
    return (
        <Dialog title={`Redrive dead letters of ${nameOf(where)}`}>
            <Form
                action="Redrive"
                danger
                inDialog
                run={async (filled) => {
                    const moved = await call("redriveMessages", {
                        ...asked(where),
                        body: { messages_max: filled.number("max") },
                    });
                    hide();
                    return told(moved);
                }}
            >
                <p class="text">
                    Dead letters go back to the addresses where they died, with a count of
                    deliveries that begins anew. Other messages stay.
                </p>
                <Most />
            </Form>
        </Dialog>
    );
}

export function purge(where: Where) {
    askFirst({
        title: `Purge ${nameOf(where)}?`,
        text: <p>Every message in it that is not out to a consumer is dropped for good.</p>,
        action: "Drop the messages",
        run: async () => {
            const { messages } = await call("purgeAddress", asked(where));
            return `${counted(messages, "message")} dropped.`;
        },
    });
}

export function deleteAddress({ host, name, messages_ready, messages_out, consumers }: Address) {
    const held = counted(messages_ready + messages_out, "message");
    askFirst({
        title: `Delete ${name}?`,
        text: (
            <p>
                {held} will be dropped for good, and {counted(consumers, "consumer")} will lose it.
                A client that uses it later makes it anew.
            </p>
        ),
        action: "Delete the address",
        run: async () => {
            await call("deleteAddress", { path: { address: name }, query: { host } });
            go(["addresses"], { host });
            return `${name} is deleted.`;
        },
    });
}
