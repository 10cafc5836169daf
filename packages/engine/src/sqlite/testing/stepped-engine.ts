/**
 * The engine's searches without its threads: each goes a step at a time, and
 * between two steps blocks are written, joined and deleted, as random numbers
 * will have it. What threads do once in a million searches is done here in each.
 */
import { setImmediate } from "node:timers/promises";
import type { Random } from "../../contract/engine-under-test.ts";
import type {
  AppendResult,
  AroundRequest,
  Backlog,
  BacklogRequest,
  CountRequest,
  Engine,
  EngineStats,
  FieldValues,
  Histogram,
  QueryRequest,
  QueryStep,
  ValuesRequest,
} from "../../engine.ts";
import { EngineError } from "../../engine-error.ts";
import type { EntryBatch } from "../../entry-batch.ts";
import { unpackEntries } from "../../scan/unpack-entries.ts";
import { blockValues, encodeBlock, insertBlockSql, insertWordsSql } from "../block-format.ts";
import { BlockReader } from "../block-reader.ts";
import { type LogFile, transaction } from "../log-file.ts";
import { packBlocks } from "../packed-block.ts";
import { Positions } from "../positions.ts";
import type { ScanStep } from "../scan-jobs.ts";
import { findAround } from "../search/around-search.ts";
import { collectBacklog } from "../search/backlog-search.ts";
import { countEntries } from "../search/count-search.ts";
import { findFirstSince } from "../search/first-since.ts";
import { queryEntries } from "../search/query-search.ts";
import type { SearchContext } from "../search/search-context.ts";
import { countValues } from "../search/values-search.ts";
import { imageOf } from "./block-images.ts";

/** What happens between the steps of a search, in percent of the steps. */
export interface Disturbance {
  readonly merges: number;
  readonly trims: number;
}

/** A few entries make a stripe. */
const stripeBytes = 400;

/** Searches a log's file, and changes it. */
export class SteppedEngine implements Omit<Engine, "name" | "read" | "close"> {
  readonly #file: LogFile;
  readonly #reader: BlockReader;
  readonly #positions: Positions;
  readonly #random: Random;
  readonly #disturbance: Disturbance;
  #watermark = 0;
  #oldest = 1;

  /** @param file An empty log. */
  constructor(file: LogFile, random: Random, disturbance: Disturbance) {
    this.#file = file;
    this.#reader = new BlockReader(file.database);
    this.#positions = new Positions(file.identity);
    this.#random = random;
    this.#disturbance = disturbance;
  }

