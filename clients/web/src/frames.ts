// The frames of MBWS, draft-hapner-hybi-messagebroker-subprotocol-02 section 4. Lengths of strings
// are what String.length says (`?unit=utf16`, MBWS-A01), so that neither side has to count.
import type { Content, Property, Wire } from "./types.js";

export type Frame =
    | { id: 1; name: string; numbers: number[] }
    | { id: 2; number: number }
    | ({ id: 3 } & Content);

/** A number is followed by a space in text and is a varint in binary; a string stands as it is. */
type Token = number | string;

export const utf8 = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

const sized = (string: string): Token[] => [string.length, string];

// MBWS-110 to MBWS-115, MBWS-106
const asText = (tokens: Token[]) =>
    tokens.map((token) => (typeof token === "string" ? token : `${token} `)).join("");

const varint = (value: number): number[] =>
    value > 127 ? [(value & 127) | 128, ...varint(value >> 7)] : [value];

// MBWS-010, MBWS-040
export const connectFrame = (name = "", numbers: number[] = []) =>
    asText([1, ...sized(name), numbers.length, ...numbers]);

// MBWS-033
export const acknowledgeFrame = (number: number) => asText([2, number]);

// MBWS-070
export function messageFrame({ addresses, contentType, properties, body }: Content): Wire {
    const head: Token[] = [3, addresses.length, ...addresses.flatMap(sized), ...sized(contentType)];
    head.push(properties.length, ...properties.flat().flatMap(sized));
    if (typeof body === "string") return asText(head) + body;
    // MBWS-100 to MBWS-105
    const octets = head.flatMap((token) =>
        typeof token === "string" ? [...utf8.encode(token)] : varint(token),
    );
    const whole = new Uint8Array(octets.length + body.length);
    whole.set(octets);
    whole.set(body, octets.length);
    return whole;
}

const digits = /(\d+) /y;

/** Reads one WebSocket message. Throws if it is what MBWS-120 calls malformed. */
export function decode(data: Wire): Frame {
    let at = 0;
    const number = () => {
        let value = 0;
        if (typeof data === "string") {
            digits.lastIndex = at;
            value = Number(digits.exec(data)?.[1]);
            at = digits.lastIndex;
        } else {
            let weight = 1;
            let octet;
            do {
                // Beyond the end it is not a number, and neither is what is made of it.
                octet = data[at++]!;
                value += (octet % 128) * weight;
                weight *= 128;
            } while (octet > 127);
        }
        return Number.isSafeInteger(value) ? value : fail();
    };
    const string = () => {
        const length = number();
        let text;
        if (typeof data === "string") {
            text = data.slice(at, (at += length));
        } else {
            // No unit of UTF-16 takes more than three octets; what is too many is cut off again.
            const ample = lenient.decode(data.subarray(at, at + 3 * length)).slice(0, length);
            text = strict.decode(data.subarray(at, (at += utf8.encode(ample).length)));
        }
        return text.length === length ? text : fail();
    };
    // MBWS-121: nothing is made for a count, only for what is there.
    const list = <T>(entry: () => T) => {
        const entries: T[] = [];
        for (let left = number(); left > 0; left -= 1) entries.push(entry());
        return entries;
    };
    const id = number();
    if (id === 3) {
        const addresses = list(string);
        const contentType = string();
        const properties = list((): Property => [string(), string()]);
        return { id, addresses, contentType, properties, body: data.slice(at) };
    }
    const frame: Frame =
        id === 1
            ? { id, name: string(), numbers: list(number) }
            : { id: id === 2 ? id : fail(), number: number() };
    return at === data.length ? frame : fail();
}

function fail(): never {
    throw new Error("malformed frame");
}
