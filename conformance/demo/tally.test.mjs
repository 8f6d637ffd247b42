// The counters of the page, which would be worth nothing if they could not show a fault.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Tally } from "../../crates/server/assets/demo/tally.js";

const counts = ({ received, repeated, duplicated, lost }) => [received, repeated, duplicated, lost];

function after(...taken) {
    const tally = new Tally();
    for (const [id, again = false] of taken) tally.take(id, again);
    return tally;
}

test("messages in order are received", () => {
    assert.deepEqual(counts(after(["a-1"], ["a-2"], ["b-1"])), [3, 0, 0, 0]);
});

test("a gap is a loss until it is filled", () => {
    assert.deepEqual(counts(after(["a-1"], ["a-4"])), [2, 0, 0, 2]);
    assert.deepEqual(counts(after(["a-1"], ["a-4"], ["a-3"], ["a-2"])), [4, 0, 0, 0]);
    assert.deepEqual(counts(after(["a-2"])), [1, 0, 0, 1]);
});

test("a second copy is a duplicate, unless one of the two says that it is a copy", () => {
    assert.deepEqual(counts(after(["a-1"], ["a-1"])), [1, 0, 1, 0]);
    assert.deepEqual(counts(after(["a-1"], ["a-1", true])), [1, 1, 0, 0]);
    assert.deepEqual(counts(after(["a-1", true], ["a-1"])), [1, 1, 0, 0]);
    assert.deepEqual(counts(after(["a-1"], ["a-1"], ["a-1", true])), [1, 1, 1, 0]);
});

test("what has no number is none of ours", () => {
    const strange = [[undefined], [null], [""], ["a"], ["a-0"], ["a-1x"], ["a-99999999999"]];
    assert.deepEqual(counts(after(...strange)), [0, 0, 0, 0]);
});

test("what a sender knows to be on disk and a reader has not is missing", () => {
    const tally = after(["a-1"], ["a-3"]);
    assert.equal(tally.missingOf("a", 5), 3);
    assert.equal(tally.missingOf("a", 2), 0);
    assert.equal(tally.missingOf("b", 2), 2);
});
