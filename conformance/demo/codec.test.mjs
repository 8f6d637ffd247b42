// The codec of the AMQP pane, held against octets from the standard (part 1, section 1.6).
import assert from "node:assert/strict";
import { test } from "node:test";
import * as to from "../../crates/server/assets/demo/amqp-codec.js";

const octets = (hex) => Uint8Array.from(hex.replaceAll(" ", "").match(/../g), (two) => `0x${two}`);
const read = (hex) => {
    const reader = new to.Reader(octets(hex));
    const value = reader.value();
    assert.ok(reader.isAtEnd, hex);
    return value;
};

test("constants and numbers", () => {
    const table = [
        ["40", null],
        ["41", true],
        ["42", false],
        ["56 01", true],
        ["56 00", false],
        ["43", 0],
        ["44", 0],
        ["50 ff", 255],
        ["51 ff", -1],
        ["52 07", 7],
        ["53 77", 0x77],
        ["54 80", -128],
        ["60 01 00", 256],
        ["61 ff fe", -2],
        ["70 ff ff ff ff", 4_294_967_295],
        ["71 ff ff ff ff", -1],
        ["80 00 00 00 01 00 00 00 00", 4_294_967_296],
        ["81 ff ff ff ff ff ff ff ff", -1],
        ["83 00 00 01 8b cf e5 68 00", 1_700_000_000_000],
    ];
    for (const [hex, value] of table) assert.equal(read(hex), value, hex);
});

test("texts, octets, lists, maps, arrays, descriptors", () => {
    assert.equal(read("a1 03 66 c3 bc"), "fü");
    assert.equal(read("b1 00 00 00 01 61"), "a");
    assert.equal(read("a3 01 61"), "a");
    assert.deepEqual(read("a0 02 01 02"), octets("01 02"));
    assert.deepEqual(read("45"), []);
    assert.deepEqual(read("c0 03 02 40 41"), [null, true]);
    assert.deepEqual(read("d0 00 00 00 05 00 00 00 01 41"), [true]);
    assert.deepEqual(read("c1 05 02 a1 01 6b 41"), new Map([["k", true]]));
    assert.deepEqual(read("e0 06 02 a3 01 61 01 62"), ["a", "b"]);
    assert.deepEqual(read("f0 00 00 00 07 00 00 00 02 50 07 08"), [7, 8]);
    assert.deepEqual(read("00 53 24 45"), new to.Described(0x24, []));
    assert.deepEqual(read("98 00112233445566778899aabbccddeeff").length, 16);
});

test("what is written is read again", () => {
    const long = "x".repeat(300);
    const written = to.composite(
        0x10,
        to.string(long),
        to.symbol("s"),
        to.nothing,
        to.uint(4_294_967_295),
        to.ushort(65_535),
        to.ubyte(3),
        to.map(to.string("k"), to.bool(true)),
        to.binary([1, 2]),
    );
    const { descriptor, value } = new to.Reader(Uint8Array.from(written)).value();
    assert.equal(descriptor, 0x10);
    const map = new Map([["k", true]]);
    const expected = [long, "s", null, 4_294_967_295, 65_535, 3, map, octets("01 02")];
    assert.deepEqual(value, expected);
});

test("frames, several in one message, with a heartbeat between them", () => {
    const end = to.frame(false, to.composite(0x17));
    const transfer = to.frame(false, to.composite(0x14, to.uint(0)), [1, 2, 3]);
    const message = Uint8Array.from([...end, ...to.frame(false), ...transfer]);
    const frames = [...to.framesOf(message)];
    assert.deepEqual(frames.map(({ descriptor }) => descriptor), [0x17, 0x14]);
    assert.deepEqual([...frames[1].payload], [1, 2, 3]);
    assert.deepEqual([...to.framesOf(to.header(true))], [{ isHeader: true }]);
    assert.deepEqual([...to.header(true)], [...octets("41 4d 51 50 03 01 00 00")]);
});

test("what is cut short is refused", () => {
    for (const hex of ["a1", "a1 03 66", "70 00", "d0 00 00 00 05 00 00 00 01"]) {
        assert.throws(() => new to.Reader(octets(hex)).value(), hex);
    }
    const half = to.frame(false, to.composite(0x17)).subarray(0, 9);
    assert.throws(() => [...to.framesOf(half)], /half a frame/);
});
