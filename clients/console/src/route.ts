// Where the page is: `#/addresses/localhost/orders?tab=publish`.
import { signal } from "@preact/signals";

export interface Place {
    /** Parts of the path, decoded. */
    path: string[];
    query: Record<string, string>;
}

type Query = Record<string, string | undefined>;

function read(hash: string): Place {
    const [path = "", query = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
    return {
        path: path.split("/").map(decoded),
        query: Object.fromEntries(new URLSearchParams(query)),
    };
}

function decoded(part: string): string {
    try {
        return decodeURIComponent(part);
    } catch {
        return part;
    }
}

export const place = signal(read(location.hash));

addEventListener("hashchange", () => {
    place.value = read(location.hash);
});

/** A link to a place. */
export function to(path: string[], query: Query = {}): string {
    const given = Object.entries(query).filter((entry): entry is [string, string] => !!entry[1]);
    const parameters = new URLSearchParams(given);
    return `#/${path.map(encodeURIComponent).join("/")}${given.length ? `?${parameters}` : ""}`;
}

export function go(path: string[], query: Query = {}) {
    location.hash = to(path, query);
}

/** The same place with other parameters; the way back does not lead over each of them. */
export function refine(changes: Query) {
    const { path, query } = place.value;
    history.replaceState(null, "", to(path, { ...query, ...changes }));
    place.value = read(location.hash);
}
