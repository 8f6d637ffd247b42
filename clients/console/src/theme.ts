// Light or dark: as the system is, or as was chosen here.
import { computed, effect, signal } from "@preact/signals";

export type Choice = "auto" | "light" | "dark";
export const CHOICES: readonly Choice[] = ["auto", "light", "dark"];
const KEY = "wharf-console-theme";

function kept(): Choice {
    try {
        return CHOICES.find((choice) => choice === localStorage.getItem(KEY)) ?? "auto";
    } catch {
        // Storage may be denied to the page.
        return "auto";
    }
}

export const choice = signal<Choice>(kept());

const system = matchMedia("(prefers-color-scheme: dark)");
const systemIsDark = signal(system.matches);
system.addEventListener("change", () => {
    systemIsDark.value = system.matches;
});

export const isDark = computed(() =>
    choice.value === "auto" ? systemIsDark.value : choice.value === "dark",
);

effect(() => {
    document.documentElement.dataset["theme"] = choice.value;
});

export function choose(next: Choice) {
    choice.value = next;
    try {
        localStorage.setItem(KEY, next);
    } catch {
        // It holds until the page is closed.
    }
}
