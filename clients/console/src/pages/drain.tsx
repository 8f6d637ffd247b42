// Sending everybody away.
import { signal } from "@preact/signals";
import { call } from "../api/call.ts";
import { askFirst } from "../parts/dialog.tsx";
import { CheckField, Form, NumberField, SelectField, type Filled } from "../parts/form.tsx";
import { Card } from "../parts/show.tsx";
import { overview, unanswered } from "../watch.ts";
import { counted, span } from "../words.ts";

/** Of a drain that was begun here: connections at its start, and whether the process ends. */
const begun = signal<{ connections: number; stop: boolean } | null>(null);

export function DrainPage() {
    return (
        <>
            <div class="head">
                <h1>Drain</h1>
            </div>
            <p class="lead">
                Lets nobody in any more and sends everybody away, evenly over a time, so that they
                do not all come back at once. Every session can be taken up again after a restart,
                and no message is lost.
            </p>
            <Progress />
            <Card title="Send everybody away">
                <Form action="Drain…" danger run={ask}>
                    <NumberField
                        label="Over (seconds)"
                        name="over"
                        max={3600}
                        defaultValue={60}
                        required
                    />
                    <SelectField
                        label="Clients are told"
                        name="code"
                        choices={[
                            ["", "what the configuration says"],
                            ["1001", "1001: the broker goes away"],
                            ["1012", "1012: it is back at once"],
                        ]}
                    />
                    <CheckField
                        label="The process ends afterwards"
                        name="stop"
                        defaultChecked={true}
                    />
                </Form>
            </Card>
        </>
    );
}

async function ask(filled: Filled) {
    const over_ms = Math.round(filled.number("over") * 1000);
    const code = filled.number("code");
    const stop = filled.flag("stop");
    const connections = overview.value?.connections ?? 0;
    askFirst({
        title: "Drain this broker?",
        text: (
            <p>
                {counted(connections, "connection")} will be closed{" "}
                {over_ms ? `over ${span(over_ms)}` : "at once"}, and nobody will be let in any more
                {stop ? ". Then the process ends." : ", until the process is started again."} There
                is no way back.
            </p>
        ),
        action: "Drain",
        run: async () => {
            await call("drain", { body: { over_ms, stop, ...(code ? { close_code: code } : {}) } });
            begun.value = { connections, stop };
            return "The drain has begun.";
        },
    });
}

function Progress() {
    const now = overview.value;
    const started = begun.value;
    if (!now || now.phase !== "draining") return null;
    const isOver = started?.stop && unanswered.value?.code === "unreachable";
    const all = Math.max(started?.connections ?? 0, now.connections, 1);
    return (
        <div class="note warn" role="status">
            <strong>{isOver ? "The process has ended." : "The broker is draining."}</strong>
            {!isOver && (
                <p>
                    {counted(now.connections, "connection")} left.{" "}
                    <progress
                        aria-label="Connections closed"
                        max={all}
                        value={all - now.connections}
                    />
                </p>
            )}
        </div>
    );
}
