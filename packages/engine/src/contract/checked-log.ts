/**
 * A log whose entries are known, so that whatever is asked of it can be
 * compared with brute force, also while it is written to, rearranged and
 * trimmed.
 *
 * An answer that is given meanwhile is of some moment of the call: it must be
 * exactly the one for what was stored then. Entries become visible by whole
 * batches, in their order. Of those that are deleted during the call the first
 * ones may be missing; of the answer of a query, which goes by time, any of them.
 */
import assert from "node:assert/strict";
import { inspect, isDeepStrictEqual } from "node:util";
import { formatFilter } from "@logsvc/filter";
import type { LogEntry, StoredEntry } from "@logsvc/proto";
import type { Backlog, Engine, QueryRequest, QueryStep } from "../engine.ts";
import { EngineError } from "../engine-error.ts";
import { batchOf, readToEnd } from "./engine-under-test.ts";
import type { Search } from "./random-searches.ts";
import {
  expectedAround,
  expectedBacklog,
  expectedHistogram,
  expectedPage,
  expectedRange,
  expectedSince,
  expectedValues,
  type KnownEntry,
  type StoredView,
  selectBy,
} from "./search-reference.ts";

/** What an engine answered, to be checked when all that happened meanwhile is known. */
type Answer =
  | { readonly kind: "page"; readonly steps: readonly QueryStep[]; readonly after: string | undefined }
  | { readonly kind: "entries"; readonly entries: readonly StoredEntry[] }
  | { readonly kind: "backlog"; readonly backlog: Backlog }
  | { readonly kind: "cursor"; readonly cursor: string }
  | { readonly kind: "value"; readonly value: object }
  | { readonly kind: "refused"; readonly code: string };

/** What was asked, what was answered, and how many entries may have been there. */
interface Exchange {
  readonly search: Search;
  readonly answer: Answer;
  /** Entries that were surely there at the call: those that were acknowledged. */
  readonly storedBefore: number;
  /** Entries that may have been there at the end of it. */
  readonly storedAfter: number;
}

/** How many entries retention had deleted at the call, as far as was known. */
interface Trimming {
  readonly trimmedBefore: number;
}

/** What may have been stored when an answer was given. */
interface Moment {
  readonly view: StoredView;
  /** How many entries had been written. */
  readonly stored: number;
}

/** What can be asked of a log here. */
export interface SearchedLog {
  readonly engine: Omit<Engine, "name" | "read" | "close">;
}

/** A log, written to and asked. */
export class CheckedLog {
  readonly #log: SearchedLog;
  readonly #start: string;
  readonly #name: string;
  readonly #entries: KnownEntry[] = [];
  /** Places just after each batch, from 0 on. */
  readonly #batchEnds: number[] = [0];
  readonly #ids: string[] = [];
  readonly #places = new Map<string, number>();
  readonly #receivedAt = new Map<string, bigint>();
  #acknowledged = 0;
  /** Entries that retention has surely deleted. */
  #trimmed = 0;

  /**
   * @param log With an empty log.
   * @param name What to call it when an answer is wrong: how to make it again.
   */
  constructor(log: SearchedLog, name: string) {
    this.#log = log;
    this.#start = log.engine.head();
    this.#name = name;
  }

  /** What was written, in the order of the log. */
  get entries(): readonly KnownEntry[] {
    return this.#entries;
  }

  /** How many of the entries retention had deleted when the log was last asked. */
  get trimmed(): number {
    return this.#trimmed;
  }

  /** Appends a batch, and notes which ids its entries got. */
  async append(batch: readonly LogEntry[]): Promise<void> {
    const first = this.#entries.length;
    this.#entries.push(...batch.map((entry, index) => ({ place: first + index, entry })));
    this.#batchEnds.push(this.#entries.length);
    const stored = await this.#log.engine.append(batchOf(batch));
    for (const index of batch.keys()) {
      this.#ids[first + index] = stored.idAt(index);
      this.#places.set(stored.idAt(index), first + index);
    }
    this.#acknowledged = Math.max(this.#acknowledged, first + batch.length);
  }

