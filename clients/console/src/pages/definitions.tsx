// Everything that is defined, to carry elsewhere, and to make true here.
import { useRef, useState } from "preact/hooks";
import { call, exchange } from "../api/call.ts";
import type { Applied, Definitions } from "../api/operations.ts";
import { change, read, type Import } from "../definitions.ts";
import { askFirst } from "../parts/dialog.tsx";
import { AreaField, CheckField, Field, Form, type Filled } from "../parts/form.tsx";
import { Card } from "../parts/show.tsx";
import { counted } from "../words.ts";

const SHOWN_MAX = 200;

/** What an import would do, and to what. */
interface Comparison {
    wanted: Import;
    before: Definitions;
    /** Of what it was compared with: nothing else is changed. */
    etag: string | null;
    prune: boolean;
    applied: Applied;
}

export function DefinitionsPage() {
    const [compared, setCompared] = useState<Comparison>();
    const [done, setDone] = useState<Applied>();
    const compare = async (filled: Filled) => {
        setDone(undefined);
        setCompared(undefined);
        const wanted = read(filled.text("text"));
        setCompared(await dryRun(wanted, filled.flag("prune")));
    };
    const apply = (comparison: Comparison) =>
        askFirst({
            title: "Make these definitions true?",
            text: <p>{summary(comparison.applied)} It cannot be undone by a press of a button.</p>,
            action: "Apply",
            run: async () => {
                setDone(await put(comparison));
                setCompared(undefined);
            },
        });
    return (
        <>
            <div class="head">
                <h1>Definitions</h1>
            </div>
            <p class="lead">
                Users with their rules and limits, policies, routes and addresses; not messages,
                sessions or tokens.
            </p>
            <Export />
            <ImportCard compare={compare} />
            {compared && <Changes of={compared} apply={() => apply(compared)} />}
            {done && (
                <div class="note good" role="status">
                    <strong>Done.</strong> {summary(done)}
                </div>
            )}
        </>
    );
}

function Export() {
    return (
        <Card title="Export">
            <Form action="Download" run={download}>
                <p>
                    The file holds password verifiers. They are secrets: passwords can be guessed
                    with them.
                </p>
            </Form>
        </Card>
    );
}

async function download() {
    const definitions = await call("getDefinitions", {});
    const text = JSON.stringify(definitions, null, 2) + "\n";
    const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = "wharf-definitions.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
    const { users, policies, routes, addresses } = definitions;
    const all = [
        counted(users.length, "user"),
        counted(policies.length, "policy"),
        counted(routes.length, "route"),
        counted(addresses.length, "address"),
    ];
    return `Downloaded: ${all.join(", ")}.`;
}

function ImportCard({ compare }: { compare: (filled: Filled) => Promise<void> }) {
    const area = useRef<HTMLTextAreaElement>(null);
    const load = async (file: File | undefined) => {
        if (file && area.current) area.current.value = await file.text();
    };
    return (
        <Card title="Import">
            <Form action="Compare" run={compare}>
                <Field
                    label="File"
                    hint="Definitions of Wharf, or of RabbitMQ, which are taken over as far as
                        they have a counterpart."
                    whole
                >
                    {(attributes) => (
                        <input
                            type="file"
                            accept=".json,application/json"
                            onChange={(event) => load(event.currentTarget.files?.[0])}
                            {...attributes}
                        />
                    )}
                </Field>
                <AreaField label="Or as text" name="text" required rows={8} area={area} />
                <CheckField
                    name="prune"
                    label="Remove users, policies and routes that are not in it (never yourself,
                        and no address)"
                />
            </Form>
        </Card>
    );
}

async function dryRun(wanted: Import, prune: boolean): Promise<Comparison> {
    const { value: before, etag } = await exchange("getDefinitions", {});
    const applied =
        wanted.form === "wharf"
            ? await call("putDefinitions", {
                  query: { prune, dry_run: true },
                  body: wanted.value,
              })
            : await call("importRabbit", { query: { dry_run: true }, body: wanted.value });
    return { wanted, before, etag, prune, applied };
}

function put({ wanted, etag, prune }: Comparison): Promise<Applied> {
    return wanted.form === "wharf"
        ? call("putDefinitions", { query: { prune }, body: wanted.value, ifMatch: etag })
        : call("importRabbit", { body: wanted.value });
}

function summary({ created, changed, removed, skipped }: Applied): string {
    const parts = [
        `${created.length} new`,
        `${changed.length} changed`,
        `${removed.length} removed`,
        `${skipped.length} passed over`,
    ];
    return `${parts.join(", ")}.`;
}

function Changes({ of, apply }: { of: Comparison; apply: () => void }) {
    const { created, changed, removed, skipped } = of.applied;
    const count = created.length + changed.length + removed.length;
    return (
        <Card title={count ? "What would change" : "Nothing would change"}>
            <p role="status">{summary(of.applied)}</p>
            <Group title="New" sign="+" lines={created} of={of} />
            <Group title="Changed" sign="~" lines={changed} of={of} />
            <Group title="Removed" sign="-" lines={removed} of={of} />
            <Group title="Passed over" sign="!" lines={skipped} of={of} />
            {count > 0 && (
                <div class="actions">
                    <button type="button" class="danger" onClick={apply}>
                        Apply…
                    </button>
                </div>
            )}
        </Card>
    );
}

interface GroupProps {
    title: string;
    sign: string;
    lines: readonly string[];
    of: Comparison;
}

function Group({ title, sign, lines, of }: GroupProps) {
    if (lines.length === 0) return null;
    const { before, wanted } = of;
    const rest = lines.length - SHOWN_MAX;
    return (
        <>
            <h3>
                {title} <span class="quiet">{lines.length}</span>
            </h3>
            <ul class="diff">
                {lines.slice(0, SHOWN_MAX).map((line) =>
                    wanted.form === "wharf" && sign !== "!" ? (
                        <li key={line}>
                            <details open={sign === "~"}>
                                <summary>
                                    <span class={`sign ${sign}`}>{sign}</span> {line}
                                </summary>
                                <Lines before={before} after={wanted.value} line={line} />
                            </details>
                        </li>
                    ) : (
                        <li key={line}>
                            <span class="sign">{sign}</span> {line}
                        </li>
                    ),
                )}
                {rest > 0 && <li class="quiet">and {rest} more</li>}
            </ul>
        </>
    );
}

interface LinesProps {
    before: Definitions;
    after: Definitions;
    line: string;
}

const LOOKS = { "+": "added", "-": "gone", " ": "" };

function Lines({ before, after, line }: LinesProps) {
    return (
        <pre tabIndex={0} aria-label={`Changes of ${line}`}>
            {change(before, after, line).map(({ sign, text }, at) => (
                <span key={at} class={LOOKS[sign]}>
                    {`${sign} ${text}\n`}
                </span>
            ))}
        </pre>
    );
}
