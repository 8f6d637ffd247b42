// Who asks: the browser with the login that it keeps, or somebody who has logged in on this page.
import { signal } from "@preact/signals";
import type { Whoami } from "./operations.ts";

/** A login given on this page. It is kept in memory alone: a reload forgets it. */
export type Login = { user: string; password: string } | { token: string };

export const login = signal<Login | null>(null);

/** Who that is for the broker; `null`: not known yet, or nobody. */
export const whoami = signal<Whoami | null>(null);

/** Whether the broker has answered that a login is needed. */
export const isStranger = signal(false);

/** The value of `Authorization`; none where the browser adds its own. */
export function authorization(given: Login | null): string | undefined {
    if (!given) return undefined;
    if ("token" in given) return `Bearer ${given.token}`;
    // RFC 7617: UTF-8, as the broker's challenge says.
    const octets = new TextEncoder().encode(`${given.user}:${given.password}`);
    return `Basic ${btoa(String.fromCharCode(...octets))}`;
}
