/**
 * What varies in the messages of a made log: addresses, ids, durations, users.
 * How they repeat decides how far a log compresses and what a search can skip:
 * hosts and users come from pools of which a few are frequent, ids of things
 * are met again for a while and then never, and counters count.
 */

/** Random numbers that are the same for the same seed. https://en.wikipedia.org/wiki/Xorshift */
export class Random {
  #state: number;

  /** @param seed Any integer but 0. */
  constructor(seed: number) {
    this.#state = seed | 0 || 1;
  }

  /** 32 random bits, unsigned. */
  bits(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    // The bits of one step resemble those of the next; multiplied they do not.
    return (Math.imul(state, 0x9e3779b1) ^ (state >>> 15)) >>> 0;
  }

  /** From 0 to below 1. */
  share(): number {
    return this.bits() / 2 ** 32;
  }

  /** An integer from 0 to below `end`. */
  below(end: number): number {
    return Math.floor(this.share() * end);
  }
}

/** What a request of the traced services is about. */
export interface TracedRequest {
  traceId: string;
  spanId: string;
  path: string;
  status: string;
  userId: string;
  durationMs: number;
}

/** Hexadecimal texts of 16 bits each. */
const hex16 = Array.from({ length: 2 ** 16 }, (_, value) => value.toString(16).padStart(4, "0"));

const users = [
  "root",
  "admin",
  "webmaster",
  "oracle",
  "test",
  "guest",
  "ubuntu",
  "deploy",
  "git",
  "postgres",
];
const resources = ["orders", "carts", "products", "users", "sessions", "payments", "reviews", "stock"];
const folders = ["randtxt", "sortrand", "warehouse/events", "tmp/staging", "logs/daily"];
const phrases = ["blue shoes", "usb cable", "winter coat", "desk lamp", "green tea", "phone case"];

/** Ids that are about at one time. */
const recentIds = 512;

/** Of so many uses of an id one is the first. */
const usesOfId = 8;

/** Entries that one request leaves behind, on average. */
const entriesOfRequest = 4;

/** Requests that are under way at one time. */
const requestsAtOnce = 64;

/** Values to put into messages, all from one source of random numbers. */
export class LogVariables {
  readonly #random: Random;
  readonly #inside: readonly string[];
  readonly #outside: readonly string[];
  readonly #hosts: readonly string[];
  readonly #users: readonly string[];
  readonly #blocks: RecentIds;
  readonly #instances: RecentIds;
  readonly #sessions: RecentIds;
  readonly #requests: TracedRequest[];
  #count = 0;

  /** The request that the entry is about, where its service is traced. */
  request: TracedRequest;

