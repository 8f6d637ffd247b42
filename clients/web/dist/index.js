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

// src/link.ts
var PROTOCOL = "MBWS.huawei.com";
var ABANDONED = 4e3;
var SENDING_MS = 5e3;
var Link = class {
  constructor(SocketClass, url, listener) {
    this.listener = listener;
    const socket = this.socket = new SocketClass(url, PROTOCOL);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => listener.opened();
    socket.onmessage = ({ data }) => {
      this.dueAt = Infinity;
      listener.received(data);
    };
    socket.onerror = () => {
    };
    socket.onclose = ({ code, reason }) => {
      this.end({ code, reason });
    };
    socket.on?.("unexpected-response", (request, { statusCode, headers }) => {
      this.end({ code: 1006, status: statusCode, reason: `retry-after=${headers["retry-after"] ?? 0}` });
      request.destroy();
    });
  }
  listener;
  socket;
  timer;
  timerAt = 0;
  dueAt = Infinity;
  buffered = 0;
  send(frame) {
    this.socket.send(frame);
  }
  /** Something must come within this time. What is still being sent extends it. */
  expect(ms) {
    const dueAt = Date.now() + ms;
    if (dueAt >= this.dueAt) return;
    this.dueAt = dueAt;
    this.buffered = this.socket.bufferedAmount;
    if (this.timer === void 0 || dueAt < this.timerAt) this.arm(dueAt);
  }
  arm(at) {
    clearTimeout(this.timer);
    this.timerAt = at;
    const ms = at - Date.now();
    this.timer = setTimeout(() => {
      this.timer = void 0;
      const { bufferedAmount } = this.socket;
      const isSending = bufferedAmount > 0 && bufferedAmount < this.buffered;
      if (this.dueAt > Date.now()) {
        if (this.dueAt < Infinity) this.arm(this.dueAt);
      } else if (isSending) {
        this.dueAt = Infinity;
        this.expect(Math.max(ms, SENDING_MS));
      } else {
        this.abandon();
      }
    }, ms);
  }
  stopTimer() {
    clearTimeout(this.timer);
    this.timer = void 0;
    this.dueAt = Infinity;
  }
  /** Gives the WebSocket up, as lost. */
  abandon() {
    this.close(ABANDONED);
    this.end({ code: 0, reason: "the broker does not answer" });
  }
  /** Says goodbye. `lost` is not called any more; resolves when the broker has answered, or after this time. */
  close(code, waitMs = 0) {
    const { socket } = this;
    this.stopTimer();
    socket.onopen = socket.onmessage = null;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      socket.onclose = () => {
        clearTimeout(timer);
        resolve();
      };
      socket.close(code);
    });
  }
  end(loss) {
    this.stopTimer();
    this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
    this.listener.lost(loss);
  }
};

// src/saving.ts
var Saving = class {
  constructor(write, failed) {
    this.write = write;
    this.failed = failed;
  }
  write;
  failed;
  running = Promise.resolve();
  next;
  /** Resolves when everything that has changed until now is saved. */
  soon() {
    if (!this.next) {
      const next = this.running.then(() => {
        this.running = next;
        this.next = void 0;
        return this.write();
      });
      next.catch(this.failed);
      this.next = next;
    }
    return this.next;
  }
  /** Resolves when nothing is being saved. */
  async idle() {
    await (this.next ?? this.running).catch(() => {
    });
  }
};

