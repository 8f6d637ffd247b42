// The types and frames of AMQP 1.0 (parts 1 and 2.3), as far as this page writes them; it reads
// them all. An encoded value is an array of octets.

const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder();

const wide = (number) => [number >>> 24, number >>> 16, number >>> 8, number].map((n) => n & 255);

const sized = (narrow, broad) => (octets) =>
    octets.length < 256
        ? [narrow, octets.length, ...octets]
        : [broad, ...wide(octets.length), ...octets];

const compound = (code, items) => {
    const octets = items.flat();
    return [code, ...wide(octets.length + 4), ...wide(items.length), ...octets];
};

export const nothing = [0x40];
export const bool = (is) => [is ? 0x41 : 0x42];
export const ubyte = (number) => [0x50, number];
export const ushort = (number) => [0x60, number >>> 8, number & 255];
export const uint = (number) => [0x70, ...wide(number)];
export const binary = sized(0xa0, 0xb0);
const text = sized(0xa1, 0xb1);
const name = sized(0xa3, 0xb3);
export const string = (value) => text(utf8.encode(value));
export const symbol = (value) => name(utf8.encode(value));
export const list = (...items) => compound(0xd0, items);
/** Keys and values in turn. */
export const map = (...items) => compound(0xd1, items);
export const described = (descriptor, value) => [0x00, 0x53, descriptor, ...value];
/** What the specification writes as a type of class composite: its fields in their order. */
export const composite = (descriptor, ...fields) => described(descriptor, list(...fields));

/** A value with its descriptor, which is a number here, or the name in its place. */
export class Described {
    constructor(descriptor, value) {
        Object.assign(this, { descriptor, value });
    }
}

/** Octets of fixed-width values that are no numbers: floats, decimals, uuids. Nobody asks. */
const UNREAD = new Set([0x72, 0x82, 0x74, 0x84, 0x94, 0x98]);
const SIGNED = new Set([0x51, 0x54, 0x55, 0x61, 0x71, 0x81, 0x83]);
const TEXTS = new Set([0xa1, 0xb1, 0xa3, 0xb3]);
const MAPS = new Set([0xc1, 0xd1]);
const CONSTANTS = new Map([
    [0x40, () => null],
    [0x41, () => true],
    [0x42, () => false],
    [0x43, () => 0],
    [0x44, () => 0],
    [0x45, () => []],
]);

/** Values one after the other: numbers, texts, octets, arrays, maps, null, booleans. */
export class Reader {
    constructor(octets) {
        this.octets = octets;
        this.view = new DataView(octets.buffer, octets.byteOffset, octets.length);
        this.at = 0;
    }

    get isAtEnd() {
        return this.at >= this.octets.length;
    }

    rest() {
        return this.octets.subarray(this.at);
    }

    value() {
        const code = this.#number(1);
        if (code === 0x00) return new Described(this.value(), this.value());
        return this.#ofCode(code);
    }

    // The first digit of a code says how wide its value is.
    #ofCode(code) {
        const constant = CONSTANTS.get(code);
        if (constant) return constant();
        const kind = code >> 4;
        if (kind < 0xa) return this.#fixed(code, 2 ** (kind - 5));
        const size = this.#number(kind % 2 ? 4 : 1);
        const octets = this.#take(size);
        if (kind < 0xc) return TEXTS.has(code) ? fromUtf8.decode(octets) : octets;
        const inside = new Reader(octets);
        const count = inside.#number(kind % 2 ? 4 : 1);
        if (kind >= 0xe) return inside.#array(count);
        const items = Array.from({ length: count }, () => inside.value());
        return MAPS.has(code) ? toMap(items) : items;
    }

    /** One constructor for all elements. */
    #array(count) {
        const code = this.#number(1);
        const descriptor = code === 0x00 ? this.value() : undefined;
        const element = code === 0x00 ? this.#number(1) : code;
        const items = Array.from({ length: count }, () => this.#ofCode(element));
        return descriptor === undefined
            ? items
            : items.map((item) => new Described(descriptor, item));
    }

    #fixed(code, width) {
        if (UNREAD.has(code)) return this.#take(width);
        if (code === 0x56) return this.#number(1) === 1;
        return this.#number(width, SIGNED.has(code));
    }

    #number(width, isSigned = false) {
        const { view, at } = this;
        const bits = width * 8;
        this.#take(width);
        if (bits === 64) return Number(isSigned ? view.getBigInt64(at) : view.getBigUint64(at));
        return view[`get${isSigned ? "Int" : "Uint"}${bits}`](at);
    }

    #take(length) {
        if (length > this.octets.length - this.at) throw new Error("AMQP: the end is missing");
        this.at += length;
        return this.octets.subarray(this.at - length, this.at);
    }
}

function toMap(items) {
    const pair = (_, at) => items.slice(2 * at, 2 * at + 2);
    return new Map(Array.from({ length: items.length / 2 }, pair));
}

/** What a connection, or its SASL layer, begins with. */
export const header = (isSasl) =>
    Uint8Array.from([...utf8.encode("AMQP"), isSasl ? 3 : 0, 1, 0, 0]);

const HEADER_BYTES = 8;

/** One frame on channel 0. Without a performative it says only that somebody is there. */
export const frame = (isSasl, performative = [], payload = []) => {
    const size = HEADER_BYTES + performative.length + payload.length;
    return Uint8Array.from([...wide(size), 2, Number(isSasl), 0, 0, ...performative, ...payload]);
};

/** The frames of one WebSocket message, or the protocol header that it is. */
export function* framesOf(octets) {
    if (fromUtf8.decode(octets.subarray(0, 4)) === "AMQP") return yield { isHeader: true };
    while (octets.length >= HEADER_BYTES) {
        const view = new DataView(octets.buffer, octets.byteOffset);
        const [size, begin] = [view.getUint32(0), octets[4] * 4];
        if (size > octets.length || size < HEADER_BYTES) throw new Error("AMQP: half a frame");
        const reader = new Reader(octets.subarray(begin, size));
        if (!reader.isAtEnd) {
            const { descriptor, value } = reader.value();
            yield { descriptor, fields: value, payload: reader.rest() };
        }
        octets = octets.subarray(size);
    }
}
