// Keys that are quicker than the way with Tab.
import { Dialog, hide, show } from "./parts/dialog.tsx";
import { go } from "./route.ts";

/** After `g`. */
const PLACES: Record<string, [string, string]> = {
    o: ["", "overview"],
    a: ["addresses", "addresses"],
    c: ["connections", "connections"],
    s: ["sessions", "sessions"],
    u: ["users", "users"],
    t: ["tokens", "tokens"],
    p: ["policies", "policies"],
    r: ["routes", "routes"],
    d: ["definitions", "definitions"],
    l: ["audit", "audit log"],
    g: ["logs", "logs"],
};
const TOGETHER_MS = 1500;

let leader = 0;

function pressed(event: KeyboardEvent) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const { target } = event;
    const isTyped = target instanceof Element && target.matches("input, textarea, select");
    if (isTyped || document.querySelector("dialog[open]")) return;
    const after = event.timeStamp - leader < TOGETHER_MS;
    leader = 0;
    if (event.key === "g") leader = event.timeStamp;
    else if (after && PLACES[event.key]) go([PLACES[event.key]![0]]);
    else if (event.key === "/") document.querySelector<HTMLElement>("[data-filter]")?.focus();
    else if (event.key === "?") show(<Help />);
    else return;
    event.preventDefault();
}

export function listen() {
    document.addEventListener("keydown", pressed);
}

export function Help() {
    const rows: [string, string][] = [
        ["/", "to the filter of the list"],
        ["?", "this"],
        ["Esc", "closes a dialog"],
        ...Object.entries(PLACES).map(([key, [, name]]): [string, string] => [`g ${key}`, name]),
    ];
    return (
        <Dialog title="Keys">
            <dl class="keys">
                {rows.map(([keys, what]) => (
                    <div key={keys}>
                        <dt>
                            {keys.split(" ").map((key) => (
                                <kbd key={key}>{key}</kbd>
                            ))}
                        </dt>
                        <dd>{what}</dd>
                    </div>
                ))}
            </dl>
            <div class="actions">
                <button type="button" data-first onClick={hide}>
                    Close
                </button>
            </div>
        </Dialog>
    );
}
