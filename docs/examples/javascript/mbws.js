// MBWS in text frames, for a WebSocket whose URL has `unit=utf16`: the length of a string is then
// what JavaScript calls its length.
const string = (text) => `${text.length} ${text}`;

/** The frame of a message to one address. */
export function message(address, body, { type = "text/plain", properties = {} } = {}) {
    const pairs = Object.entries(properties);
    const list = pairs.map(([name, value]) => string(name) + string(value)).join("");
    return `3 1 ${string(address)}${string(type)}${pairs.length} ${list}${body}`;
}

/** What a frame of the broker says. A message: address, type, properties and body. */
export function parse(frame) {
    let at = 0;
    const number = () => {
        const from = at;
        at = frame.indexOf(" ", from) + 1;
        return Number(frame.slice(from, at));
    };
    const text = () => {
        const length = number();
        return frame.slice(at, (at += length));
    };
    const kind = number();
    if (kind === 1) return { kind: "connect", name: text() };
    if (kind === 2) return { kind: "acknowledge", number: number() };
    number(); // How many addresses follow: it is one.
    const [address, type] = [text(), text()];
    const properties = [];
    for (let left = number(); left > 0; left -= 1) properties.push([text(), text()]);
    return { kind: "message", address, type, properties, body: frame.slice(at) };
}
