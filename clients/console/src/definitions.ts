// Definitions as they are, as they shall be, and what is between the two.
import { Problem } from "./api/call.ts";
import type { Definitions } from "./api/operations.ts";
import { diff, type DiffLine } from "./diff.ts";

export type Import = { form: "wharf"; value: Definitions } | { form: "rabbitmq"; value: unknown };

/** What a file holds. */
export function read(text: string): Import {
    let value: unknown;
    try {
        value = JSON.parse(text);
    } catch (error) {
        throw new Problem("The definitions cannot be read", `They are no JSON: ${error}`);
    }
    // An export of RabbitMQ says of which version it is; ours has a version of its own form.
    const isRabbit = typeof value === "object" && value !== null && !("version" in value);
    return isRabbit ? { form: "rabbitmq", value } : { form: "wharf", value: value as Definitions };
}

type Item = Record<string, unknown>;

/** The thing that a line such as `user ada` or `address localhost orders` names. */
function find(definitions: Definitions, line: string): Item | undefined {
    const [kind = "", ...rest] = line.split(" ");
    const name = rest.join(" ");
    const named = (items: readonly object[] = []) =>
        (items as Item[]).find((item) => item["name"] === name);
    switch (kind) {
        case "user":
            return named(definitions.users);
        case "policy":
            return named(definitions.policies);
        case "route":
            return named(definitions.routes);
        case "address": {
            const [host, ...parts] = rest;
            const name = parts.join(" ");
            const { addresses = [] } = definitions;
            const found = addresses.find(
                (one) => one.name === name && (one.host === host || !one.host),
            );
            return found && { ...found };
        }
        default:
            return undefined;
    }
}

const SECRET = "password_verifier";

/** A thing as lines, its keys in order; secrets as nothing but the same or another. */
function linesOf(item: Item | undefined, other: Item | undefined, isNew: boolean): string[] {
    if (!item) return [];
    const shown: Item = {};
    for (const key of Object.keys(item).sort()) shown[key] = item[key];
    if (shown[SECRET]) {
        const isSame = !other || other[SECRET] === shown[SECRET];
        shown[SECRET] = isSame || !isNew ? "(secret)" : "(another secret)";
    }
    return JSON.stringify(shown, null, 2).split("\n");
}

/** What becomes of the thing that a line names. */
export function change(before: Definitions, after: Definitions, line: string): DiffLine[] {
    const [old, next] = [find(before, line), find(after, line)];
    return diff(linesOf(old, next, false), linesOf(next, old, true));
}
