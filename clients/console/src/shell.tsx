// What stands around every page.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { login, whoami } from "./api/login.ts";
import { Help } from "./keys.tsx";
import { leave } from "./pages/login.tsx";
import { hide, show } from "./parts/dialog.tsx";
import { Badge } from "./parts/show.tsx";
import { place, to } from "./route.ts";
import { choice, choose, CHOICES, type Choice } from "./theme.ts";
import { overview, unanswered } from "./watch.ts";

const GROUPS: [string, [string, string][]][] = [
    ["", [["", "Overview"]]],
    [
        "Messages",
        [
            ["addresses", "Addresses"],
            ["policies", "Policies"],
            ["routes", "Routes"],
        ],
    ],
    [
        "Clients",
        [
            ["connections", "Connections"],
            ["sessions", "Sessions"],
        ],
    ],
    [
        "Access",
        [
            ["users", "Users"],
            ["tokens", "Tokens"],
        ],
    ],
    [
        "Broker",
        [
            ["definitions", "Definitions"],
            ["configuration", "Configuration"],
            ["audit", "Audit log"],
            ["logs", "Logs"],
            ["drain", "Drain"],
        ],
    ],
];

export function Shell({ children }: { children: ComponentChildren }) {
    const [isOpen, setOpen] = useState(false);
    const main = useRef<HTMLElement>(null);
    const path = place.value.path.join("/");
    useEffect(() => {
        setOpen(false);
        // What was asked was asked of the page before.
        hide();
    }, [path]);
    useTitle(main, path);
    return (
        <div class="shell">
            <a
                class="skip"
                href="#main"
                onClick={(event) => {
                    event.preventDefault();
                    main.current?.focus();
                }}
            >
                To the content
            </a>
            <header>
                <a class="brand" href={to([""])}>
                    Wharf
                </a>
                <button
                    type="button"
                    class="menu"
                    aria-expanded={isOpen}
                    aria-controls="menu"
                    onClick={() => setOpen(!isOpen)}
                >
                    Menu
                </button>
                <State />
                <Who />
                <Theme />
                <button type="button" aria-label="Keys" onClick={() => show(<Help />)}>
                    ?
                </button>
            </header>
            <Menu isOpen={isOpen} current={place.value.path[0] ?? ""} />
            <main id="main" ref={main} tabIndex={-1}>
                <Unreachable />
                {children}
            </main>
        </div>
    );
}

/** A page is called by its heading, which is read out when it was opened by a link. */
function useTitle(main: { current: HTMLElement | null }, path: string) {
    const isFirst = useRef(true);
    useEffect(() => {
        const heading = main.current?.querySelector("h1");
        document.title = `${heading?.textContent ?? "Console"} · Wharf`;
        if (!isFirst.current && heading) {
            heading.tabIndex = -1;
            heading.focus({ preventScroll: true });
            scrollTo(0, 0);
        }
        isFirst.current = false;
    }, [path]);
}

function Menu({ isOpen, current }: { isOpen: boolean; current: string }) {
    return (
        <nav id="menu" class={isOpen ? "sections open" : "sections"} aria-label="Sections">
            {GROUPS.map(([group, links]) => (
                <div key={group}>
                    {group && <h2>{group}</h2>}
                    <ul>
                        {links.map(([path, name]) => (
                            <li key={path}>
                                <a
                                    href={to([path])}
                                    aria-current={path === current ? "page" : undefined}
                                >
                                    {name}
                                </a>
                            </li>
                        ))}
                    </ul>
                </div>
            ))}
        </nav>
    );
}

function State() {
    const phase = overview.value?.phase;
    if (unanswered.value?.code === "unreachable") return <Badge tone="bad">unreachable</Badge>;
    if (!phase) return null;
    return <Badge tone={phase === "ready" ? "good" : "warn"}>{phase}</Badge>;
}

function Unreachable() {
    const problem = unanswered.value;
    if (problem?.code !== "unreachable") return null;
    return (
        <div class="note bad" role="alert">
            <strong>{problem.title}.</strong> {problem.detail} What is shown is what was known
            before; the console tries again every second.
        </div>
    );
}

function Who() {
    const user = whoami.value?.user;
    if (!user) return null;
    return (
        <span class="who">
            <span class="quiet">
                <span class="unseen">logged in as </span>
                {user}
            </span>
            <button type="button" onClick={leave}>
                {login.value ? "Log out" : "Another user"}
            </button>
        </span>
    );
}

function Theme() {
    return (
        <select
            aria-label="Colours"
            onChange={(event) => choose(event.currentTarget.value as Choice)}
        >
            {CHOICES.map((one) => (
                <option key={one} value={one} selected={one === choice.value}>
                    {one === "auto" ? "system" : one}
                </option>
            ))}
        </select>
    );
}
