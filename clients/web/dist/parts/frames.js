// src/errors.ts
var WharfError = class extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
  code;
  name = "WharfError";
};

// src/frames.ts
var utf8 = new TextEncoder();
var fromUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
var sized = (string) => [string.length, string];
var asText = (tokens) => tokens.map((token) => typeof token === "string" ? token : `${token} `).join("");
function asBinary(tokens, body) {
  const parts = tokens.map((token) => typeof token === "string" ? utf8.encode(token) : varint(token));
  parts.push(body);
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
function varint(value) {
  const octets = [];
  for (; value > 127; value = Math.floor(value / 128)) octets.push(value % 128 + 128);
  return Uint8Array.of(...octets, value);
}
var connectFrame = (name = "", numbers = []) => asText([1, ...sized(name), numbers.length, ...numbers]);
var acknowledgeFrame = (number) => asText([2, number]);
function messageFrame({ addresses, contentType, properties, body }) {
  const head = [3, addresses.length, ...addresses.flatMap(sized), ...sized(contentType)];
  head.push(properties.length, ...properties.flat().flatMap(sized));
  return typeof body === "string" ? asText(head) + body : asBinary(head, body);
}
var sizeOf = (frame) => frame.length;
function decode(data) {
  const reader = typeof data === "string" ? textReader(data) : binaryReader(data);
  const id = reader.number();
  if (id === 1) return ended(reader, { id, name: reader.string(), numbers: list(reader, reader.number) });
  if (id === 2) return ended(reader, { id, number: reader.number() });
  if (id !== 3) return fail("unknown frame");
  const addresses = list(reader, reader.string);
  const contentType = reader.string();
  const properties = list(reader, () => [reader.string(), reader.string()]);
  return { id, addresses, contentType, properties, body: reader.rest() };
}
function ended(reader, frame) {
  if (reader.left()) fail("longer than it is");
  return frame;
}
function list(reader, entry) {
  const length = reader.number();
  if (length > reader.left()) fail("a list without its end");
  return Array.from({ length }, entry);
}
function textReader(data) {
  const digits = /(\d+) /y;
  const reader = {
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
    left: () => data.length - digits.lastIndex
  };
  return reader;
}
function binaryReader(octets) {
  let at = 0;
  const octet = () => octets[at++] ?? fail("its end is missing");
  const reader = {
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
      while (left > 0) {
        const first = octet();
        at += first < 128 ? 0 : first < 224 ? 1 : first < 240 ? 2 : 3;
        left -= first < 240 ? 1 : 2;
      }
      if (left < 0 || at > octets.length) fail("a string without its end");
      try {
        return fromUtf8.decode(octets.subarray(begin, at));
      } catch {
        return fail("not UTF-8");
      }
    },
    rest: () => octets.subarray(at),
    left: () => octets.length - at
  };
  return reader;
}
function fail(what) {
  throw new WharfError("protocol", `malformed frame: ${what}`);
}
export {
  acknowledgeFrame,
  connectFrame,
  decode,
  messageFrame,
  sizeOf
};
