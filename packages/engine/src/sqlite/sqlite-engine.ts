/**
 * The embedded engine: a log in one SQLite file, in this process.
 *
 *   append ─▶ writer thread: group commit, fsync ─▶ newest blocks in memory, while somebody reads there ─▶ watermark ─▶ readers
 *             └─▶ merging thread: joins small blocks, when nobody else wants the processor
 *   read, behind the newest blocks ─▶ reading thread: a block at a time
 *   query, count, values, backlog  ─▶ scan threads: some jobs in turns on each
 *
 * The main thread never touches the disk. What is in the file: block-format.ts.
 */
import { channel } from "node:diagnostics_channel";
import { availableParallelism, endianness } from "node:os";
import { limits, type StoredEntry } from "@logsvc/proto";
import type {
  AppendResult,
  AroundRequest,
  Backlog,
  BacklogRequest,
  CallOptions,
  CountRequest,
  Engine,
  EngineStats,
  FieldValues,
  Histogram,
  QueryRequest,
  QueryStep,
  ReadEvent,
  ReadOptions,
  ValuesRequest,
} from "../engine.ts";
import { EngineError } from "../engine-error.ts";
import type { EntryBatch } from "../entry-batch.ts";
import type { EntryChunk } from "../scan/entry-chunk.ts";
import { unpackEntries } from "../scan/unpack-entries.ts";
import { HeadDemand } from "./head-demand.ts";
import { MemoryBlock } from "./memory-block.ts";
import { Positions } from "./positions.ts";
import { RecentBlocks } from "./recent-blocks.ts";
import type { ScanProgress, ScanStep } from "./scan-jobs.ts";
import { ScanPool } from "./scan-pool.ts";
import { StepQueue, WaitingSteps } from "./step-queue.ts";
import type { AppendAnswer, Commit, Fault, Trim, WriterSettings } from "./thread-messages.ts";
import { Sleeper, Watermark } from "./watermark.ts";
import { type OpenedLog, WriterThread } from "./writer-thread.ts";

/** How to open the embedded engine. */
export interface SqliteEngineOptions {
  /** The folder of the log; made when it is not there. Everything in it is the log's. */
  readonly path: string;
  /** What may be deleted. Absent: nothing ever is. */
  readonly retention?: {
    /**
     * Entries that were accepted longer ago are deleted, in milliseconds; whole
     * blocks at a time, so some of them up to a sixteenth later. Absent: none.
     */
    readonly ageMs?: number;
    /**
     * The oldest entries are deleted when the log's file uses more bytes than
     * this; pages that are free, and the WAL (up to 64 MiB), are not counted.
     * Absent: no bound.
     */
    readonly bytes?: number;
  };
  /** How often retention looks, in milliseconds. Default: 10 000, at most 2 147 483 647. */
  readonly retentionIntervalMs?: number;
  /** Bytes of the newest entries kept in memory while tails read at the head of the log. Default: 32 MiB. */
  readonly memoryBytesMax?: number;
  /** Threads that run queries, counts and facets, started when needed. Default: the available cores less one, from 1 to 4. */
  readonly queryWorkers?: number;
  /**
   * How long a producer is remembered that has written nothing and has no
   * entries stored any more, in milliseconds. Default: 7 days.
   */
  readonly producerIdleMs?: number;
  /**
   * Bytes that the log's file never grows beyond, as if the disk were full
   * there: appends are then refused as `unavailable`. At least 1 MiB. Default: no bound but the disk's.
   */
  readonly fileBytesMax?: number;
  /**
   * What a joined block weighs at the most, see merge-plan.ts: for tests, which
   * have small logs. From 256 on. Default: 4 MiB, or less where retention wants it.
   *
   * @internal
   */
  readonly mergedWeightMax?: number;
}

const defaults = {
  retentionIntervalMs: 10_000,
  memoryBytesMax: 32 * 1024 * 1024,
  producerIdleMs: 7 * 24 * 3_600_000,
} as const;

/** Queries, counts and facets that wait for a thread; a dashboard asks for about five at a time. */
const waitingScansMax = 256;

/** Bytes of answers that wait for clients which read slowly: four full pages. */
const waitingStepBytesMax = 4 * limits.pageBytesMax;