// src/conversation.ts
var REFUSALS = [1002, 1003, 1007, 1008, 1009];
var TAKEN_OVER = 4001;
var VIOLATION = 4002;
var ABANDONED2 = 4e3;
var TRY_LATER = 1013;
var TRY_LATER_MS = 1e3;
var PERMANENT = [400, 401, 403, 404, 426];
var GOOD_MS = 1e4;
var Conversation = class {
  constructor(store, settings, audience) {
    this.store = store;
    this.settings = settings;
    this.audience = audience;
    this.saving = new Saving(
      () => this.save(),
      (error) => this.end(new WharfError("storage", String(error)))
    );
  }
  store;
  settings;
  audience;
  ledger;
  /** Counts connections: what came on an earlier one is acknowledged no more. */
  generation = 0;
  link;
  /** The broker has answered Connect. */
  isAnswered = false;
  /** Messages may be sent. */
  isOpen = false;
  isStopped = false;
  openedAt = 0;
  pause;
  heart;
  heardAt = 0;
  isMore = false;
  filling;
  told = 0;
  saving;
  /** Up to this number, one message at a time: the broker closes the connection over one of them. */
  suspectUpTo = 0;
  /** The one that was alone on its way when it did so again, and what it said. */
  culprit;
  /** Begins, or begins again after `stop`. */
  async start() {
    try {
      const saved = await this.store.load();
      const isOurs = this.ledger && JSON.stringify(saved) === JSON.stringify(this.ledger.save());
      if (!isOurs) {
        this.ledger = new Ledger(saved);
        this.generation += 1;
        this.told = 0;
        this.audience.renewed();
      }
      this.audience.settled(saved.settled);
    } catch (error) {
      return this.end(new WharfError("storage", String(error)));
    }
    this.isStopped = false;
    await this.fill();
    await this.connect();
  }
  /** Leaves the connection to be recovered, by this tab or another. */
  async stop() {
    this.silence();
    await this.filling;
    await this.saving.idle();
  }
  /** Ends the connection for good: what is unacknowledged goes back to its addresses. */
  // MBWS-015
  async finish(waitMs) {
    await this.saving.idle();
    const { link } = this;
    this.link = void 0;
    this.isOpen = false;
    await link?.close(1e3, waitMs);
    await this.stop();
  }
  silence() {
    this.isStopped = true;
    this.isOpen = this.isAnswered = false;
    clearTimeout(this.pause);
    clearInterval(this.heart);
    void this.link?.close(ABANDONED2);
    this.link = void 0;
  }
  end(error) {
    if (this.isStopped) return;
    this.silence();
    this.audience.ended(error);
  }
  async connect() {
    this.pause = void 0;
    let url;
    try {
      url = await this.settings.target();
    } catch (error) {
      if (error instanceof WharfError) return this.end(error);
      return this.lost({ code: 0, reason: String(error) });
    }
    if (this.isStopped || this.link) return;
    try {
      const link = new Link(this.settings.WebSocket, url, {
        opened: () => link.send(this.ledger.opening()),
        received: (data) => this.received(data),
        lost: (loss) => this.lost(loss)
      });
      link.expect(this.settings.answerTimeoutMs);
      this.link = link;
    } catch (error) {
      this.end(new WharfError("refused", String(error)));
    }
  }
  /** Something may have changed: the network, or the page was asleep. */
  wake() {
    if (this.pause !== void 0) {
      clearTimeout(this.pause);
      this.settings.backoff.reset();
      void this.connect();
    } else if (this.isOpen) {
      this.beat(true);
      this.link?.expect(this.settings.answerTimeoutMs / 4);
    }
  }
  /** A browser does not say when a WebSocket is dead: something is asked that is answered. */
  beat(isAwake = false) {
    if (!this.ledger.inFlight) this.audience.probe(isAwake);
  }
  received(data) {
    this.heardAt = Date.now();
    try {
      this.handle(decode(typeof data === "string" ? data : new Uint8Array(data)));
    } catch (error) {
      void this.link?.close(VIOLATION);
      this.end(error instanceof WharfError ? error : new WharfError("protocol", String(error)));
    }
    this.await();
  }
  await() {
    if (this.ledger.inFlight > 0) this.link?.expect(this.settings.answerTimeoutMs);
  }
  handle(frame) {
    if (frame.id === 1) {
      if (this.isAnswered) throw new WharfError("protocol", "a second Connect");
      return void this.answered(frame.name, this.ledger.answered(frame.name, frame.numbers));
    }
    if (!this.isAnswered) throw new WharfError("protocol", "a frame before Connect");
    if (frame.id === 2) return this.release(frame.number);
    if (frame.addresses.length !== 1) throw new WharfError("protocol", "a delivery from many addresses");
    const seq = this.ledger.deliver();
    if (!seq) return;
    this.settings.backoff.reset();
    this.audience.delivered({ content: frame, seq, name: this.ledger.name });
  }
  async answered(name, answer) {
    this.isAnswered = true;
    this.openedAt = Date.now();
    if (typeof answer === "object") {
      this.release(answer.resumed);
      this.dropCulprit();
      return this.begin("recovered");
    }
    const { link } = this;
    const uncertain = answer === "refused" ? this.giveUp() : void 0;
    this.ledger.restart(name);
    this.generation += 1;
    this.suspectUpTo = 0;
    this.culprit = void 0;
    this.audience.renewed();
    if (uncertain) this.audience.lost(uncertain);
    await this.saving.soon().catch(() => {
    });
    if (this.link === link && !this.isStopped) this.begin("open");
  }
  begin(state) {
    this.isOpen = true;
    this.told = state === "open" ? 0 : this.told;
    this.audience.open(state);
    const { heartbeatMs } = this.settings;
    const listen = () => Date.now() - this.heardAt >= heartbeatMs && this.beat();
    if (heartbeatMs) this.heart = setInterval(listen, heartbeatMs / 2);
    this.flush();
    void this.fill();
  }
  /** Nobody knows whether the broker has these. */
  // MBWS-023
  giveUp() {
    const count = this.ledger.uncertain;
    const uncertain = this.ledger.window.slice(0, count).map(({ frame }) => decode(frame));
    if (this.settings.uncertain === "reject") {
      const error = new WharfError("uncertain", "the connection is gone; the broker may have stored this or not");
      for (const { key } of this.ledger.drop(count)) this.audience.failed(key, error);
    }
    return uncertain;
  }
  dropCulprit() {
    const { culprit } = this;
    this.culprit = void 0;
    if (culprit?.seq !== this.ledger.acknowledged + 1) return;
    this.suspectUpTo -= 1;
    for (const { key } of this.ledger.drop(1)) {
      this.audience.failed(key, new WharfError("refused", culprit.reason));
    }
    void this.saving.soon();
  }
  // MBWS-034
  release(upTo) {
    if (!this.ledger.release(upTo)) return;
    this.settings.backoff.reset();
    this.audience.settled(this.ledger.settled);
    void this.saving.soon();
    this.flush();
  }
  /** Brings what waits in the store into the window, in its order. */
  fill() {
    this.isMore = true;
    this.filling ??= this.fillNow().catch((error) => this.end(new WharfError("storage", String(error))));
    return this.filling;
  }
  async fillNow() {
    await void 0;
    while (this.isMore && !this.isStopped) {
      this.isMore = false;
      const { count, bytes } = this.ledger.room();
      if (!count) break;
      const entries = await this.store.read(this.ledger.loaded, count, bytes);
      if (this.isStopped) break;
      this.ledger.load(entries);
      this.isMore ||= entries.length > 0;
      this.flush();
    }
    this.filling = void 0;
  }
  flush() {
    if (!this.isOpen || !this.link) return;
    const { ledger, link } = this;
    while (ledger.acknowledged >= this.suspectUpTo || ledger.inFlight < 1) {
      const frame = ledger.next();
      if (frame === void 0) break;
      link.send(frame);
    }
    this.await();
  }
  async save() {
    const { taken, name } = await this.ledger.saveTo((saved) => this.store.save(saved));
    void this.fill();
    if (!this.isOpen || name !== this.ledger.name || taken <= this.told) return;
    this.told = taken;
    this.link?.send(acknowledgeFrame(taken));
  }
  /** The application has taken a delivery. False if it will come again: its connection is gone. */
  async take(seq, generation) {
    if (this.isStopped || generation !== this.generation) return false;
    this.ledger.take(seq);
    await this.saving.soon();
    return true;
  }
  lost(loss) {
    const wasAnswered = this.isAnswered;
    this.link = void 0;
    this.isOpen = this.isAnswered = false;
    clearInterval(this.heart);
    if (this.isStopped) return;
    const error = this.judge(loss, wasAnswered);
    if (error) return this.end(error);
    const { backoff } = this.settings;
    if (wasAnswered && Date.now() - this.openedAt > GOOD_MS) backoff.reset();
    const pauseMs = backoff.nextMs(hintMs(loss.reason) || (loss.code === TRY_LATER ? TRY_LATER_MS : 0));
    this.pause = setTimeout(() => this.connect(), pauseMs);
    const reason = loss.status ? `HTTP ${loss.status}` : loss.reason || `closed with ${loss.code}`;
    this.audience.waiting({ attempt: backoff.attempts, pauseMs, reason });
  }
  /** Why another WebSocket would end like this one; undefined if it need not. */
  // MBWS-A09
  judge({ code, reason, status = 0 }, wasAnswered) {
    if (code === TAKEN_OVER) return new WharfError("taken-over", reason);
    if (PERMANENT.includes(status) && !this.settings.renews) {
      return new WharfError("unauthorized", `the broker answers with HTTP ${status}`);
    }
    if (!REFUSALS.includes(code) || this.audience.blamed(reason)) return void 0;
    if (!wasAnswered || !this.ledger.inFlight) return new WharfError("refused", reason || `closed with ${code}`);
    const { acknowledged, sent } = this.ledger;
    if (acknowledged < this.suspectUpTo) this.culprit = { seq: acknowledged + 1, reason };
    else this.suspectUpTo = sent;
    return void 0;
  }
};