  /** Asks all this at once, while batches are appended, and compares the answers with brute force. */
  async ask(searches: readonly Search[], batches: readonly (readonly LogEntry[])[] = []): Promise<void> {
    await this.#learnTrimmed();
    const trimmedBefore = this.#trimmed;
    const half = batches.length >>> 1;
    const early = batches.slice(0, half).map((batch) => this.append(batch));
    const asked = searches.map((search) => this.#ask(search));
    const late = batches.slice(half).map((batch) => this.append(batch));
    const exchanges = (await Promise.all(asked)).flat();
    await Promise.all([...early, ...late]);
    await this.#learnTrimmed();
    for (const exchange of exchanges) this.#check({ ...exchange, trimmedBefore });
  }

  /** Reads the log from end to end, and compares it with what was written. Nothing may have been deleted. */
  async checkReading(engine: Engine): Promise<void> {
    const read = await readToEnd(engine, this.#start);
    assert.deepEqual(
      this.#placesOf(read),
      this.#entries.map(({ place }) => place),
    );
    for (const [place, { receivedAt }] of read.entries()) {
      const before = read[place - 1]?.receivedAt ?? 0n;
      assert.ok(receivedAt >= before, `${this.#name}: the time of arrival decreases at entry ${place}`);
    }
  }

  /** All that was appended is acknowledged: what is not stored was deleted. */
  async #learnTrimmed(): Promise<void> {
    this.#trimmed = this.#entries.length - (await this.#log.engine.stats()).entries;
  }

  async #ask(search: Search): Promise<Exchange[]> {
    const exchanges: Exchange[] = [];
    const note = async (work: () => Promise<Answer>) => {
      const storedBefore = this.#acknowledged;
      const answer = await work().catch(refusal);
      exchanges.push({ search, answer, storedBefore, storedAfter: this.#entries.length });
      return answer;
    };
    const { engine } = this.#log;
    if (search.kind !== "query") {
      await note(() => this.#answer(engine, search));
      return exchanges;
    }
    let pageToken = "";
    let after: string | undefined;
    for (let page = 0; page < search.pagesMax; page++) {
      const answer = await note(() => queryPage(engine, { ...search.request, pageToken }, after));
      if (answer.kind !== "page") break;
      pageToken = answer.steps.at(-1)?.progress?.nextPageToken ?? "";
      after = entriesOf(answer).at(-1)?.id;
      if (pageToken === "") break;
    }
    return exchanges;
  }

  async #answer(engine: SearchedLog["engine"], search: Exclude<Search, { kind: "query" }>): Promise<Answer> {
    switch (search.kind) {
      case "count":
        return { kind: "value", value: await engine.count(search.request) };
      case "values":
        return { kind: "value", value: await engine.values(search.request) };
      case "backlog":
        return { kind: "backlog", backlog: await engine.backlog(search.request) };
      case "since":
        return { kind: "cursor", cursor: await engine.cursorAtTime(search.time) };
      case "around": {
        const { place, before, after } = search;
        const id = this.#ids[place] ?? "";
        return { kind: "entries", entries: await engine.around({ id, before, after }) };
      }
    }
  }

  #check(exchange: Exchange & Trimming): void {
    const { search, answer, storedBefore, storedAfter, trimmedBefore } = exchange;
    const found = this.#found(answer);
    const expect = this.#expectation(exchange);
    let expected: unknown;
    for (const moment of this.#moments(exchange)) {
      for (expected of expect(moment)) if (isDeepStrictEqual(found, expected)) return;
    }
    const shown = (value: unknown) => inspect(value, { depth: 6, breakLength: 100, maxArrayLength: 200 });
    assert.fail(
      `${this.#name}: of ${this.#entries.length} entries in ${this.#batchEnds.length - 1} batches, ` +
        `between ${storedBefore} and ${storedAfter} written, ${trimmedBefore} to ${this.#trimmed} deleted:\n` +
        `${shown(search)}\nfilter: ${"request" in search ? formatFilter(search.request.filter) : ""}\n` +
        `answered: ${shown(found)}\nexpected: ${shown(expected)}`,
    );
  }

  /** What was stored at each moment that an answer may be of. */
  *#moments({
    search,
    answer,
    storedBefore,
    storedAfter,
    trimmedBefore,
  }: Exchange & Trimming): Generator<Moment> {
    const ends = this.#batchEnds.filter((end) => end >= storedBefore && end <= storedAfter);
    if (search.kind === "query") {
      // It goes by time, and may have come upon any of what was deleted meanwhile before it went.
      const seen = new Set(entriesOf(answer).map(({ id }) => this.#places.get(id)));
      const stored = this.#entries.slice(trimmedBefore);
      const view = stored.filter(({ place }) => place >= this.#trimmed || seen.has(place));
      for (const end of ends) yield { view: view.filter(({ place }) => place < end), stored: end };
      return;
    }
    // The others go from the newest to the oldest: what is missing is a beginning of the log, mostly whole batches.
    for (const isBatch of [true, false]) {
      for (let start = trimmedBefore; start <= this.#trimmed; start++) {
        if (this.#batchEnds.includes(start) !== isBatch) continue;
        for (const stored of ends) yield { view: this.#entries.slice(start, stored), stored };
      }
    }
  }

  /** An answer as something to compare: places instead of ids, distances to the watermark instead of cursors. */
  #found(answer: Answer): unknown {
    switch (answer.kind) {
      case "page": {
        const places = this.#placesOf(entriesOf(answer));
        checkProgress(answer.steps, places.length);
        return { places, hasNext: answer.steps.at(-1)?.progress?.nextPageToken !== "" };
      }
      case "entries":
        return this.#placesOf(entriesOf(answer));
      case "backlog": {
        const { entries, cursors, cursor } = answer.backlog;
        const lags = [...cursors, cursor].map((each) => this.#log.engine.lag(each));
        return { places: this.#placesOf(entries), lags };
      }
      case "cursor":
        return this.#log.engine.lag(answer.cursor);
      case "value":
        return answer.value;
      case "refused":
        return answer.code;
    }
  }

  /** What must be found at a moment, in the same form; one of several where a search looks twice. */
  #expectation(exchange: Exchange & Trimming): (moment: Moment) => Iterable<unknown> {
    const { search, answer } = exchange;
    const select = "request" in search ? selectBy(search.request) : undefined;
    const selected = (view: StoredView) => select?.(view) ?? [];
    switch (search.kind) {
      case "query": {
        const after =
          answer.kind === "page" && answer.after !== undefined ? this.#entryOf(answer.after) : undefined;
        return ({ view }) => {
          const { places, next } = expectedPage(selected(view), search.request, after);
          return (next === "unknown" ? [true, false] : [next === "certain"]).map((hasNext) => ({
            places,
            hasNext,
          }));
        };
      }
      case "count": {
        // The range is taken first; what is deleted then is in the range, but not counted.
        const starts = this.#batchEnds.filter((end) => end >= exchange.trimmedBefore && end <= this.#trimmed);
        return ({ view, stored }) => {
          const ranges = starts.map((start) =>
            expectedRange(this.#entries.slice(start, stored), search.request),
          );
          const different = new Map(ranges.map((range) => [`${range?.start} ${range?.last}`, range]));
          return Array.from(different.values(), (range) =>
            orRefusal(() => expectedHistogram(selected(view), range, search.request)),
          );
        };
      }
      case "values":
        return ({ view }) => [expectedValues(selected(view), search.request)];
      case "backlog":
        return ({ view, stored }) => {
          const places = expectedBacklog(selected(view), search.request);
          return [{ places, lags: [...places.map((place) => this.#lagAt(place + 1)), this.#lagAt(stored)] }];
        };
      case "around":
        return ({ view }) => [expectedAround(view, search) ?? "not_found"];
      case "since":
        return ({ view, stored }) => [this.#lagAt(expectedSince(view, search.time) ?? stored)];
    }
  }

  /** How many entries lie between a place and the watermark, without those that are known to be deleted. */
  #lagAt(place: number): number {
    return Math.min(this.#entries.length - place, this.#log.engine.lag(this.#start));
  }

  #entryOf(id: string): KnownEntry | undefined {
    return this.#entries[this.#places.get(id) ?? -1];
  }

  /** The places of entries, each of which must be as it was written. */
  #placesOf(entries: readonly Pick<StoredEntry, "id" | "entry" | "receivedAt">[]): number[] {
    return entries.map(({ id, entry, receivedAt }) => {
      const known = this.#entryOf(id);
      assert.ok(known, `${this.#name}: the entry ${id} was not written`);
      assert.deepEqual(entry, known.entry, `${this.#name}: the entry ${id}`);
      const before = this.#receivedAt.get(id) ?? receivedAt;
      assert.equal(receivedAt, before, `${this.#name}: when the entry ${id} has arrived`);
      this.#receivedAt.set(id, receivedAt);
      return known.place;
    });
  }
}

async function queryPage(
  engine: Pick<Engine, "query">,
  request: QueryRequest,
  after: string | undefined,
): Promise<Answer> {
  return { kind: "page", steps: await Array.fromAsync(engine.query(request)), after };
}

/** The entries of a page, or of an entry's neighbourhood. */
function entriesOf(answer: Answer): readonly StoredEntry[] {
  if (answer.kind === "page") return answer.steps.flatMap(({ entries }) => entries);
  return answer.kind === "entries" ? answer.entries : [];
}

function checkProgress(steps: readonly QueryStep[], matches: number): void {
  for (const [index, { progress }] of steps.entries()) {
    assert.equal(progress?.complete ?? false, index === steps.length - 1, "the last step is complete");
    if (progress === undefined) continue;
    const { blocksScanned, blocksSkipped, blocksTotal } = progress;
    assert.ok(blocksScanned + blocksSkipped <= blocksTotal, inspect(progress));
  }
  assert.equal(steps.at(-1)?.progress?.matches, matches);
}

function refusal(error: unknown): { kind: "refused"; code: string } {
  if (!(error instanceof EngineError)) throw error;
  return { kind: "refused", code: error.code };
}

function orRefusal(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return refusal(error).code;
  }
}
