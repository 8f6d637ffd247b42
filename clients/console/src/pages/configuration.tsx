// The configuration in use, and reading it again.
import { useState } from "preact/hooks";
import { call } from "../api/call.ts";
import type { Reloaded } from "../api/operations.ts";
import { askFirst } from "../parts/dialog.tsx";
import { useLoad } from "../parts/load.ts";
import { ProblemNote } from "../parts/problem.tsx";

export function ConfigurationPage() {
    const [reloaded, setReloaded] = useState<Reloaded>();
    const { data, problem, reload } = useLoad("configuration", (signal) =>
        call("getConfiguration", { signal }),
    );
    const readAgain = () =>
        askFirst({
            title: "Read the configuration again?",
            text: (
                <p>
                    The broker reads its file, the environment and its certificates. What is wrong
                    there changes nothing.
                </p>
            ),
            action: "Reload",
            run: async () => {
                setReloaded(await call("reload", {}));
            },
        });
    return (
        <>
            <div class="head">
                <h1>Configuration</h1>
                <button type="button" class="primary" onClick={readAgain}>
                    Reload…
                </button>
            </div>
            <p class="lead">What the broker goes by now, without secrets.</p>
            {reloaded && <Outcome of={reloaded} />}
            {problem && <ProblemNote problem={problem} again={reload} />}
            {data && (
                <pre class="toml" tabIndex={0} aria-label="Configuration as TOML">
                    {data.toml.split("\n").map((line, at) => (
                        <Line key={at} text={line} />
                    ))}
                </pre>
            )}
        </>
    );
}

/** Sections and keys stand out. */
function Line({ text }: { text: string }) {
    if (text.startsWith("[")) {
        return (
            <>
                <strong>{text}</strong>
                {"\n"}
            </>
        );
    }
    const [, key, value] = /^([\w-]+)( = .*)$/.exec(text) ?? [];
    if (!key) return <>{text + "\n"}</>;
    return (
        <>
            <span class="key">{key}</span>
            {value + "\n"}
        </>
    );
}

function Outcome({ of: { changed, needs_restart } }: { of: Reloaded }) {
    return (
        <div class={needs_restart.length ? "note warn" : "note good"} role="status">
            <strong>
                {changed.length ? `In use now: ${changed.join(", ")}.` : "Nothing has changed."}
            </strong>
            {needs_restart.length > 0 && <p>Needs a restart: {needs_restart.join(", ")}.</p>}
        </div>
    );
}