// src/delivery.ts
var utf82 = new TextEncoder();
var fromUtf82 = new TextDecoder();
var Delivery = class {
  /** @internal */
  constructor({ addresses, contentType, properties, body }, id, taken) {
    this.id = id;
    this.taken = taken;
    this.address = addresses[0];
    this.contentType = contentType;
    this.properties = properties;
    this.body = body;
  }
  id;
  taken;
  /** The address that it came from. */
  address;
  contentType;
  /** In their order; names may repeat. */
  properties;
  /** Text if it was sent as text, else octets. */
  body;
  text() {
    return typeof this.body === "string" ? this.body : fromUtf82.decode(this.body);
  }
  json() {
    return JSON.parse(this.text());
  }
  bytes() {
    return typeof this.body === "string" ? utf82.encode(this.body) : this.body;
  }
  /** The first property of this name. */
  property(name) {
    return this.properties.find(([known]) => known === name)?.[1];
  }
  /**
   * The message is dealt with and never comes again; with `persist`, not to a later page either. Resolves with
   * `false` if it does come again, since its connection was lost meanwhile.
   */
  ack() {
    return this.taken();
  }
};

// src/inbox.ts
var DONE = { done: true, value: void 0 };
var Inbox = class {
  /** What its reader asked for; undefined without a reader. */
  wish;
  /** Came and was not read. The broker sends no more than its credit. */
  unread = [];
  readers = [];
  get count() {
    return this.unread.length;
  }
  push(delivery) {
    const reader = this.readers.shift();
    if (reader) reader.resolve({ value: delivery });
    else this.unread.push(delivery);
  }
  /** What came on a connection that is gone comes again. */
  forget() {
    this.unread.length = 0;
  }
  /** For the reader that asked for this. */
  next(wish) {
    return new Promise((resolve, reject) => {
      if (wish.error) return reject(wish.error);
      if (wish !== this.wish) return resolve(DONE);
      const value = this.unread.shift();
      if (value) resolve({ value });
      else this.readers.push({ resolve, reject });
    });
  }
  begin(wish) {
    this.wish = wish;
  }
  /** Nothing more for this reader. What is unread waits for the next one. */
  end(error) {
    if (this.wish) this.wish.error = error;
    this.wish = void 0;
    for (const { resolve, reject } of this.readers.splice(0)) {
      if (error) reject(error);
      else resolve(DONE);
    }
  }
};

