// Tokens that let in instead of a password.
import { call } from "../api/call.ts";
import { whoami } from "../api/login.ts";
import type { Minted, Token } from "../api/operations.ts";
import { askFirst, Dialog, hide, show } from "../parts/dialog.tsx";
import { Form, NumberField, SelectField, TextField } from "../parts/form.tsx";
import { List } from "../parts/list.tsx";
import { Code, Copy, OrNone, Time } from "../parts/show.tsx";
import type { Column } from "../parts/table.tsx";
import { to } from "../route.ts";
import { moment } from "../words.ts";

const UNITS = [
    ["60", "minutes"],
    ["3600", "hours"],
    ["86400", "days"],
] as const;

export function TokensPage() {
    return (
        <>
            <div class="head">
                <h1>Tokens</h1>
                <button type="button" class="primary" onClick={() => show(<Mint />)}>
                    Mint a token
                </button>
            </div>
            <p class="lead">
                A token lets a user in instead of a password, for a time. Only a hash of it is kept.
            </p>
            <List
                caption="Tokens"
                of="tokens"
                ask={(page, signal) => call("listTokens", { query: page, signal })}
                columns={COLUMNS}
                keyOf={({ id }) => id}
                empty="No token is valid."
            />
        </>
    );
}

const COLUMNS: readonly Column<Token>[] = [
    { name: "Token", show: ({ id }) => <Code>{id}</Code>, isHeader: true },
    { name: "User", show: ({ user }) => <a href={to(["users", user])}>{user}</a> },
    { name: "Note", show: ({ note }) => <OrNone>{note}</OrNone> },
    {
        name: "Expires",
        show: ({ expires_at_ms: ends }) => (
            <>
                <Time ms={ends} /> <span class="quiet">{moment(ends)}</span>
            </>
        ),
    },
    {
        name: "Actions",
        show: (token) => (
            <div class="row-actions">
                <button type="button" onClick={() => revoke(token)}>
                    Revoke<span class="unseen"> token {token.id}</span>
                </button>
            </div>
        ),
    },
];

function Mint() {
    return (
        <Dialog title="Mint a token">
            <Form
                action="Mint"
                inDialog
                run={async (filled) => {
                    const user = filled.text("user").trim();
                    const minted = await call("mintToken", {
                        body: {
                            ...(user ? { user } : {}),
                            valid_s: filled.number("valid") * filled.number("unit"),
                            note: filled.text("note"),
                        },
                    });
                    show(<Secret minted={minted} />);
                }}
            >
                <TextField
                    label="For the user"
                    name="user"
                    data-first
                    defaultValue={whoami.value?.user ?? ""}
                    required
                    whole
                />
                <NumberField label="Valid for" name="valid" min={1} defaultValue={1} required />
                <SelectField label="Unit" name="unit" choices={UNITS} value="3600" />
                <TextField
                    label="Note"
                    name="note"
                    maxLength={255}
                    hint="What it is for, to recognise it in the list."
                    whole
                />
            </Form>
        </Dialog>
    );
}

/** The secret leaves the page with this dialog. */
function Secret({ minted: { secret, token } }: { minted: Minted }) {
    return (
        <Dialog title={`A token for ${token.user}`} stays>
            <p class="text">
                This is the token. It is shown this once; nobody can show it again. It is valid
                until {moment(token.expires_at_ms)}.
            </p>
            <pre class="secret" tabIndex={0} aria-label="Token">
                {secret}
            </pre>
            <div class="actions">
                <Copy text={secret} what="the token" />
                <button type="button" class="primary" onClick={hide}>
                    I have it
                </button>
            </div>
        </Dialog>
    );
}

function revoke({ id, user, note }: Token) {
    askFirst({
        title: `Revoke token ${id}?`,
        text: (
            <p>
                It lets {user} in{note && ` (${note})`}. The connections that it has let in are
                closed.
            </p>
        ),
        action: "Revoke",
        run: async () => {
            await call("revokeToken", { path: { token: id } });
            return `Token ${id} is revoked.`;
        },
    });
}
