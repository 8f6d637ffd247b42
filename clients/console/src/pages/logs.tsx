// The log of the broker: its latest lines, and those that follow as they are written.
import { useEffect, useRef, useState } from "preact/hooks";
import { call } from "../api/call.ts";
import type { LogEntry, LogLevel } from "../api/operations.ts";
import { useHear } from "../bus.ts";
import { SelectField } from "../parts/form.tsx";
import { useLoad } from "../parts/load.ts";
import { ProblemNote } from "../parts/problem.tsx";
import { Badge, Code } from "../parts/show.tsx";
import { Table, type Column } from "../parts/table.tsx";
import { place, refine } from "../route.ts";
import { moment } from "../words.ts";

const KEPT = 1000;
const DRAWN_MS = 250;
/** For what is not told. */
const EVERY_MS = 10_000;
const LEVELS = [
    ["debug", "debug and above"],
    ["info", "info and above"],
    ["warn", "warn and above"],
    ["error", "error"],
] as const satisfies [LogLevel, string][];
const RANK: Record<LogLevel, number> = { trace: 0, debug: 1, info: 2, warn: 3, error: 4 };
const TONE = { trace: "plain", debug: "plain", info: "plain", warn: "warn", error: "bad" } as const;

/** Numbers begin anew with each process. */
const keyOf = ({ at_ms, number }: LogEntry) => `${at_ms} ${number}`;

/** Both, each line once, the newest first. */
function merged(some: readonly LogEntry[], others: readonly LogEntry[]): LogEntry[] {
    const all = new Map([...some, ...others].map((line) => [keyOf(line), line]));
    const inOrder = [...all.values()].sort((a, b) => b.at_ms - a.at_ms || b.number - a.number);
    return inOrder.slice(0, KEPT);
}

export function LogsPage() {
    const level = (place.value.query["level"] ?? "info") as LogLevel;
    const [lines, setLines] = useState<LogEntry[]>([]);
    const { data, problem, reload } = useLoad("logs", (signal) =>
        call("listLogs", { query: { limit: KEPT, level: "trace" }, signal }),
        EVERY_MS,
    );
    const last = useRef(-1);
    useEffect(() => {
        if (!data) return;
        last.current = Math.max(last.current, data.items[0]?.number ?? -1);
        setLines((before) => merged(before, data.items));
    }, [data]);
    const heard = useRef<LogEntry[]>([]);
    useHear("logs", (entry) => {
        const before = last.current;
        if ("missed" in entry) return reload();
        last.current = entry.number === 0 ? 0 : Math.max(before, entry.number);
        heard.current.push(entry);
        // Some were written before this page could hear, or the connection is a new one, or the broker.
        if (entry.number > before + 1 || entry.number === 0) reload();
    });
    // However many come, the page is drawn anew four times a second.
    useEffect(() => {
        const timer = setInterval(() => {
            const news = heard.current.splice(0);
            if (news.length) setLines((before) => merged(before, news));
        }, DRAWN_MS);
        return () => clearInterval(timer);
    }, []);

    const shown = lines.filter((line) => RANK[line.level] >= RANK[level]);
    return (
        <>
            <div class="head">
                <h1>Logs</h1>
                <SelectField
                    label="Level"
                    choices={LEVELS}
                    value={level}
                    onChange={(event) => refine({ level: event.currentTarget.value })}
                />
            </div>
            <p class="lead">
                The newest first: the last thousand lines of this process, as far as{" "}
                <code>log.level</code> lets them through, and those that follow.
            </p>
            {problem && <ProblemNote problem={problem} again={reload} />}
            <Table
                caption="Lines of the log"
                columns={COLUMNS}
                items={shown}
                keyOf={keyOf}
                empty="There are no such lines."
                isBusy={!data && !problem}
            />
        </>
    );
}

const COLUMNS: readonly Column<LogEntry>[] = [
    { name: "When", show: ({ at_ms }) => <time>{moment(at_ms)}</time> },
    { name: "Level", show: ({ level }) => <Badge tone={TONE[level]}>{level}</Badge> },
    { name: "Event", show: ({ event }) => event ?? "", isHeader: true },
    { name: "Message", show: ({ message }) => message },
    {
        name: "Fields",
        show: ({ fields }) => (
            <ul class="said">
                {Object.entries(fields).map(([name, value]) => (
                    <li key={name}>
                        {name} <Code>{value}</Code>
                    </li>
                ))}
            </ul>
        ),
    },
];
