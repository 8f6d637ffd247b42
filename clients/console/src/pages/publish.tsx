// Sending one message.
import { useState } from "preact/hooks";
import { call, Problem } from "../api/call.ts";
import type { Publishing } from "../api/operations.ts";
import { AreaField, Form, SelectField, TextField, type Filled } from "../parts/form.tsx";
import { Card } from "../parts/show.tsx";

/** `name: value`, one a line. */
function propertiesOf(lines: string[]): Record<string, string> {
    return Object.fromEntries(
        lines.map((line) => {
            const colon = line.indexOf(":");
            if (colon < 1) {
                throw new Problem("A property cannot be read", `“${line}”: expected name: value`);
            }
            return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
        }),
    );
}

function messageOf(filled: Filled): Publishing {
    const body = filled.text("body");
    return {
        ...(filled.text("as") === "base64" ? { base64: body.trim() } : { text: body }),
        content_type: filled.text("content_type").trim(),
        properties: propertiesOf(filled.lines("properties")),
    };
}

export function Publish({ host, name }: { host: string; name: string }) {
    const [isOctets, setOctets] = useState(false);
    return (
        <Card title="Publish a message">
            <Form
                action="Publish"
                run={async (filled) => {
                    await call("publishMessage", {
                        path: { address: name },
                        query: { host },
                        body: messageOf(filled),
                    });
                    return "The message is on disk.";
                }}
            >
                <AreaField label="Body" name="body" rows={6} />
                <SelectField
                    label="The body is"
                    name="as"
                    choices={[
                        ["text", "text"],
                        ["base64", "octets in base64"],
                    ]}
                    value={isOctets ? "base64" : "text"}
                    onChange={(event) => setOctets(event.currentTarget.value === "base64")}
                />
                <TextField
                    label="Content type"
                    name="content_type"
                    maxLength={255}
                    placeholder={isOctets ? "application/octet-stream" : "text/plain"}
                />
                <AreaField
                    label="Properties"
                    name="properties"
                    rows={3}
                    placeholder="priority: high"
                    hint="One a line: name: value"
                />
            </Form>
        </Card>
    );
}