/** Bytes of blocks that a reader at the head is given at a time, unless one block has more. */
const runBytesMax = 1024 * 1024;

/** A reader who is no further behind will be at the head in a moment: some blocks from the disk. */
const nearEntries = 100_000;

/** The longest that a timer waits: beyond it Node's fire at once, again and again. */
const timerMsMax = 2 ** 31 - 1;

/** Two entries, and the least for which joining blocks makes sense. */
const mergedWeightMaxLeast = 256;

/** Bytes of which a file of ours is made at the least. */
const fileBytesMin = 1024 * 1024;

const commitChannel = channel("logsvc:engine:commit");
const retentionChannel = channel("logsvc:engine:retention");
const mergeChannel = channel("logsvc:engine:merge");
const failureChannel = channel("logsvc:engine:failure");

/**
 * Opens the embedded engine. It publishes on `node:diagnostics_channel`:
 *
 * | channel | message |
 * | --- | --- |
 * | `logsvc:engine:commit` | `{ entries, bytes, durationUs }` of each transaction |
 * | `logsvc:engine:retention` | `{ blocks, entries, bytes }` deleted |
 * | `logsvc:engine:merge` | `{ blocks, entries, rawBytes, storedBytes, durationUs }`: so many blocks became one |
 * | `logsvc:engine:failure` | `{ code?, message }`: a commit, retention or merging failed, or a thread died |
 *
 * @throws EngineError `foreign` (what is there is no log), `newer`, `locked`
 *   (open elsewhere), `corrupt`, `unavailable` (no access, disk full).
 * @throws RangeError for an option out of its range.
 */
export async function openSqliteEngine(options: SqliteEngineOptions): Promise<Engine> {
  checkOptions(options);
  const headDemand = new HeadDemand();
  const settings: WriterSettings = {
    folder: options.path,
    headDemand: headDemand.shared,
    retentionAgeMs: options.retention?.ageMs,
    retentionBytes: options.retention?.bytes,
    retentionIntervalMs: options.retentionIntervalMs ?? defaults.retentionIntervalMs,
    producerIdleMs: options.producerIdleMs ?? defaults.producerIdleMs,
    fileBytesMax: options.fileBytesMax,
    mergedWeightMax: options.mergedWeightMax,
  };
  const engine = new SqliteEngine(settings, options, headDemand);
  try {
    await engine.opened();
  } catch (error) {
    await engine.close();
    throw error;
  }
  return engine;
}

class SqliteEngine implements Engine {
  readonly name = "sqlite";
  readonly #writer: WriterThread;
  /** Small reads: they must not wait behind a long search. */
  readonly #reads: ScanPool;
  readonly #scans: ScanPool;
  readonly #waitingSteps = new WaitingSteps(waitingStepBytesMax);
  readonly #recent: RecentBlocks;
  readonly #headDemand: HeadDemand;
  /** Blocks on their way from the disk, so that readers at one place share them. */
  readonly #loading = new Map<number, Promise<MemoryBlock | undefined>>();
  #positions = new Positions("");
  #watermark = new Watermark(1, 0);
  /** Of the newest block, in memory or not. */
  #headNumber = 0;
  #commits = 0;
  #commitUs = 0;
  #deleted = 0;
  #failure: EngineError | undefined;
  #closed: Promise<void> | undefined;

