import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { bytes, counted, moment, rate, relative, span } = await source("words.ts");
const { diff } = await source("diff.ts");

test("sizes change their unit before they have four digits", () => {
    const shown = [0, 999, 1000, 99_949, 99_951, 999_499, 999_500, 1.5e12].map(bytes);
    assert.deepEqual(shown, [
        "0 B",
        "999 B",
        "1.0 kB",
        "99.9 kB",
        "100 kB",
        "999 kB",
        "1.0 MB",
        "1.5 TB",
    ]);
});

test("lengths of time have two units at most", () => {
    const shown = [-5, 0, 999, 1000, 61_000, 3_600_000, 3_605_000, 90_061_000].map(span);
    assert.deepEqual(shown, [
        "0 ms",
        "0 ms",
        "999 ms",
        "1 s",
        "1 min 1 s",
        "1 h",
        "1 h",
        "1 d 1 h",
    ]);
});

test("times are told from now", () => {
    assert.equal(relative(1000, 1500), "now");
    assert.equal(relative(0, 65_000), "1 min 5 s ago");
    assert.equal(relative(7_200_000, 0), "in 2 h");
    const now = new Date(2026, 10, 27, 3, 4, 5).getTime();
    assert.equal(moment(now), "2026-11-27 03:04:05");
});

test("numbers have their noun", () => {
    const nouns = ["message", "policy", "address", "delivery"];
    assert.deepEqual(
        nouns.map((noun) => counted(2000, noun)),
        ["2,000 messages", "2,000 policies", "2,000 addresses", "2,000 deliveries"],
    );
    assert.equal(counted(1, "policy"), "1 policy");
    assert.deepEqual([0, 0.25, 9.94, 9.96, 1234.5].map(rate), ["0", "0.3", "9.9", "10", "1,235"]);
});

/** What a difference says, as text, and what it was made of. */
function told(before, after) {
    const lines = diff([...before], [...after]);
    const side = (sign) =>
        lines
            .filter((line) => line.sign !== sign)
            .map(({ text }) => text)
            .join("");
    assert.equal(side("+"), before);
    assert.equal(side("-"), after);
    return lines.map(({ sign, text }) => sign + text).join("");
}

test("a difference keeps what is in both", () => {
    assert.equal(told("abc", "abc"), " a b c");
    assert.equal(told("abc", "axc"), " a-b+x c");
    assert.equal(told("", "ab"), "+a+b");
    assert.equal(told("ab", ""), "-a-b");
    assert.equal(told("abcd", "bd"), "-a b-c d");
    assert.equal(told("bd", "abcd"), "+a b+c d");
    assert.equal(told("xaby", "aby"), "-x a b y");
});
