// Frames as traces: what is written, and what is read, octet by octet.
import assert from "node:assert/strict";
import { test } from "node:test";
import { acknowledgeFrame, connectFrame, decode, messageFrame } from "../dist/parts/frames.js";

const octets = (...parts) => Uint8Array.from(parts.flatMap((part) => (typeof part === "string" ? [...Buffer.from(part)] : part)));
const message = (body, more = {}) => ({ addresses: ["a"], contentType: "text/plain", properties: [["k", "v"]], body, ...more });

test("MBWS-010 MBWS-040 MBWS-113: Connect", () => {
    assert.equal(connectFrame(), "1 0 0 ");
    assert.equal(connectFrame("urn:mb:7", [300, 5, 9]), "1 8 urn:mb:73 300 5 9 ");
});

test("MBWS-033 MBWS-114: Acknowledge", () => assert.equal(acknowledgeFrame(300), "2 300 "));

test("MBWS-103 MBWS-115: a message in both kinds", () => {
    assert.equal(messageFrame(message("hi")), "3 1 1 a10 text/plain1 1 k1 vhi");
    const expected = octets(3, 1, 1, "a", 10, "text/plain", 1, 1, "k", 1, "v", "hi");
    assert.deepEqual(messageFrame(message(octets("hi"))), expected);
});

test("MBWS-A01: lengths are UTF-16 units, in both kinds", () => {
    const content = { addresses: ["é漢😀"], contentType: "", properties: [["😀", ""]] };
    assert.equal(messageFrame({ ...content, body: "" }), "3 1 4 é漢😀0 1 2 😀0 ");
    const binary = messageFrame({ ...content, body: octets(255, 0) });
    assert.deepEqual(binary, octets(3, 1, 4, "é漢😀", 0, 1, 2, "😀", 0, 255, 0));
    assert.deepEqual(decode(binary), { id: 3, ...content, body: octets(255, 0) });
});

test("answers are read in both kinds", () => {
    const refused = { id: 1, name: "urn:mb:7", numbers: [] };
    assert.deepEqual(decode("1 8 urn:mb:70 "), refused);
    assert.deepEqual(decode(octets(1, 8, "urn:mb:7", 0)), refused);
    const resumed = { id: 1, name: "urn:mb:7", numbers: [300] };
    assert.deepEqual(decode("1 8 urn:mb:71 300 "), resumed);
    assert.deepEqual(decode(octets(1, 8, "urn:mb:7", 1, 172, 2)), resumed);
    assert.deepEqual(decode("2 17 "), { id: 2, number: 17 });
    assert.deepEqual(decode(octets(2, 255, 255, 255, 255, 127)), { id: 2, number: 2 ** 35 - 1 });
});

test("MBWS-A16: longer forms of numbers are read", () => {
    assert.deepEqual(decode("2 007 "), { id: 2, number: 7 });
    assert.deepEqual(decode(octets(2, 0x87, 0x80, 0)), { id: 2, number: 7 });
});

test("MBWS-003: what is written is read again", () => {
    const strings = ["", "a", " 1 2 ", "ü", "漢".repeat(200), "😀".repeat(70), "\u0000", "\ufeffx"];
    for (const string of strings) {
        for (const body of [string, octets(string), octets(0, 1, 254)]) {
            const content = { addresses: [string, "b"], contentType: string, properties: [[string, string], ["", string]], body };
            assert.deepEqual(decode(messageFrame(content)), { id: 3, ...content });
        }
    }
});

test("MBWS-120 MBWS-121: what is malformed is refused before anything is made of it", () => {
    const texts = ["", "1", "1 ", "x", "4 0 ", "2 ", "2 x ", "2 1", "2 1 x", "1 0 ", "1 5 urn", "1 0 0 x", "1 0 99999999 ", "3 1 ", "3 1 9 a"];
    texts.push("2 99999999999999999999 ", "3 1 1 a0 9000000000 ", "3 999999999 ", "-1 0 ", " 1 0 0 ", "2  1 ");
    for (const text of texts) assert.throws(() => decode(text), Error, JSON.stringify(text));
    const binaries = [[], [1], [4], [2], [2, 128], [2, 1, 1], [1, 5, 97], [1, 0, 1], [3, 1], [3, 1, 2, 97], [3, 200, 200, 200, 1]];
    binaries.push([2, 255, 255, 255, 255, 255, 255, 255, 255, 1], [2, 255, 255, 255, 255, 255, 255, 255, 127]);
    // Not UTF-8, half a character, and half a pair of UTF-16.
    binaries.push([3, 1, 1, 255, 0, 0], [3, 1, 1, 0xc3], [3, 1, 1, 0xf0, 0x9f, 0x98, 0x80, 0, 0]);
    for (const binary of binaries) assert.throws(() => decode(octets(binary)), Error, JSON.stringify(binary));
});
