import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff, hintMs } from "../dist/parts/backoff.js";

test("pauses double up to a bound, with full jitter", () => {
    const longest = new Backoff(500, 30_000, () => 1);
    assert.deepEqual(Array.from({ length: 9 }, () => longest.nextMs()), [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    const shortest = new Backoff(500, 30_000, () => 0);
    assert.deepEqual([shortest.nextMs(), shortest.nextMs()], [0, 0]);
    longest.reset();
    assert.equal(longest.nextMs(), 500);
});

test("what the broker asks for is the least, and the crowd is spread behind it", () => {
    const [first, last] = [new Backoff(500, 30_000, () => 0), new Backoff(500, 30_000, () => 1)];
    assert.deepEqual([first.nextMs(10_000), last.nextMs(10_000)], [10_000, 20_000]);
    assert.equal(new Backoff(500, 30_000, () => 1).nextMs(60_000), 90_000);
});

test("a hint is found in a close reason", () => {
    assert.equal(hintMs("retry-after=7"), 7000);
    assert.equal(hintMs("restarting; Retry-After=2"), 2000);
    assert.equal(hintMs("retry-after=99999999"), 3_600_000);
    for (const reason of ["", "7", "retry-after=", "retry-after=-1", "xretry-after=5"]) assert.equal(hintMs(reason), 0);
});
