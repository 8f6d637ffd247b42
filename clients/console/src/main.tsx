// The console: pages over the management API.
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { asProblem, call, type Problem } from "./api/call.ts";
import { isStranger, whoami } from "./api/login.ts";
import { listen } from "./keys.tsx";
import { endLeft } from "./left.ts";
import { AddressPage } from "./pages/address.tsx";
import { AddressesPage } from "./pages/addresses.tsx";
import { AuditPage } from "./pages/audit.tsx";
import { ConfigurationPage } from "./pages/configuration.tsx";
import { ConnectionsPage } from "./pages/connections.tsx";
import { DefinitionsPage } from "./pages/definitions.tsx";
import { DrainPage } from "./pages/drain.tsx";
import { LoginPage } from "./pages/login.tsx";
import { LogsPage } from "./pages/logs.tsx";
import { OverviewPage } from "./pages/overview.tsx";
import { PoliciesPage } from "./pages/policies.tsx";
import { RoutesPage } from "./pages/routes.tsx";
import { SessionsPage } from "./pages/sessions.tsx";
import { TokensPage } from "./pages/tokens.tsx";
import { UserPage } from "./pages/user.tsx";
import { UsersPage } from "./pages/users.tsx";
import { DialogHost } from "./parts/dialog.tsx";
import { ProblemNote } from "./parts/problem.tsx";
import { Toasts } from "./parts/toast.tsx";
import { place } from "./route.ts";
import { Shell } from "./shell.tsx";
import "./theme.ts";
import { watch } from "./watch.ts";
import "./style/base.css";
import "./style/shell.css";
import "./style/controls.css";
import "./style/parts.css";
import "./style/pages.css";

const RETRY_MS = 2000;

/** The page of a path. */
function page([section = "", first, second]: string[]) {
    switch (section) {
        case "":
            return <OverviewPage />;
        case "addresses":
            if (first && second) return <AddressPage host={first} name={second} />;
            return <AddressesPage />;
        case "connections":
            return <ConnectionsPage />;
        case "sessions":
            return <SessionsPage />;
        case "users":
            return first ? <UserPage name={first} /> : <UsersPage />;
        case "new-user":
            return <UserPage name="" />;
        case "tokens":
            return <TokensPage />;
        case "policies":
            return <PoliciesPage />;
        case "routes":
            return <RoutesPage />;
        case "definitions":
            return <DefinitionsPage />;
        case "configuration":
            return <ConfigurationPage />;
        case "audit":
            return <AuditPage />;
        case "logs":
            return <LogsPage />;
        case "drain":
            return <DrainPage />;
        default:
            return (
                <>
                    <h1>No such page</h1>
                    <p>The address of this page names nothing that the console has.</p>
                </>
            );
    }
}

function Console() {
    const [problem, setProblem] = useState<Problem>();
    const isKnown = whoami.value !== null;
    useEffect(() => {
        let timer: ReturnType<typeof setTimeout>;
        const begin = async () => {
            try {
                whoami.value = await call("getWhoami", {});
                setProblem(undefined);
                watch();
                void endLeft();
            } catch (error) {
                setProblem(asProblem(error));
                if (!isStranger.value) timer = setTimeout(begin, RETRY_MS);
            }
        };
        if (!isKnown) void begin();
        return () => clearTimeout(timer);
    }, []);

    if (isStranger.value) return <LoginPage />;
    if (!isKnown) {
        return (
            <main class="login">
                <h1>Wharf</h1>
                {problem ? <ProblemNote problem={problem} /> : <p role="status">Loading…</p>}
            </main>
        );
    }
    const { path } = place.value;
    return (
        <Shell>
            <div class="page" key={path.join("/")}>
                {page(path)}
            </div>
        </Shell>
    );
}

listen();
render(
    <>
        <Console />
        <DialogHost />
        <Toasts />
    </>,
    document.body,
);
