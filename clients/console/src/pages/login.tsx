// Logging in on the page, where the browser does not do it.
import { batch } from "@preact/signals";
import { exchange } from "../api/call.ts";
import { isStranger, login, whoami, type Login } from "../api/login.ts";
import { Form, TextField } from "../parts/form.tsx";
import { Card } from "../parts/show.tsx";
import { watch } from "../watch.ts";

/** Lets the page ask as this, if the broker lets it in. */
export async function enter(as: Login | null) {
    const { value } = await exchange("getWhoami", {}, as);
    batch(() => {
        login.value = as;
        whoami.value = value;
        isStranger.value = false;
    });
    watch();
}

/** Forgets the login that was given here; the browser's cannot be forgotten by a page. */
export function leave() {
    batch(() => {
        login.value = null;
        whoami.value = null;
        isStranger.value = true;
    });
}

export function LoginPage() {
    return (
        <main id="main" class="login">
            <h1 tabIndex={-1}>Log in to Wharf</h1>
            <p>
                What is filled in here is kept by this page alone, until it is reloaded. The
                browser's own login lasts until the browser is closed.
            </p>
            <Card title="With a password">
                <Form
                    action="Log in"
                    run={(filled) =>
                        enter({ user: filled.text("user"), password: filled.text("password") })
                    }
                >
                    <TextField label="User" name="user" required autocomplete="username" />
                    <TextField
                        label="Password"
                        name="password"
                        type="password"
                        required
                        autocomplete="current-password"
                    />
                </Form>
            </Card>
            <Card title="With a token">
                <Form
                    action="Log in with the token"
                    run={(filled) => enter({ token: filled.text("token").trim() })}
                >
                    <TextField label="Token" name="token" type="password" required whole />
                </Form>
            </Card>
            <Card title="With the browser">
                <Form action="Let the browser ask" run={() => enter(null)}>
                    <p>Its dialog opens, unless it has a login already.</p>
                </Form>
            </Card>
        </main>
    );
}