  constructor(random: Random) {
    this.#random = random;
    const pool = (length: number, make: () => string) => Array.from({ length }, make);
    this.#inside = pool(240, () => `10.25${this.below(2)}.${this.below(128)}.${1 + this.below(254)}`);
    this.#outside = pool(
      2_000,
      () => `${11 + this.below(212)}.${this.below(256)}.${this.below(256)}.${1 + this.below(254)}`,
    );
    this.#hosts = pool(160, () => `node-${String(this.below(1_000)).padStart(3, "0")}`);
    this.#users = [...users, ...pool(400, () => `user${this.below(10_000)}`)];
    this.#blocks = new RecentIds(random, () => this.#newBlock());
    this.#instances = new RecentIds(random, () => this.#newUuid());
    this.#sessions = new RecentIds(random, () => `0x${this.hex(14)}`);
    this.#requests = Array.from({ length: requestsAtOnce }, () => this.#newRequest());
    this.request = this.#newRequest();
  }

  /** An integer from 0 to below `end`. */
  below(end: number): number {
    return this.#random.below(end);
  }

  /** One of these, each as often. */
  one(texts: readonly string[]): string {
    return texts[this.below(texts.length)] ?? "";
  }

  /** One of these, the first ones more often. */
  frequent(texts: readonly string[]): string {
    const share = this.#random.share();
    return texts[Math.floor(share * share * texts.length)] ?? "";
  }

  /** An address of our own network. */
  ip(): string {
    return this.frequent(this.#inside);
  }

  /** An address of the world's. */
  outsideIp(): string {
    return this.frequent(this.#outside);
  }

  port(): number {
    return 32_768 + this.below(28_232);
  }

  host(): string {
    return this.frequent(this.#hosts);
  }

  user(): string {
    return this.frequent(this.#users);
  }

  /** Milliseconds, 1 to 4 095: short ones more often. */
  ms(): number {
    return Math.floor(2 ** (this.#random.share() * 12));
  }

  /** Counts up by a few from one call to the next. */
  counter(): number {
    this.#count += 1 + this.below(3);
    return this.#count;
  }

  /** The id of a block of a file system, for a while the same ones. */
  block(): string {
    return this.#blocks.next();
  }

  /** A UUID, for a while the same ones. */
  instance(): string {
    return this.#instances.next();
  }

  /** A session's id, for a while the same ones. */
  session(): string {
    return this.#sessions.next();
  }

  /** So many hexadecimal digits. */
  hex(digits: number): string {
    let text = "";
    for (let left = digits; left > 0; left -= 4) {
      const next = hex16[this.#random.bits() >>> 16] ?? "";
      text += left >= 4 ? next : next.slice(0, left);
    }
    return text;
  }

  /** The path of a file that a job writes. */
  file(): string {
    const part = String(this.below(2_000)).padStart(5, "0");
    return `/user/root/${this.one(folders)}/_temporary/0/task_${this.below(40)}_m_${part}/part-${part}`;
  }

  /** What somebody searches for. */
  phrase(): string {
    return this.one(phrases);
  }

  /** Chooses the request that the next entry is about: one under way, or a new one in its place. */
  chooseRequest(level: string): void {
    const place = this.below(requestsAtOnce);
    let request = this.#requests[place] ?? this.request;
    if (this.below(entriesOfRequest) === 0) {
      request = this.#newRequest();
      this.#requests[place] = request;
    }
    request.spanId = this.hex(16);
    request.durationMs = this.ms();
    request.status = this.#status(level);
    this.request = request;
  }

  #status(level: string): string {
    if (level === "ERROR") return this.one(["500", "502", "503", "504"]);
    if (level === "WARN") return this.one(["400", "401", "404", "409", "429"]);
    return this.frequent(["200", "200", "200", "201", "204", "304"]);
  }

  #newRequest(): TracedRequest {
    const path = `/api/v1/${this.frequent(resources)}`;
    return {
      traceId: this.hex(32),
      spanId: "",
      path: this.below(2) === 0 ? path : `${path}/${this.below(100_000)}`,
      status: "200",
      userId: `u${this.below(20_000)}`,
      durationMs: 0,
    };
  }

  /** 18 or 19 digits, as the numbers of 63 bits that they are. */
  #newBlock(): string {
    const digits = () => String(1_000_000_000 + this.below(1_000_000_000)).slice(1);
    return `blk_${this.below(2) === 0 ? "-" : ""}${1 + this.below(8)}${digits()}${digits()}`;
  }

  #newUuid(): string {
    return `${this.hex(8)}-${this.hex(4)}-${this.hex(4)}-${this.hex(4)}-${this.hex(12)}`;
  }
}

/** Ids of things that come, are spoken of several times, and go. */
class RecentIds {
  readonly #random: Random;
  readonly #make: () => string;
  readonly #ids: string[];

  constructor(random: Random, make: () => string) {
    this.#random = random;
    this.#make = make;
    this.#ids = Array.from({ length: recentIds }, make);
  }

  next(): string {
    const place = this.#random.below(recentIds);
    if (this.#random.below(usesOfId) === 0) this.#ids[place] = this.#make();
    return this.#ids[place] ?? "";
  }
}