  async append(batch: EntryBatch): Promise<AppendResult> {
    const first = this.#watermark + 1;
    const block = encodeBlock(imageOf(batch, first, BigInt(first)));
    transaction(this.#file.database, () => {
      this.#run(insertBlockSql, ...blockValues(block));
      this.#run("UPDATE log SET next_offset = ?, blocks = blocks + 1", first + batch.count);
    });
    this.#watermark += batch.count;
    const idAt = (index: number) => this.#positions.id(first + index);
    return {
      duplicates: 0,
      firstId: idAt(0),
      lastId: idAt(batch.count - 1),
      idAt,
      writeIdAt: (index, into, at) => this.#positions.writeId(first + index, into, at),
      isDuplicate: () => false,
    };
  }

  head(): string {
    return this.#positions.cursor(this.#watermark);
  }

  lag(cursor: string): number {
    const offset = this.#positions.parseCursor(cursor, this.#watermark);
    return this.#watermark - Math.max(offset, this.#oldest - 1);
  }

  async cursorAtTime(time: bigint): Promise<string> {
    const watermark = this.#watermark;
    const first = await this.#search((context) => findFirstSince({ time, watermark }, context));
    return this.#positions.cursor(first === undefined ? watermark : first - 1);
  }

  async backlog(request: BacklogRequest): Promise<Backlog> {
    const watermark = this.#watermark;
    const steps: ScanStep[] = [];
    await this.#search((context) => collectBacklog({ ...request, watermark }, context), steps);
    const entries = this.#entriesOf(steps);
    const offsets = steps.flatMap((step) => Array.from(step.entries?.offsets ?? []));
    const cursors = offsets.map((offset) => this.#positions.cursor(offset));
    return { entries, cursors, cursor: this.#positions.cursor(watermark) };
  }

  async *query({ pageToken, ...request }: QueryRequest): AsyncGenerator<QueryStep, void, undefined> {
    const { order } = request;
    const after = pageToken ? this.#positions.parsePageToken(pageToken, order) : undefined;
    const job = { ...request, after, watermark: this.#watermark };
    const steps: ScanStep[] = [];
    await this.#search((context) => queryEntries(job, context), steps);
    for (const step of steps) {
      const entries = this.#entriesOf([step]);
      if (step.progress === undefined) yield { entries };
      else {
        const { next, ...progress } = step.progress;
        const nextPageToken = next === undefined ? "" : this.#positions.pageToken(order, next);
        yield { entries, progress: { ...progress, nextPageToken } };
      }
    }
  }

  async around({ id, before, after }: AroundRequest) {
    const job = { offset: this.#positions.parseId(id), before, after, watermark: this.#watermark };
    const entries = await this.#search((context) => findAround(job, context));
    if (entries === undefined) throw new EngineError("not_found", `the entry ${id} is not there`);
    return this.#entriesOf([{ entries }]);
  }

  count(request: CountRequest): Promise<Histogram> {
    const job = { ...request, watermark: this.#watermark };
    return this.#search((context) => countEntries(job, context));
  }

  values(request: ValuesRequest): Promise<FieldValues> {
    const job = { ...request, watermark: this.#watermark };
    return this.#search((context) => countValues(job, context));
  }

  async stats(): Promise<EngineStats> {
    const { oldestOffset, nextOffset, blocks, rawBytes } = this.#reader.totals();
    const entries = nextOffset - oldestOffset;
    const rest = { diskBytes: 0, oldest: 0n, newest: 0n, commits: 0, commitUs: 0, deleted: 0 };
    return { entries, blocks, rawBytes, ...rest };
  }

  #entriesOf(steps: readonly ScanStep[]) {
    return steps.flatMap(({ entries }) =>
      entries === undefined ? [] : unpackEntries(entries, (offset) => this.#positions.id(offset)),
    );
  }

  async #search<Result>(
    begin: (context: SearchContext) => Generator<void, Result, void>,
    steps: ScanStep[] = [],
  ): Promise<Result> {
    const search = begin({
      reader: this.#reader,
      checkWanted: () => undefined,
      isTurnOver: () => this.#random.below(2) === 0,
      isTurnOverdue: () => this.#random.below(4) === 0,
      keep: () => undefined,
      step: (step) => steps.push(step),
    });
    for (;;) {
      // Others have their step, and what is appended comes.
      await setImmediate();
      this.#disturb();
      const turn = this.#reader.snapshot(() => search.next());
      if (turn.done === true) return turn.value;
    }
  }

  #disturb(): void {
    if (this.#random.below(100) < this.#disturbance.merges) this.#merge();
    if (this.#random.below(100) < this.#disturbance.trims) this.#trim();
  }

  /** Joins a few adjacent blocks, as the writer does with what the merger has packed. Some blocks always stay. */
  #merge(): void {
    const firsts = this.#firstOffsets();
    if (firsts.length < 6) return;
    const from = this.#random.below(firsts.length + 1);
    const joined = firsts.slice(from, from + 2 + this.#random.below(4));
    if (joined.length < 2) return;
    const { block, words } = packBlocks(
      joined.flatMap((first) => this.#reader.imageAt(first) ?? []),
      { stripeBytes },
    );
    const last = block.firstOffset + block.count - 1;
    transaction(this.#file.database, () => {
      this.#run("DELETE FROM blocks WHERE first_offset BETWEEN ? AND ?", block.firstOffset, last);
      this.#run("DELETE FROM words WHERE block BETWEEN ? AND ?", block.firstOffset, last);
      this.#run(insertBlockSql, ...blockValues(block));
      for (const [part, bits] of words.entries()) this.#run(insertWordsSql, block.firstOffset, part, bits);
      this.#run("UPDATE log SET blocks = blocks - ?", joined.length - 1);
    });
  }

  /** Deletes the oldest block; one stays. */
  #trim(): void {
    const [first, second] = this.#firstOffsets();
    if (first === undefined || second === undefined) return;
    transaction(this.#file.database, () => {
      this.#run("DELETE FROM blocks WHERE first_offset = ?", first);
      this.#run("DELETE FROM words WHERE block = ?", first);
      this.#run("UPDATE log SET blocks = blocks - 1");
    });
    this.#oldest = second;
  }

  #firstOffsets(): number[] {
    const rows = this.#file.database.prepare("SELECT first_offset AS first FROM blocks ORDER BY first").all();
    return rows.map((row) => Number(row["first"]));
  }

  #run(sql: string, ...values: (bigint | number | string | Uint8Array | null)[]): void {
    this.#file.database.prepare(sql).run(...values);
  }
}
