// src/backoff.ts
var Backoff = class {
  constructor(firstMs, maxMs, random = Math.random) {
    this.firstMs = firstMs;
    this.maxMs = maxMs;
    this.random = random;
  }
  firstMs;
  maxMs;
  random;
  failures = 0;
  get attempts() {
    return this.failures;
  }
  /** The next pause. Not shorter than `hintMs`, which is what the broker asks for; the crowd is spread behind it. */
  nextMs(hintMs2 = 0) {
    const spreadMs = Math.min(this.maxMs, Math.max(hintMs2, this.firstMs * 2 ** this.failures));
    this.failures += 1;
    return hintMs2 + this.random() * spreadMs;
  }
  reset() {
    this.failures = 0;
  }
};
var HINT_MAX_S = 3600;
var hintMs = (reason) => Math.min(HINT_MAX_S, Number(/\bretry-after=(\d{1,9})\b/i.exec(reason)?.[1] ?? 0)) * 1e3;
export {
  Backoff,
  hintMs
};