  constructor(settings: WriterSettings, options: SqliteEngineOptions, headDemand: HeadDemand) {
    this.#headDemand = headDemand;
    const threads = options.queryWorkers ?? Math.min(4, Math.max(1, availableParallelism() - 1));
    const scanner = { folder: settings.folder };
    this.#recent = new RecentBlocks(options.memoryBytesMax ?? defaults.memoryBytesMax);
    this.#reads = new ScanPool(scanner, { name: "reads", threads: 1, waitingMax: limits.tailsMax * 2 });
    this.#scans = new ScanPool(scanner, { name: "searches", threads, waitingMax: waitingScansMax });
    this.#writer = new WriterThread(settings, {
      committed: (commit) => this.#committed(commit),
      trimmed: (trim) => this.#trimmed(trim),
      merged: (merge) => mergeChannel.publish(merge),
      failed: (fault) => failureChannel.publish(fault),
      crashed: (error) => this.#crashed(error),
    });
  }

  async opened(): Promise<void> {
    const { identity, oldestOffset, nextOffset }: OpenedLog = await this.#writer.opened();
    this.#positions = new Positions(identity);
    this.#watermark = new Watermark(oldestOffset, nextOffset - 1);
  }

  async append(batch: EntryBatch): Promise<AppendResult> {
    this.#check();
    const { count } = batch;
    if (count === 0) return new StoredBatch({ ticket: 0, firstOffset: 0, stored: 0 }, 0, this.#positions);
    return new StoredBatch(await this.#writer.append(batch), count, this.#positions);
  }

  head(): string {
    return this.#positions.cursor(this.#watermark.offset);
  }

  lag(cursor: string): number {
    const { oldest, offset } = this.#watermark;
    const read = this.#positions.parseCursor(cursor, offset);
    return offset - Math.max(read, oldest - 1);
  }

  async *read(cursor: string, options: ReadOptions = {}): AsyncGenerator<ReadEvent, void, undefined> {
    const watermark = this.#watermark;
    let offset = this.#positions.parseCursor(cursor, watermark.offset);
    const sleeper = new Sleeper(watermark, options);
    try {
      while (!options.signal?.aborted) {
        watermark.check();
        if (offset + 1 < watermark.oldest) {
          const to = watermark.oldest - 1;
          yield {
            kind: "gap",
            from: this.#positions.cursor(offset),
            to: this.#positions.cursor(to),
            count: to - offset,
          };
          offset = to;
        } else if (offset < watermark.offset) {
          const blocks = this.#recent.run(offset + 1, runBytesMax);
          if (blocks.length > 0 || watermark.offset - offset < nearEntries) this.#headDemand.note();
          const block = blocks[0] ?? (await this.#load(offset + 1));
          if (block === undefined) {
            // Retention was faster; the next turn tells of the gap.
            await this.#learnOldest(offset + 1);
            continue;
          }
          const from = offset + 1 - block.firstOffset;
          offset = (blocks.at(-1) ?? block).lastOffset;
          yield { kind: "blocks", blocks: blocks.length > 0 ? blocks : [block], from };
        } else {
          this.#headDemand.note();
          if ((await sleeper.sleep()) === "idle") yield { kind: "idle" };
        }
      }
    } finally {
      sleeper.close();
    }
  }

  async cursorAtTime(time: bigint, { signal }: CallOptions = {}): Promise<string> {
    this.#check();
    const watermark = this.#watermark.offset;
    const first = await this.#scans.run("first_since", { time, watermark }, { signal });
    return this.#positions.cursor(first === undefined ? watermark : first - 1);
  }

  async backlog(request: BacklogRequest, { signal }: CallOptions = {}): Promise<Backlog> {
    this.#check();
    checkAmount("limit", request.limit, 0, limits.pageEntriesMax);
    const watermark = this.#watermark.offset;
    const chunks: EntryChunk[] = [];
    const onStep = ({ entries }: ScanStep) => entries && chunks.push(entries);
    await this.#scans.run("backlog", { ...request, watermark }, { signal, onStep });
    return {
      entries: chunks.flatMap((chunk) => this.#unpack(chunk)),
      cursors: chunks.flatMap(({ offsets }) =>
        Array.from(offsets, (offset) => this.#positions.cursor(offset)),
      ),
      cursor: this.#positions.cursor(watermark),
    };
  }

  async *query(
    request: QueryRequest,
    { signal }: CallOptions = {},
  ): AsyncGenerator<QueryStep, void, undefined> {
    this.#check();
    const { pageToken, ...rest } = request;
    checkAmount("limit", request.limit, 1, limits.pageEntriesMax);
    const after = pageToken ? this.#positions.parsePageToken(pageToken, request.order) : undefined;
    const steps = new StepQueue<ScanStep>(this.#waitingSteps);
    const signals = signal === undefined ? steps.signal : AbortSignal.any([signal, steps.signal]);
    const job = { ...rest, after, watermark: this.#watermark.offset };
    steps.follow(this.#scans.run("query", job, { signal: signals, onStep: (step) => steps.push(step) }));
    for await (const { entries, progress } of steps) {
      yield {
        entries: entries === undefined ? [] : this.#unpack(entries),
        ...(progress === undefined ? {} : { progress: this.#progressOf(progress, request.order) }),
      };
    }
  }

  async around({ id, before, after }: AroundRequest, { signal }: CallOptions = {}): Promise<StoredEntry[]> {
    this.#check();
    const offset = this.#positions.parseId(id);
    checkAmount("before", before, 0, limits.pageEntriesMax);
    checkAmount("after", after, 0, limits.pageEntriesMax);
    if (offset > this.#watermark.offset)
      throw new EngineError("not_found", `the entry ${id} is not in the log yet`);
    if (offset >= this.#watermark.oldest) {
      const job = { offset, before, after, watermark: this.#watermark.offset };
      const chunk = await this.#reads.run("around", job, { signal });
      if (chunk !== undefined) return this.#unpack(chunk);
    }
    throw new EngineError("not_found", `the entry ${id} is no longer in the log`);
  }

  async count(request: CountRequest, { signal }: CallOptions = {}): Promise<Histogram> {
    this.#check();
    checkAmount("buckets", request.buckets, 1, limits.bucketsMax);
    checkAmount("groups", request.groups, 0, limits.groupsMax);
    return this.#scans.run("count", { ...request, watermark: this.#watermark.offset }, { signal });
  }

  async values(request: ValuesRequest, { signal }: CallOptions = {}): Promise<FieldValues> {
    this.#check();
    checkAmount("limit", request.limit, 1, limits.valuesMax);
    return this.#scans.run("values", { ...request, watermark: this.#watermark.offset }, { signal });
  }

  async stats(): Promise<EngineStats> {
    this.#check();
    const totals = await this.#reads.run("totals", {});
    return {
      entries: totals.nextOffset - totals.oldestOffset,
      blocks: totals.blocks,
      rawBytes: totals.rawBytes,
      diskBytes: totals.fileBytes,
      oldest: totals.leastTimestamp,
      newest: totals.greatestTimestamp,
      commits: this.#commits,
      commitUs: this.#commitUs,
      deleted: this.#deleted,
    };
  }

  close(): Promise<void> {
    this.#closed ??= this.#shutDown();
    return this.#closed;
  }

  async #shutDown(): Promise<void> {
    const error = new EngineError("closed", "the log was closed");
    this.#watermark.end(error);
    await Promise.all([this.#reads.close(error), this.#scans.close(error)]);
    // Last, so that no one else has the file open when the WAL is moved into it.
    // What was appended before is stored and answered first.
    await this.#writer.close();
  }

  /** @throws EngineError when the engine is no longer of use. */
  #check(): void {
    if (this.#closed !== undefined) throw new EngineError("closed", "the log was closed");
    if (this.#failure !== undefined) throw this.#failure;
  }

  #committed({ blocks, entries, bytes, durationUs, nextOffset }: Commit): void {
    this.#commits++;
    this.#commitUs += durationUs;
    // Blocks follow each other if and only if their numbers do: entries that are not here have one as well, repeats none.
    if (blocks.length === 0 && entries > 0) this.#headNumber++;
    for (const image of blocks) {
      this.#recent.add(new MemoryBlock(image, this.#positions, ++this.#headNumber));
    }
    if (this.#headDemand.expire(this.#watermark.isAwaited)) this.#recent.clear();
    this.#watermark.advance(nextOffset - 1);
    commitChannel.publish({ entries, bytes, durationUs });
  }

  #trimmed({ oldestOffset, ...deleted }: Trim): void {
    this.#deleted += deleted.entries;
    this.#watermark.trim(oldestOffset);
    this.#recent.dropBefore(oldestOffset);
    retentionChannel.publish(deleted);
  }

  #crashed(error: EngineError): void {
    this.#failure = error;
    this.#watermark.end(error);
    // Neither is awaited: their jobs are refused at once, and `close` waits for the threads.
    void this.#reads.close(error);
    void this.#scans.close(error);
    failureChannel.publish({ code: error.code, message: error.message } satisfies Fault);
  }

  #load(offset: number): Promise<MemoryBlock | undefined> {
    let loading = this.#loading.get(offset);
    if (loading === undefined) {
      loading = this.#reads
        .run("load", { offset })
        .then((image) => image && new MemoryBlock(image, this.#positions))
        .finally(() => this.#loading.delete(offset));
      this.#loading.set(offset, loading);
    }
    return loading;
  }

  /**
   * Asks the disk where the log begins now, after an entry was not found.
   *
   * @throws EngineError `corrupt` when the entry should have been there.
   */
  async #learnOldest(missing: number): Promise<void> {
    const { oldestOffset } = await this.#reads.run("totals", {});
    this.#watermark.trim(oldestOffset);
    if (missing < oldestOffset) return;
    throw new EngineError("corrupt", `the entry ${this.#positions.id(missing)} is missing from the log`);
  }

  #unpack(chunk: EntryChunk): StoredEntry[] {
    return unpackEntries(chunk, (offset) => this.#positions.id(offset));
  }

  #progressOf({ next, ...progress }: ScanProgress, order: QueryRequest["order"]) {
    return { ...progress, nextPageToken: next === undefined ? "" : this.#positions.pageToken(order, next) };
  }
}

/** The writer's answer to a batch, in ids. */
class StoredBatch implements AppendResult {
  readonly duplicates: number;
  readonly firstId: string;
  readonly lastId: string;
  readonly #answer: AppendAnswer;
  readonly #count: number;
  readonly #positions: Positions;

  constructor(answer: AppendAnswer, count: number, positions: Positions) {
    const { firstOffset, stored } = answer;
    this.duplicates = count - stored;
    this.firstId = stored === 0 ? "" : positions.id(firstOffset);
    this.lastId = stored === 0 ? "" : positions.id(firstOffset + stored - 1);
    this.#answer = answer;
    this.#count = count;
    this.#positions = positions;
  }

  idAt(index: number): string {
    const offset = this.#offsetAt(index);
    return offset === 0 ? "" : this.#positions.id(offset);
  }

  writeIdAt(index: number, into: Uint8Array, at: number): number {
    const offset = this.#offsetAt(index);
    return offset === 0 ? at : this.#positions.writeId(offset, into, at);
  }

  isDuplicate(index: number): boolean {
    this.#checkIndex(index);
    return this.#answer.repeats?.flags[index] === 1;
  }

  #offsetAt(index: number): number {
    this.#checkIndex(index);
    const { firstOffset, repeats } = this.#answer;
    return repeats === undefined ? firstOffset + index : (repeats.offsets[index] ?? 0);
  }

  #checkIndex(index: number): void {
    if (!(index >= 0 && index < this.#count))
      throw new RangeError(`entry ${index} of a batch of ${this.#count}`);
  }
}

/** @throws EngineError `invalid` */
function checkAmount(name: string, value: number, min: number, max: number): void {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return;
  throw new EngineError("invalid", `${name} is ${value}; it must be a whole number from ${min} to ${max}`);
}

function checkOptions(options: SqliteEngineOptions): void {
  if (options.path === "")
    throw new RangeError("Expected `path` to be a folder's path, got the empty string");
  if (endianness() !== "LE")
    throw new RangeError("this machine is big-endian; blocks are exchanged as little-endian arrays");
  const { retention, retentionIntervalMs, memoryBytesMax, queryWorkers } = options;
  const { producerIdleMs, fileBytesMax, mergedWeightMax } = options;
  checkNumber("retention.ageMs", retention?.ageMs, 1);
  checkNumber("retention.bytes", retention?.bytes, 1);
  checkNumber("retentionIntervalMs", retentionIntervalMs, 1, timerMsMax);
  checkNumber("memoryBytesMax", memoryBytesMax, 0);
  checkNumber("queryWorkers", queryWorkers, 1);
  checkNumber("producerIdleMs", producerIdleMs, 0);
  checkNumber("fileBytesMax", fileBytesMax, fileBytesMin);
  checkNumber("mergedWeightMax", mergedWeightMax, mergedWeightMaxLeast);
}

function checkNumber(
  name: string,
  value: number | undefined,
  min: number,
  max = Number.MAX_SAFE_INTEGER,
): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= min && value <= max)) return;
  const bounds = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  throw new RangeError(`Expected \`${name}\` to be a whole number ${bounds}, got ${value}`);
}
