// Small things that many pages show.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { moment, relative } from "../words.ts";

/** A time as how far away it is; the time itself when pointed at. */
export function Time({ ms }: { ms: number }) {
    return (
        <time dateTime={new Date(ms).toISOString()} title={moment(ms)}>
            {relative(ms)}
        </time>
    );
}

type Tone = "good" | "bad" | "warn" | "plain";

export function Badge({ tone = "plain", children }: { tone?: Tone; children: ComponentChildren }) {
    return <span class={`badge ${tone}`}>{children}</span>;
}

/** A name or pattern; a short one is not broken over lines. */
export function Code({ children: text }: { children: string }) {
    return <code class={text.length > 32 ? "" : "unbroken"}>{text}</code>;
}

/** Facts: a term and what it is, one beside the other. */
export function Facts({ of }: { of: readonly (readonly [string, ComponentChildren])[] }) {
    return (
        <dl class="facts">
            {of.map(([term, fact]) => (
                <div key={term}>
                    <dt>{term}</dt>
                    <dd>{fact}</dd>
                </div>
            ))}
        </dl>
    );
}

export function Card({ title, children }: { title: string; children: ComponentChildren }) {
    return (
        <section class="card">
            <h2>{title}</h2>
            {children}
        </section>
    );
}

/** Where something that may be empty has a dash for the eye and a word for the ear. */
export function OrNone({ children }: { children: ComponentChildren }) {
    if (children) return <>{children}</>;
    return (
        <span class="quiet">
            <span aria-hidden="true">–</span>
            <span class="unseen">none</span>
        </span>
    );
}

/** Text to be carried elsewhere. */
export function Copy({ text, what }: { text: string; what: string }) {
    const [word, setWord] = useState("Copy");
    const copy = async () => {
        try {
            await navigator.clipboard.writeText(text);
            setWord("Copied");
        } catch {
            // Only pages that came encrypted, or from this machine, may write there.
            setWord("Select it and copy by hand");
        }
    };
    return (
        <button type="button" onClick={copy}>
            {word}
            <span class="unseen"> {what}</span>
        </button>
    );
}

interface TabsProps {
    label: string;
    tabs: readonly (readonly [string, string])[];
    current: string;
    href: (tab: string) => string;
}

/** Parts of a page, each with a link of its own. */
export function Tabs({ label, tabs, current, href }: TabsProps) {
    return (
        <nav class="tabs" aria-label={label}>
            {tabs.map(([tab, words]) => (
                <a key={tab} href={href(tab)} aria-current={tab === current ? "page" : undefined}>
                    {words}
                </a>
            ))}
        </nav>
    );
}
