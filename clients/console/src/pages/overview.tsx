// The broker at a glance, with live charts.
import { signal } from "@preact/signals";
import { call } from "../api/call.ts";
import type { Overview } from "../api/operations.ts";
import { Chart, type Series } from "../parts/chart.tsx";
import { Pick } from "../parts/form.tsx";
import { useLoad } from "../parts/load.ts";
import { ProblemNote } from "../parts/problem.tsx";
import { Card, Facts } from "../parts/show.tsx";
import { to } from "../route.ts";
import { overview, unanswered, watch } from "../watch.ts";
import { bytes, count, rate, span } from "../words.ts";

const FLOW: readonly Series[] = [
    { line: "received", name: "received", colour: 1 },
    { line: "delivered", name: "delivered", colour: 2 },
    { line: "acknowledged", name: "acknowledged", colour: 3 },
    { line: "redelivered", name: "redelivered", colour: 4 },
];
const HELD: readonly Series[] = [{ line: "messages", name: "messages", colour: 1 }];
const CLIENTS: readonly Series[] = [
    { line: "connections", name: "connections", colour: 1 },
    { line: "sessions", name: "sessions", colour: 2 },
    { line: "waiting", name: "waiting sessions", colour: 3 },
];
const JOURNAL: readonly Series[] = [{ line: "journal", name: "written", colour: 1 }];

const SPANS = [
    [1, "minute"],
    [5, "5 minutes"],
    [15, "15 minutes"],
] as const;
const minutes = signal<number>(5);

export function OverviewPage() {
    const now = overview.value;
    const problem = unanswered.value;
    return (
        <>
            <div class="head">
                <h1>Overview</h1>
                <Pick
                    label="The last"
                    choices={SPANS}
                    value={minutes.value}
                    pick={(chosen) => {
                        minutes.value = chosen;
                    }}
                />
            </div>
            {problem && problem.code !== "unreachable" && (
                <ProblemNote problem={problem} again={watch} />
            )}
            {now && <Tiles now={now} />}
            <div class="charts">
                <Chart
                    title="Messages a second"
                    series={FLOW}
                    show={rate}
                    span={minutes.value * 60}
                />
                <Chart title="Messages held" series={HELD} show={count} span={minutes.value * 60} />
                <Chart title="Clients" series={CLIENTS} show={count} span={minutes.value * 60} />
                <Chart
                    title="Journal"
                    series={JOURNAL}
                    show={(value) => `${bytes(value)}/s`}
                    tick={bytes}
                    span={minutes.value * 60}
                />
            </div>
            <div class="columns">
                <HealthCard />
                {now && <Totals now={now} />}
            </div>
        </>
    );
}

function Tiles({ now }: { now: Overview }) {
    const tiles: [string, string, string[], string][] = [
        ["connections", count(now.connections), ["connections"], "open"],
        ["sessions", count(now.sessions), ["sessions"], `${count(now.sessions_resumable)} waiting`],
        ["addresses", count(now.addresses), ["addresses"], "queues and topics"],
        ["messages held", count(now.messages), ["addresses"], bytes(now.messages_bytes)],
    ];
    return (
        <ul class="tiles">
            {tiles.map(([name, value, path, more]) => (
                <li key={name} class="card">
                    <a href={to(path)}>{name}</a>
                    <strong>{value}</strong>
                    <span>{more}</span>
                </li>
            ))}
        </ul>
    );
}

function Totals({ now }: { now: Overview }) {
    return (
        <Card title={`Since the start, ${span(now.uptime_ms)} ago`}>
            <Facts
                of={[
                    ["messages received", count(now.messages_received_total)],
                    ["deliveries", count(now.messages_delivered_total)],
                    ["acknowledged", count(now.messages_acknowledged_total)],
                    ["redelivered", count(now.messages_redelivered_total)],
                    ["duplicates suppressed", count(now.messages_duplicate_suppressed_total)],
                    ["dead letters", count(now.messages_dead_lettered_total)],
                    ["sessions resumed", count(now.session_resumes_total)],
                    ["sessions expired", count(now.sessions_expired_total)],
                    ["journal frames", count(now.store_frames_total)],
                    ["journal written", bytes(now.store_frames_bytes_total)],
                ]}
            />
        </Card>
    );
}

function HealthCard() {
    const ask = (signal: AbortSignal) => call("getHealth", { signal });
    const { data, problem, reload } = useLoad("health", ask, 5000);
    const now = overview.value;
    return (
        <Card title="Health">
            {problem && <ProblemNote problem={problem} again={reload} />}
            <ul class="checks">
                {data?.checks.map(({ name, ok, detail }) => (
                    <li key={name} class={ok ? "good" : "bad"}>
                        <strong>{name}</strong> <span>{ok ? "is well" : "is not well"}</span>
                        <p>{detail}</p>
                    </li>
                ))}
            </ul>
            {now && (
                <Facts
                    of={[
                        ["version", now.version],
                        ["process", String(now.pid)],
                        ["hosts", now.hosts.join(", ")],
                    ]}
                />
            )}
        </Card>
    );
}
