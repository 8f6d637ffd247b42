// MBWS frames by hand, from the ABNF of draft-hapner-hybi-messagebroker-subprotocol-02 section 4. Strings in, strings or
// octets out, with nothing but what every browser has.

const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

// MBWS-A01: lengths count code points, or with ?unit=utf16 what String.length says.
const codePoints = (string) => {
    let count = 0;
    for (const _ of string) count += 1;
    return count;
};
const lengthOf = (string, unit) => (unit === "utf16" ? string.length : codePoints(string));

function textFrame(frame, unit) {
    const string = (value) => `${lengthOf(value, unit)} ${value}`;
    const list = (values, entry) => `${values.length} ${values.map(entry).join("")}`;
    if (frame.id === 1) return `1 ${string(frame.name)}${list(frame.numbers, (n) => `${n} `)}`;
    if (frame.id === 2) return `2 ${frame.number} `;
    const pairs = list(frame.properties, ([name, value]) => string(name) + string(value));
    return `3 ${list(frame.addresses, string)}${string(frame.type)}${pairs}${frame.body}`;
}

function binaryFrame(frame, unit) {
    const head = [frame.id];
    const number = (value) => {
        for (; value > 127; value = Math.floor(value / 128)) head.push((value % 128) + 128);
        head.push(value);
    };
    const string = (value) => {
        number(lengthOf(value, unit));
        for (const octet of utf8.encode(value)) head.push(octet);
    };
    const list = (values, entry) => {
        number(values.length);
        values.forEach(entry);
    };
    if (frame.id === 1) {
        string(frame.name);
        list(frame.numbers, number);
    } else if (frame.id === 2) {
        number(frame.number);
    } else {
        list(frame.addresses, string);
        string(frame.type);
        list(frame.properties, ([name, value]) => [name, value].forEach(string));
        const body = typeof frame.body === "string" ? utf8.encode(frame.body) : frame.body;
        const whole = new Uint8Array(head.length + body.length);
        whole.set(head);
        whole.set(body, head.length);
        return whole;
    }
    return Uint8Array.from(head);
}

export const connect = (name = "", numbers = []) => ({ id: 1, name, numbers });
export const acknowledge = (number) => ({ id: 2, number });
export const message = (addresses, body, properties = [], type = "") => ({ id: 3, addresses, type, properties, body });

export function encode(frame, kind, unit = "code-points") {
    return kind === "text" ? textFrame(frame, unit) : binaryFrame(frame, unit);
}

// What is common to both kinds of reader: `number` and `string` are theirs.
function read(id, reader) {
    const list = (entry) => Array.from({ length: reader.number() }, entry);
    if (id === 1) return connect(reader.string(), list(reader.number));
    if (id === 2) return acknowledge(reader.number());
    if (id !== 3) throw new Error(`unknown frame id ${id}`);
    const addresses = list(reader.string);
    const type = reader.string();
    const properties = list(() => [reader.string(), reader.string()]);
    return message(addresses, reader.rest(), properties, type);
}

function decodeText(data, unit) {
    let at = 2;
    const number = () => {
        const end = data.indexOf(" ", at);
        const digits = data.slice(at, end);
        if (end < 0 || !/^[0-9]+$/.test(digits)) throw new Error(`no number at ${at}`);
        at = end + 1;
        return Number(digits);
    };
    const string = () => {
        let left = number();
        const begin = at;
        if (unit === "utf16") at += left;
        else for (; left > 0; left -= 1) at += data.codePointAt(at) > 0xffff ? 2 : 1;
        if (at > data.length) throw new Error("the frame ends inside a string");
        return data.slice(begin, at);
    };
    if (data[1] !== " ") throw new Error("no space after the frame id");
    return read(Number(data[0]), { number, string, rest: () => data.slice(at) });
}

function decodeBinary(octets, unit) {
    let at = 1;
    const number = () => {
        let value = 0;
        for (let group = 0; group < 8; group += 1) {
            const octet = octets[at];
            if (octet === undefined) throw new Error("the frame ends inside a number");
            at += 1;
            value += (octet % 128) * 128 ** group;
            if (octet < 128) return value;
        }
        throw new Error("a number of more than eight octets");
    };
    const string = () => {
        let left = number();
        const begin = at;
        while (left > 0) {
            const size = octets[at] < 0x80 ? 1 : octets[at] < 0xe0 ? 2 : octets[at] < 0xf0 ? 3 : 4;
            at += size;
            left -= unit === "utf16" && size === 4 ? 2 : 1;
        }
        if (left < 0 || at > octets.length) throw new Error("the frame ends inside a string");
        return fromUtf8.decode(octets.subarray(begin, at));
    };
    return read(octets[0], { number, string, rest: () => octets.slice(at) });
}

export function decode(data, unit = "code-points") {
    return typeof data === "string" ? decodeText(data, unit) : decodeBinary(new Uint8Array(data), unit);
}