// src/options.ts
function settingsOf(base, options) {
  const { token } = options;
  const WebSocket = options.WebSocket ?? globalThis.WebSocket;
  if (!WebSocket) throw new TypeError("there is no WebSocket here: pass one, such as that of the package ws");
  const url = new URL(base, globalThis.location?.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.searchParams.set("unit", "utf16");
  const backoff = new Backoff(options.retryFirstMs ?? 500, options.retryMaxMs ?? 3e4);
  return {
    WebSocket,
    backoff,
    renews: typeof token === "function",
    uncertain: options.uncertain ?? (options.persist ? "resend" : "reject"),
    answerTimeoutMs: options.answerTimeoutMs ?? 2e4,
    heartbeatMs: options.heartbeatMs ?? 6e4,
    async target() {
      const given = typeof token === "function" ? await token() : token;
      if (given) logIn(url, given);
      return url.href;
    }
  };
}
function logIn(url, token) {
  const colon = token.indexOf(":");
  if (colon < 0) throw new WharfError("unauthorized", "a token is NAME:PASSWORD");
  url.username = encodeURIComponent(token.slice(0, colon));
  url.password = encodeURIComponent(token.slice(colon + 1));
}

// src/outbox.ts
var EARLY_MAX = 256;
var Outbox = class {
  /** `added` is called when there is something new in the store. */
  constructor(store, added) {
    this.store = store;
    this.added = added;
  }
  store;
  added;
  /** In the order of their keys. */
  waiting = /* @__PURE__ */ new Map();
  adding = [];
  isAdding = false;
  settledKey = 0;
  early = /* @__PURE__ */ new Map();
  idle = [];
  error;
  /** Messages that the broker does not have for all this page knows. */
  get size() {
    return this.waiting.size + this.adding.length;
  }
  /** Resolves when the broker has it. Those of one page arrive in the order of these calls. */
  add(frame) {
    return new Promise((resolve, reject) => {
      if (this.error) return reject(this.error);
      this.adding.push({ frame, resolve, reject });
      void this.addAll();
    });
  }
  async addAll() {
    if (this.isAdding) return;
    this.isAdding = true;
    await void 0;
    while (this.adding.length) {
      const batch = this.adding;
      this.adding = [];
      try {
        const keys = await this.store.add(batch.map(({ frame }) => frame));
        batch.forEach((waiter, at) => this.waiting.set(keys[at], waiter));
      } catch (error) {
        for (const waiter of batch) waiter.reject(new WharfError("storage", String(error)));
      }
      for (const [key, failure] of this.early) this.fail(key, failure);
      this.settle(this.settledKey);
      if (this.error) this.end(this.error);
      this.added();
    }
    this.isAdding = false;
    this.settle(this.settledKey);
  }
  /** The broker has every entry up to this key. */
  settle(upTo) {
    this.settledKey = Math.max(upTo, this.settledKey);
    for (const [key, waiter] of this.waiting) {
      if (key > this.settledKey) break;
      this.waiting.delete(key);
      waiter.resolve();
    }
    if (this.size || this.isAdding) return;
    for (const resolve of this.idle.splice(0)) resolve();
  }
  /** The broker will never have this one. */
  fail(key, error) {
    const waiter = this.waiting.get(key);
    if (this.early.size >= EARLY_MAX) this.early.clear();
    this.early.set(key, error);
    if (!waiter) return;
    this.waiting.delete(key);
    this.early.delete(key);
    waiter.reject(error);
  }
  /** Nobody is told any more. */
  end(error) {
    this.error = error;
    const waiting = [...this.waiting.values(), ...this.adding];
    this.waiting.clear();
    this.adding = [];
    for (const waiter of waiting) waiter.reject(error);
    this.settle(0);
  }
  /** Resolves when the broker has everything. */
  drained() {
    return new Promise((resolve) => {
      this.idle.push(resolve);
      this.settle(0);
    });
  }
};

// src/tabs.ts
var Tabs = class {
  constructor(name, listener) {
    this.name = name;
    this.listener = listener;
    if (!globalThis.navigator?.locks) {
      throw new WharfError("storage", "persist needs Web Locks, which pages have on https and localhost");
    }
    this.channel = new BroadcastChannel(name);
    this.channel.onmessage = ({ data }) => listener.noted(data);
  }
  name;
  listener;
  channel;
  contending;
  release;
  over = Promise.resolve();
  tell(note) {
    this.channel.postMessage(note);
  }
  /** Waits for its turn to lead. */
  contend() {
    if (this.contending) return;
    const contending = this.contending = new AbortController();
    const { signal } = contending;
    const turn = async () => {
      const yielded = new Promise((resolve) => this.release = resolve);
      if (!signal.aborted) await this.listener.lead();
      await yielded;
      await this.listener.yielded();
    };
    this.over = navigator.locks.request(this.name, { signal }, turn).catch(() => {
    });
  }
  /** Lets another tab lead. */
  async yield() {
    this.contending?.abort();
    this.contending = void 0;
    this.release?.();
    this.release = void 0;
    await this.over;
  }
  close() {
    this.channel.close();
  }
};

// src/wake.ts
function watch({ wake, sleep }) {
  const page = globalThis;
  const document = page.document;
  const seen = () => document?.visibilityState === "visible" && wake();
  const hidden = (event) => event.persisted && sleep();
  const watched = [
    [page, "online", wake],
    [page, "pageshow", wake],
    [page, "pagehide", hidden],
    [document, "visibilitychange", seen],
    [document, "resume", wake],
    [document, "freeze", sleep]
  ];
  for (const [target, name, listener] of watched) target?.addEventListener?.(name, listener);
  return () => {
    for (const [target, name, listener] of watched) target?.removeEventListener?.(name, listener);
  };
}

// src/client.ts
var CONSUME = "wharf/consume";
var CANCEL = "wharf/cancel";
var HEARTBEAT = "wharf/heartbeat";
var isOpen = (state) => state === "open" || state === "recovered";
var closed = () => new WharfError("closed", "the client is closed");
var Client = class extends EventTarget {
  /** @internal Use `connect`. */
  constructor(url, store, name, options) {
    super();
    this.store = store;
    this.options = options;
    const settings = settingsOf(url, options);
    this.outbox = new Outbox(store, () => {
      this.tabs?.tell({ added: true });
      if (this.leads) void this.conversation.fill();
    });
    this.conversation = new Conversation(store, settings, this.audience(settings.uncertain === "resend"));
    if (name !== void 0) {
      this.tabs = new Tabs(name, {
        noted: (note) => this.noted(note),
        lead: () => this.lead(),
        yielded: () => this.yielded()
      });
    }
    this.unwatch = watch({ wake: () => this.wake(), sleep: () => void this.tabs?.yield() });
    options.signal?.addEventListener("abort", () => void this.close(), { once: true });
  }
  store;
  options;
  current = "connecting";
  outbox;
  conversation;
  tabs;
  inboxes = /* @__PURE__ */ new Map();
  unwatch;
  leads = false;
  closing;
  wasOpen = false;
  /** @internal */
  begin() {
    if (this.tabs) {
      this.tabs.tell({ hello: true });
      this.tabs.contend();
    } else {
      void this.lead();
    }
    if (this.options.signal?.aborted) void this.close();
    return this;
  }
  get state() {
    return this.current;
  }
  /** Whether this tab talks to the broker for all that share its outbox. */
  get isLeader() {
    return this.leads;
  }
  /** Messages of this page that the broker does not have yet. */
  get pending() {
    return this.outbox.size;
  }
  /**
   * Sends one message to one address or several. Resolves when the broker has stored it, however long and over
   * however many WebSockets that takes. Rejects with a `WharfError` if that will not be, or cannot be known.
   */
  send(address, body, { contentType, properties = [] } = {}) {
    if (this.closing) return Promise.reject(closed());
    if (this.outbox.size >= (this.options.outboxMax ?? 1e4)) {
      return Promise.reject(new WharfError("full", "too many messages wait for the broker"));
    }
    const isJson = typeof body === "object" && !(body instanceof ArrayBuffer) && !ArrayBuffer.isView(body);
    return this.outbox.add(
      messageFrame({
        addresses: [address].flat(),
        contentType: contentType ?? (isJson ? "application/json" : ""),
        properties: Array.isArray(properties) ? properties : Object.entries(properties),
        body: isJson ? JSON.stringify(body) : bodyOf(body)
      })
    );
  }
  /**
   * The messages of an address, to be acknowledged one by one. Of all tabs that share an outbox the leader receives;
   * the others wait for their turn. What is unread when the iteration ends stays here for the next `receive`.
   */
  receive(address, { credit = 32, subscription, signal } = {}) {
    if (this.closing) throw closed();
    const inbox = this.inbox(address);
    if (inbox.wish) throw new TypeError(`${address} is being received already`);
    const wish = { address, credit, subscription };
    inbox.begin(wish);
    if (this.leads) this.ask(CONSUME, wish);
    const stop = () => {
      signal?.removeEventListener("abort", stop);
      if (inbox.wish !== wish) return;
      inbox.end();
      if (this.leads) this.ask(CANCEL, wish);
    };
    signal?.addEventListener("abort", stop);
    if (signal?.aborted) stop();
    const deliveries = {
      next: () => inbox.next(wish),
      async return() {
        stop();
        return { done: true, value: void 0 };
      },
      [Symbol.asyncIterator]: () => deliveries
    };
    return deliveries;
  }
  /** Resolves when the broker has everything that was sent here. */
  drain() {
    return this.outbox.drained();
  }
  /**
   * Brings out what is unsent and closes. Without `persist` that ends the connection: what was received and not
   * acknowledged goes back to its address. With it, the next client goes on with all of that, unless it is to
   * `forget`: then the leader ends the connection and empties the outbox.
   */
  close({ forget = false } = {}) {
    this.closing ??= this.shut(forget);
    return this.closing;
  }
  [Symbol.asyncDispose]() {
    return this.close();
  }
  inbox(address) {
    let inbox = this.inboxes.get(address);
    if (!inbox) this.inboxes.set(address, inbox = new Inbox());
    return inbox;
  }
  /** A wish is a message like any other: numbered, kept, and answered. */
  ask(to, { address, credit, subscription }) {
    const properties = [["address", address]];
    if (credit) properties.push(["credit", String(credit)]);
    if (subscription) properties.push(["subscription", subscription]);
    const frame = messageFrame({ addresses: [to], contentType: "", properties, body: "" });
    this.outbox.add(frame).catch((error) => {
      if (error.code === "refused") this.inboxes.get(address)?.end(error);
    });
  }
  askAll() {
    for (const { wish } of this.inboxes.values()) if (wish) this.ask(CONSUME, wish);
  }
  async lead() {
    this.leads = true;
    this.askAll();
    await this.conversation.start();
  }
  async yielded() {
    this.leads = false;
    await this.conversation.stop();
  }
  wake() {
    if (this.closing) return;
    this.tabs?.contend();
    if (this.leads) this.conversation.wake();
    else this.tabs?.tell({ hello: true });
  }
  noted(note) {
    if ("added" in note && this.leads) void this.conversation.fill();
    else if ("hello" in note && this.leads) this.tabs?.tell({ state: this.current });
    else if ("settled" in note) this.outbox.settle(note.settled);
    else if ("failed" in note) this.outbox.fail(note.failed, new WharfError(note.code, note.message));
    else if ("state" in note && !this.leads) this.enter(note.state, {}, false);
  }
  enter(state, detail = {}, isOurs = true) {
    if (this.current === "closed") return;
    this.current = state;
    this.wasOpen ||= isOpen(state);
    if (isOurs) this.tabs?.tell({ state });
    this.emit("state", { state, ...detail });
  }
  emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
  audience(resent) {
    return {
      open: (state) => this.enter(state),
      waiting: (detail) => this.enter(this.wasOpen ? "recovering" : "connecting", detail),
      delivered: (arrived) => this.delivered(arrived),
      settled: (key) => {
        this.outbox.settle(key);
        this.tabs?.tell({ settled: key });
      },
      failed: (key, { code, message }) => {
        this.outbox.fail(key, new WharfError(code, message));
        this.tabs?.tell({ failed: key, code, message });
      },
      blamed: (reason) => this.blamed(reason),
      renewed: () => this.inboxes.forEach((inbox) => inbox.forget()),
      lost: (uncertain) => {
        this.enter("lost");
        this.askAll();
        const ours = uncertain.filter(({ addresses }) => !addresses[0]?.startsWith("wharf/"));
        this.emit("lost", { uncertain: ours, resent });
      },
      probe: (isAwake) => {
        const receives = [...this.inboxes.values()].some(({ wish }) => wish);
        if (isAwake || receives) this.ask(CANCEL, { address: HEARTBEAT, credit: 0 });
      },
      ended: (error) => void (this.closing ??= this.shut(false, error))
    };
  }
  delivered({ content, seq, name }) {
    const { generation } = this.conversation;
    const address = content.addresses[0];
    const inbox = this.inbox(address);
    inbox.push(new Delivery(content, `${name}/${seq}`, () => this.conversation.take(seq, generation)));
    if (!inbox.wish) this.emit("unclaimed", { address, count: inbox.count });
  }
  /** The broker says what it refuses: "why: address", cut off after 123 octets. */
  blamed(reason) {
    const named = reason.slice(reason.indexOf(": ") + 2);
    for (const [address, inbox] of this.inboxes) {
      const isIt = reason.length < 100 ? address === named : address.startsWith(named.slice(0, 60));
      if (!inbox.wish || !isIt) continue;
      inbox.end(new WharfError("refused", reason));
      return true;
    }
    return false;
  }
  async shut(forget, error) {
    const { closeTimeoutMs = 5e3, persist } = this.options;
    for (const inbox of this.inboxes.values()) inbox.end(error);
    if (!error && (!persist || isOpen(this.current))) await within(closeTimeoutMs, this.outbox.drained());
    if (this.leads && (!persist || forget)) {
      await this.conversation.finish(error ? 0 : closeTimeoutMs);
      if (forget) await this.store.clear();
    }
    this.outbox.end(error ?? closed());
    this.unwatch();
    await (this.tabs ? this.tabs.yield() : this.yielded());
    this.enter("closed", error ? { error } : {}, false);
    this.tabs?.close();
    this.store.close();
  }
};
function within(ms, promise) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    void promise.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
function bodyOf(body) {
  if (typeof body === "string") return body;
  return body instanceof ArrayBuffer ? new Uint8Array(body) : new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
}

// src/indexed.ts
var OUTBOX = "outbox";
var SESSION = "session";
var ONLY = "it";
var done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});
var IndexedStore = class _IndexedStore {
  constructor(database) {
    this.database = database;
  }
  database;
  static async open(name) {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(OUTBOX, { autoIncrement: true });
      request.result.createObjectStore(SESSION);
    };
    return new _IndexedStore(await done(request));
  }
  async load() {
    const saved = await done(this.database.transaction(SESSION).objectStore(SESSION).get(ONLY));
    return { ...NOTHING_SAVED, ...saved };
  }
  async add(frames) {
    const keys = [];
    await this.write([OUTBOX], ([outbox]) => {
      for (const frame of frames) {
        outbox.add(frame).onsuccess = ({ target }) => keys.push(target.result);
      }
    });
    return keys;
  }
  read(after, countMax, bytesMax) {
    const range = IDBKeyRange.lowerBound(after, true);
    const request = this.database.transaction(OUTBOX).objectStore(OUTBOX).openCursor(range);
    const entries = [];
    let bytes = 0;
    return new Promise((resolve, reject) => {
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        const cursor = request.result;
        if (!cursor || entries.length >= countMax || bytes >= bytesMax) return resolve(entries);
        entries.push({ key: cursor.key, frame: cursor.value });
        bytes += cursor.value.length;
        cursor.continue();
      };
    });
  }
  save(saved) {
    return this.write([SESSION, OUTBOX], ([session, outbox]) => {
      session.put(saved, ONLY);
      outbox.delete(IDBKeyRange.upperBound(saved.settled));
    });
  }
  clear() {
    return this.write([SESSION, OUTBOX], (stores) => stores.forEach((store) => store.clear()));
  }
  close() {
    this.database.close();
  }
  /** One transaction, on the disk when this resolves: what is on the wire must not be forgotten by a power cut. */
  write(names, change) {
    const transaction = this.database.transaction(names, "readwrite", { durability: "strict" });
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
      change(names.map((name) => transaction.objectStore(name)));
    });
  }
};

