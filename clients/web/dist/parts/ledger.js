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
var connectFrame = (name = "", numbers = []) => asText([1, ...sized(name), numbers.length, ...numbers]);
var sizeOf = (frame) => frame.length;

// src/ledger.ts
var NOTHING_SAVED = { name: "", acknowledged: 0, settled: 0, taken: 0, ahead: [] };
var WINDOW_MAX = 4096;
var WINDOW_MAX_BYTES = 16 << 20;
var HELD_MAX = 1 << 17;
var Ledger = class {
  constructor(saved) {
    this.saved = saved;
    this.stored = { ...saved };
    this.loaded = saved.settled;
    this.handed = saved.taken;
    this.ahead = new Set(saved.ahead);
    this.maybeKnown = saved.name ? Infinity : 0;
  }
  saved;
  window = [];
  /** Key of the last entry of the store that was brought into the window. */
  loaded;
  /** Number of the last message written to the present WebSocket. */
  sent = 0;
  /** The broker may know messages up to this number. */
  maybeKnown;
  /** Number of the last message received on the present WebSocket, or resumed after. */
  received = 0;
  /** Number of the last message given to the application. */
  handed;
  ahead;
  bytes = 0;
  /** What is out of the window, but not out of the store. */
  dropped = { count: 0, bytes: 0 };
  /** What was saved last. */
  stored;
  get name() {
    return this.saved.name;
  }
  get taken() {
    return this.saved.taken;
  }
  get acknowledged() {
    return this.saved.acknowledged;
  }
  get settled() {
    return this.saved.settled;
  }
  get highest() {
    return this.acknowledged + this.window.length;
  }
  get inFlight() {
    return this.sent - this.acknowledged;
  }
  save() {
    return { ...this.saved, ahead: [...this.ahead] };
  }
  /** Calls `store` with what is to be saved; resolves with that. */
  async saveTo(store) {
    const saved = this.save();
    const { count, bytes } = this.dropped;
    await store(saved);
    this.stored = saved;
    this.dropped.count -= count;
    this.dropped.bytes -= bytes;
    return saved;
  }
  /**
   * Entries and octets that there is room for. It is counted from what is saved: so a page that finds this in the
   * store loads at least what this page may have sent.
   */
  room() {
    const count = WINDOW_MAX - this.window.length - this.dropped.count;
    const bytes = WINDOW_MAX_BYTES - this.bytes - this.dropped.bytes;
    return count > 0 && bytes > 0 ? { count, bytes } : { count: 0, bytes: 0 };
  }
  load(entries) {
    for (const entry of entries) {
      this.window.push(entry);
      this.bytes += sizeOf(entry.frame);
      this.loaded = entry.key;
    }
  }
  /** The Connect of a WebSocket that has just opened. */
  // MBWS-010, MBWS-040, MBWS-041, MBWS-042, MBWS-A04
  opening() {
    if (!this.name) return connectFrame();
    this.received = this.stored.taken;
    return connectFrame(this.name, [this.received, this.acknowledged + 1, this.highest]);
  }
  /** What the broker's Connect means. After `resumed`, sending goes on behind what the broker has. */
  // MBWS-046, MBWS-050, MBWS-A08
  answered(name, numbers) {
    const [sslr, ...more] = numbers;
    if (!name || more.length || sslr !== void 0 !== (name === this.name)) {
      throw new WharfError("protocol", "an answer to Connect that fits neither connection");
    }
    if (sslr === void 0) return this.name ? "refused" : "opened";
    if (sslr < this.acknowledged || sslr > this.highest) {
      throw new WharfError("protocol", "resumed outside the window");
    }
    this.sent = this.maybeKnown = sslr;
    return { resumed: sslr };
  }
  /** A new connection: numbers begin at 1 in both directions. What is in the window is sent on it. */
  // MBWS-031, MBWS-052
  restart(name) {
    Object.assign(this.saved, { name, acknowledged: 0, taken: 0 });
    this.ahead.clear();
    this.sent = this.maybeKnown = this.received = this.handed = 0;
    this.stored = { ...this.stored, taken: 0 };
  }
  /** What the broker may have stored without saying so. */
  get uncertain() {
    return Math.min(this.window.length, this.maybeKnown - this.acknowledged);
  }
  /** The next message to be written, which is then sent. */
  next() {
    const entry = this.window[this.inFlight];
    if (!entry) return void 0;
    this.sent += 1;
    this.maybeKnown = Math.max(this.maybeKnown, this.sent);
    return entry.frame;
  }
  /** The broker has taken responsibility for everything up to this number. Says whether that is news. */
  // MBWS-034, MBWS-A12
  release(upTo) {
    if (upTo > this.sent) throw new WharfError("protocol", "an acknowledgement of what was not sent");
    const count = upTo - this.acknowledged;
    if (count <= 0) return false;
    this.drop(count);
    this.saved.acknowledged = upTo;
    return true;
  }
  /** Takes the first entries out of the window without a number for them. */
  drop(count) {
    const gone = this.window.splice(0, count);
    for (const { key, frame } of gone) {
      const bytes = sizeOf(frame);
      this.bytes -= bytes;
      this.dropped.bytes += bytes;
      this.dropped.count += 1;
      this.saved.settled = key;
    }
    return gone;
  }
  /** Number of a message that came, or 0 if the application has had it. */
  // MBWS-026, MBWS-031
  deliver() {
    const seq = this.received += 1;
    if (seq - this.taken > HELD_MAX) throw new WharfError("protocol", "more deliveries than credit");
    if (seq <= this.handed) return 0;
    this.handed = seq;
    return this.ahead.has(seq) ? 0 : seq;
  }
  /** The application has taken a message. */
  take(seq) {
    if (seq <= this.taken) return;
    this.ahead.add(seq);
    while (this.ahead.delete(this.taken + 1)) this.saved.taken += 1;
  }
};
export {
  Ledger,
  NOTHING_SAVED
};
