// The queues of an address: its own, or the subscriptions of a topic.
import { call } from "../api/call.ts";
import type { Address, Subscription } from "../api/operations.ts";
import { askFirst } from "../parts/dialog.tsx";
import { List } from "../parts/list.tsx";
import { OrNone } from "../parts/show.tsx";
import type { Column } from "../parts/table.tsx";
import { to } from "../route.ts";
import { bytes, count, counted, span } from "../words.ts";

export function Subscriptions({ address }: { address: Address }) {
    const { host, name, kind } = address;
    return (
        <List
            caption={kind === "topic" ? "Subscriptions" : "Queue"}
            of={`${host} ${name}`}
            ask={(page, signal) =>
                call("listSubscriptions", {
                    path: { address: name },
                    query: { host, ...page },
                    signal,
                })
            }
            columns={columns(address)}
            keyOf={({ name, session }) => JSON.stringify([name, session])}
            empty="Nobody is subscribed."
            everyMs={2000}
        />
    );
}

function Name({ address, of }: { address: Address; of: Subscription }) {
    const { host, name, kind } = address;
    if (kind === "queue") return <>its own</>;
    if (of.name) {
        const link = { tab: "messages", subscription: of.name };
        return <a href={to(["addresses", host, name], link)}>{of.name}</a>;
    }
    return (
        <>
            ends with session{" "}
            {of.session && <a href={to(["sessions"], { session: of.session })}>{of.session}</a>}
        </>
    );
}

function columns(address: Address): Column<Subscription>[] {
    const all: Column<Subscription>[] = [
        {
            name: "Name",
            isHeader: true,
            show: (subscription) => <Name address={address} of={subscription} />,
        },
        { name: "Ready", isNumber: true, show: ({ messages_ready }) => count(messages_ready) },
        { name: "Out", isNumber: true, show: ({ messages_out }) => count(messages_out) },
        { name: "Size", isNumber: true, show: ({ messages_bytes }) => bytes(messages_bytes) },
        { name: "Consumers", isNumber: true, show: ({ consumers }) => count(consumers) },
        {
            name: "Oldest waits",
            isNumber: true,
            title: "How long the oldest message that was never out has waited",
            show: ({ oldest_age_ms: age }) => <OrNone>{age != null && span(age)}</OrNone>,
        },
    ];
    if (address.kind === "queue") return all;
    return [
        ...all,
        {
            name: "Actions",
            show: (subscription) =>
                subscription.name && (
                    <div class="row-actions">
                        <button type="button" onClick={() => end(address, subscription)}>
                            End<span class="unseen"> subscription {subscription.name}</span>
                        </button>
                    </div>
                ),
        },
    ];
}

function end({ host, name }: Address, of: Subscription) {
    const subscription = of.name ?? "";
    askFirst({
        title: `End subscription ${subscription}?`,
        text: (
            <p>
                {counted(of.messages_ready + of.messages_out, "message")} in it will be dropped for
                good, and {counted(of.consumers, "consumer")} will lose it.
            </p>
        ),
        action: "End the subscription",
        run: async () => {
            await call("deleteSubscription", {
                path: { address: name, subscription },
                query: { host },
            });
            return `Subscription ${subscription} has ended.`;
        },
    });
}