// src/store.ts
var MemoryStore = class {
  saved = NOTHING_SAVED;
  entries = [];
  key = 0;
  async load() {
    return { ...this.saved };
  }
  async add(frames) {
    return frames.map((frame) => {
      this.entries.push({ key: this.key += 1, frame });
      return this.key;
    });
  }
  async read(after, countMax, bytesMax) {
    const first = Math.max(0, after + 1 - (this.entries[0]?.key ?? 0));
    const last = Math.min(first + countMax, this.entries.length);
    let end = first;
    for (let bytes = 0; bytes < bytesMax && end < last; end += 1) {
      bytes += sizeOf(this.entries[end].frame);
    }
    return this.entries.slice(first, end);
  }
  async save(saved) {
    this.saved = saved;
    this.entries.splice(0, saved.settled + 1 - (this.entries[0]?.key ?? Infinity));
  }
  async clear() {
    this.entries = [];
    this.saved = { ...NOTHING_SAVED, settled: this.key };
  }
  close() {
  }
};

// src/index.ts
async function connect(url, options = {}) {
  const { persist } = options;
  if (typeof persist === "object") return new Client(url, persist, void 0, options).begin();
  if (!persist) return new Client(url, new MemoryStore(), void 0, options).begin();
  const name = `wharf:${persist === true ? "default" : persist}`;
  let store;
  try {
    store = await IndexedStore.open(name);
  } catch (error) {
    throw new WharfError("storage", `no IndexedDB: ${String(error)}`);
  }
  return new Client(url, store, name, options).begin();
}
export {
  Client,
  WharfError,
  connect
};
