// The frames of MBWS, draft-hapner-hybi-messagebroker-subprotocol-02 section 4. Lengths of strings are what
// String.length says (`?unit=utf16`, MBWS-A01), so that neither side has to count anything else.
import { WharfError } from "./errors.js";

/** The name and the value of a property. Names may repeat. */
export type Property = [name: string, value: string];

/** A message with its metadata. A body of text travels as text, one of octets as octets. */
export interface Content {
    addresses: string[];
    contentType: string;
    properties: Property[];
    body: string | Uint8Array;
}

export type Frame =
    | { id: 1; name: string; numbers: number[] }
    | { id: 2; number: number }
    | ({ id: 3 } & Content);

/** A frame as it is sent: text or octets. */
export type Wire = string | Uint8Array;

const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A number is followed by a space in text and is a varint in binary; a string stands as it is. */
type Token = number | string;

const sized = (string: string): Token[] => [string.length, string];

// MBWS-110 to MBWS-115, MBWS-106
const asText = (tokens: Token[]) => tokens.map((token) => (typeof token === "string" ? token : `${token} `)).join("");

// MBWS-100 to MBWS-105
function asBinary(tokens: Token[], body: Uint8Array): Uint8Array {
    const parts = tokens.map((token) => (typeof token === "string" ? utf8.encode(token) : varint(token)));
    parts.push(body);
    const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
    let at = 0;
    for (const part of parts) {
        whole.set(part, at);
        at += part.length;
    }
    return whole;
}

function varint(value: number): Uint8Array {
    const octets = [];
    for (; value > 127; value = Math.floor(value / 128)) octets.push((value % 128) + 128);
    return Uint8Array.of(...octets, value);
}

// MBWS-010, MBWS-040
export const connectFrame = (name = "", numbers: number[] = []) =>
    asText([1, ...sized(name), numbers.length, ...numbers]);

// MBWS-033
export const acknowledgeFrame = (number: number) => asText([2, number]);

// MBWS-070
export function messageFrame({ addresses, contentType, properties, body }: Content): Wire {
    const head: Token[] = [3, addresses.length, ...addresses.flatMap(sized), ...sized(contentType)];
    head.push(properties.length, ...properties.flat().flatMap(sized));
    return typeof body === "string" ? asText(head) + body : asBinary(head, body);
}

/** Length of a frame, near enough for a bound. */
export const sizeOf = (frame: Wire) => frame.length;

interface Reader {
    number(): number;
    string(): string;
    rest(): string | Uint8Array;
    /** What is left, in units that every entry of a list takes at least one of. */
    left(): number;
}

/** Reads one WebSocket message. Throws what MBWS-120 calls malformed. */
export function decode(data: Wire): Frame {
    const reader = typeof data === "string" ? textReader(data) : binaryReader(data);
    const id = reader.number();
    if (id === 1) return ended(reader, { id, name: reader.string(), numbers: list(reader, reader.number) });
    if (id === 2) return ended(reader, { id, number: reader.number() });
    if (id !== 3) return fail("unknown frame");
    const addresses = list(reader, reader.string);
    const contentType = reader.string();
    const properties = list(reader, (): Property => [reader.string(), reader.string()]);
    return { id, addresses, contentType, properties, body: reader.rest() };
}

function ended(reader: Reader, frame: Frame): Frame {
    if (reader.left()) fail("longer than it is");
    return frame;
}

// MBWS-121: a count is held against what is there before anything is made.
function list<T>(reader: Reader, entry: () => T): T[] {
    const length = reader.number();
    if (length > reader.left()) fail("a list without its end");
    return Array.from({ length }, entry);
}

function textReader(data: string): Reader {
    const digits = /(\d+) /y;
    const reader: Reader = {
        number() {
            const found = digits.exec(data);
            const value = Number(found?.[1]);
            if (!Number.isSafeInteger(value)) fail("not a number");
            return value;
        },
        string() {
            const length = reader.number();
            const begin = digits.lastIndex;
            if (length > reader.left()) fail("a string without its end");
            digits.lastIndex += length;
            return data.slice(begin, begin + length);
        },
        rest: () => data.slice(digits.lastIndex),
        left: () => data.length - digits.lastIndex,
    };
    return reader;
}

function binaryReader(octets: Uint8Array): Reader {
    let at = 0;
    const octet = () => octets[at++] ?? fail("its end is missing");
    const reader: Reader = {
        number() {
            let value = 0;
            for (let weight = 1; weight < 2 ** 56; weight *= 128) {
                const group = octet();
                value += (group & 127) * weight;
                if (group < 128) return Number.isSafeInteger(value) ? value : fail("too large a number");
            }
            return fail("too long a number");
        },
        string() {
            let left = reader.number();
            const begin = at;
            // A character of four octets is two UTF-16 units.
            while (left > 0) {
                const first = octet();
                at += first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
                left -= first < 0xf0 ? 1 : 2;
            }
            if (left < 0 || at > octets.length) fail("a string without its end");
            try {
                return fromUtf8.decode(octets.subarray(begin, at));
            } catch {
                return fail("not UTF-8");
            }
        },
        rest: () => octets.subarray(at),
        left: () => octets.length - at,
    };
    return reader;
}

function fail(what: string): never {
    throw new WharfError("protocol", `malformed frame: ${what}`);
}
