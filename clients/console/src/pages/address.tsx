// One address: what it is, what is in it, and what can be done with it.
import { call } from "../api/call.ts";
import type { Address } from "../api/operations.ts";
import { show } from "../parts/dialog.tsx";
import { Pick } from "../parts/form.tsx";
import { useLoad } from "../parts/load.ts";
import { ProblemNote } from "../parts/problem.tsx";
import { Badge, Facts, Tabs } from "../parts/show.tsx";
import { place, refine, to } from "../route.ts";
import { bytes, count } from "../words.ts";
import { Live } from "./live.tsx";
import { Messages } from "./messages.tsx";
import { deleteAddress, MoveForm, purge, RedriveForm } from "./moving.tsx";
import { Publish } from "./publish.tsx";
import { Subscriptions } from "./subscriptions.tsx";

/** An address, and which of its queues is meant. */
export interface Where {
    host: string;
    name: string;
    /** Of a topic. */
    subscription: string | undefined;
}

/** How an operation on a queue is told which. */
export function asked({ host, name, subscription }: Where) {
    return {
        path: { address: name },
        query: { host, ...(subscription ? { subscription } : {}) },
    };
}

export function AddressPage({ host, name }: { host: string; name: string }) {
    const path = { address: name };
    const { data, problem, reload } = useLoad(
        `${host} ${name}`,
        (signal) => call("getAddress", { path, query: { host }, signal }),
        2000,
    );
    return (
        <>
            <p class="trail">
                <a href={to(["addresses"], { host })}>Addresses</a>
            </p>
            <div class="head">
                <h1>{name}</h1>
                {data && <Actions address={data} />}
            </div>
            {problem && <ProblemNote problem={problem} again={reload} />}
            {data && <Body address={data} />}
        </>
    );
}

function useWhere({ host, name, kind }: Address): Where {
    const { subscription } = place.value.query;
    return { host, name, subscription: kind === "topic" ? subscription : undefined };
}

function Actions({ address }: { address: Address }) {
    const where = useWhere(address);
    const hasQueue = address.kind === "queue" || !!where.subscription;
    return (
        <div class="row-actions">
            {hasQueue && (
                <>
                    <button type="button" onClick={() => show(<MoveForm where={where} />)}>
                        Move…
                    </button>
                    <button type="button" onClick={() => show(<RedriveForm where={where} />)}>
                        Redrive…
                    </button>
                    <button type="button" class="risky" onClick={() => purge(where)}>
                        Purge…
                    </button>
                </>
            )}
            <button type="button" class="risky" onClick={() => deleteAddress(address)}>
                Delete…
            </button>
        </div>
    );
}

function Body({ address }: { address: Address }) {
    const { host, name, kind } = address;
    const where = useWhere(address);
    const tab = place.value.query["tab"] ?? (kind === "topic" ? "subscriptions" : "messages");
    return (
        <>
            <Facts
                of={[
                    [
                        "kind",
                        <>
                            {kind} {address.dynamic && <Badge>dynamic</Badge>}
                        </>,
                    ],
                    ["host", host],
                    ["ready", count(address.messages_ready)],
                    ["out", count(address.messages_out)],
                    ["size", bytes(address.messages_bytes)],
                    ["consumers", count(address.consumers)],
                    ...(kind === "topic"
                        ? [["subscriptions", count(address.subscriptions)] as const]
                        : []),
                ]}
            />
            <Tabs
                label="Parts of this address"
                tabs={[
                    ["messages", "Messages"],
                    ["subscriptions", kind === "topic" ? "Subscriptions" : "Queue"],
                    ["publish", "Publish"],
                    ["live", "Live"],
                ]}
                current={tab}
                href={(tab) => to(["addresses", host, name], { ...place.value.query, tab })}
            />
            {kind === "topic" && tab === "messages" && <Choose where={where} />}
            {tab === "messages" && (kind === "queue" || where.subscription) && (
                <Messages where={where} />
            )}
            {tab === "subscriptions" && <Subscriptions address={address} />}
            {tab === "publish" && <Publish host={host} name={name} />}
            {tab === "live" && <Live address={address} />}
        </>
    );
}

/** Which subscription of a topic is looked into. */
function Choose({ where: { host, name, subscription } }: { where: Where }) {
    const { data, problem, reload } = useLoad(`${host} ${name}`, (signal) =>
        call("listSubscriptions", {
            path: { address: name },
            query: { host, limit: 1000 },
            signal,
        }),
    );
    const names = data?.items.flatMap((one) => (one.name ? [one.name] : [])) ?? [];
    if (problem) return <ProblemNote problem={problem} again={reload} />;
    if (data && names.length === 0) {
        return <p class="empty">A topic keeps messages in durable subscriptions; it has none.</p>;
    }
    return (
        <div class="filters">
            <Pick
                label="Subscription"
                choices={[["", "choose one"], ...names.map((one) => [one, one] as const)]}
                value={subscription ?? ""}
                pick={(subscription) => refine({ subscription })}
            />
        </div>
    );
}
