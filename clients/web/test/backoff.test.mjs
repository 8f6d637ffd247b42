import assert from "node:assert/strict";
import { test } from "node:test";
import { hintMs, pauseMs } from "../dist/parts/turns.js";

const longest = (failures, hint = 0) => pauseMs(failures, hint, 500, 30_000, () => 1);
const shortest = (failures, hint = 0) => pauseMs(failures, hint, 500, 30_000, () => 0);

test("pauses double up to a bound, with full jitter", () => {
    const pauses = [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000];
    assert.deepEqual(
        pauses.map((_, failures) => longest(failures)),
        pauses,
    );
    assert.equal(longest(5000), 30_000);
    assert.deepEqual([shortest(0), shortest(5000)], [0, 0]);
    const random = pauseMs(3, 0, 500, 30_000);
    assert.ok(random >= 0 && random < 4000);
});

test("what the broker asks for is the least, and the crowd is spread behind it", () => {
    assert.deepEqual([shortest(0, 10_000), longest(0, 10_000)], [10_000, 20_000]);
    assert.equal(longest(0, 60_000), 90_000);
});

test("a hint is found in a close reason", () => {
    assert.equal(hintMs("retry-after=7"), 7000);
    assert.equal(hintMs("restarting; Retry-After=2"), 2000);
    assert.equal(hintMs("retry-after=99999999"), 3_600_000);
    for (const reason of ["", "7", "retry-after=", "retry-after=-1", "xretry-after=5"]) {
        assert.equal(hintMs(reason), 0);
    }
});
