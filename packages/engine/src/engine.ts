/**
 * The log, as everything above it sees it: an append-only sequence of entries
 * with offsets from 1, never reused.
 *
 *   append ─▶ offsets assigned, repeats dropped ─▶ durable ─▶ watermark moves ─▶ readers wake
 *
 * What every engine promises (the contract suite in contract.ts is the
 * definition, this is its prose):
 *
 * 1. When `append` resolves, the batch's entries survive `kill -9` and power
 *    loss. When it rejects, none of them was claimed; a retry with the same
 *    producer id and sequences stores each at most once.
 * 2. The entries of a batch keep their order and lie side by side; batches keep
 *    the order in which `append` was called. When one of a producer's rejects,
 *    so do all that it appended before it could know: sent again, they all keep
 *    their order.
 * 3. Readers see every entry up to the watermark once, in order, without holes,
 *    and nothing past it. Where retention has deleted what they had not read
 *    they are told how much.
 * 4. Offsets are the engine's own. Outside they appear inside an id (of an
 *    entry) or a cursor (a position between entries), both opaque strings that
 *    stay valid over restarts and are refused by another log.
 * 5. `receivedAt` never decreases in the order of the log.
 * 6. A reader or a query never makes `append` wait, and holds a bounded number
 *    of bytes.
 *
 * Times are Unix nanoseconds as bigint. A range holds `start`, not `end`.
 */
import type { FilterableEntry, FilterNode } from "@logsvc/filter";
import type { LogEntry, StoredEntry } from "@logsvc/proto";
import type { EntryBatch } from "./entry-batch.ts";

/** An implementation of the log. Open one with its own `open…Engine`. */
export interface Engine {
  /** Which implementation this is. */
  readonly name: "sqlite" | "kafka";

  /**
   * Appends a batch and resolves when it is durable. Takes the batch over: its
   * buffers must not be used afterwards. An empty batch resolves at once.
   *
   * @throws EngineError `unavailable` (disk full, broker away: retryable), `closed`.
   */
  append(batch: EntryBatch): Promise<AppendResult>;

  /** The cursor at the watermark: a read from here returns what is accepted from now on. */
  head(): string;

  /**
   * A cursor before the first stored entry whose timestamp is `time` or later;
   * entries with an earlier timestamp may follow it too. At the watermark when
   * there is none.
   */
  cursorAtTime(time: bigint, options?: CallOptions): Promise<string>;

  /**
   * The last `limit` matching entries up to the watermark, in the order of the
   * log, and the cursor at that watermark, to read on from.
   */
  backlog(request: BacklogRequest, options?: CallOptions): Promise<Backlog>;

  /**
   * Reads from a cursor on, for ever: blocks as they are there, then those that
   * become durable; `gap` where retention was faster. Ends when the signal
   * aborts, without an error, or when the engine closes, with one.
   *
   * @throws EngineError `out_of_range` (not a cursor of this log) at the first
   *   step, `corrupt`, `closed`.
   */
  read(cursor: string, options?: ReadOptions): AsyncIterable<ReadEvent>;

  /** How many entries lie between a cursor and the watermark. */
  lag(cursor: string): number;

  /**
   * Searches a time range, by timestamp; entries of one timestamp by offset.
   * The last step has `progress.complete`.
   *
   * @throws EngineError `out_of_range` (not a page token of this log), `corrupt`, `closed`.
   */
  query(request: QueryRequest, options?: CallOptions): AsyncIterable<QueryStep>;

  /**
   * The entry of an id with its neighbours, in the order of the log.
   *
   * @throws EngineError `out_of_range` (not an id of this log), `not_found`, `corrupt`, `closed`.
   */
  around(request: AroundRequest, options?: CallOptions): Promise<StoredEntry[]>;

  /** Counts matching entries by time and by a field's values. */
  count(request: CountRequest, options?: CallOptions): Promise<Histogram>;

  /** A field's most frequent values, or the names of the fields. */
  values(request: ValuesRequest, options?: CallOptions): Promise<FieldValues>;

  /** What is stored, and what it took. */
  stats(): Promise<EngineStats>;

  /**
   * Makes everything appended so far durable, ends every reader and query, and
   * lets go of the storage. A second call returns the first one's promise.
   */
  close(): Promise<void>;
}

/** Options of every call that may take long. */
export interface CallOptions {
  /** Aborting stops the work at once; the call then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Bytes of an id at the most, in any engine. */
export const idBytesMax = 80;

/** Where each entry of a batch went. Entries are counted from 0, in the batch's order. */
export interface AppendResult {
  /** How many entries were stored before and not again. */
  readonly duplicates: number;
  /** The id of the first entry stored now; empty when none was. */
  readonly firstId: string;
  /** The id of the last entry stored now; empty when none was. */
  readonly lastId: string;
  /** The entry's id; for a duplicate the one it got the first time, empty when that is no longer known. */
  idAt(index: number): string;
  /**
   * Writes what `idAt` returns, in ASCII, for those who answer thousands at a
   * time.
   *
   * @param into Has room for `idBytesMax` bytes from `at` on.
   * @returns Where the id ends; `at` when it is empty.
   */
  writeIdAt(index: number, into: Uint8Array, at: number): number;
  /** Whether the entry was stored before. */
  isDuplicate(index: number): boolean;
}

/**
 * Consecutive entries of the log, immutable and shared by all who read them.
 * See EntryBatch for `bytes`, `ends`, `timestamps` and `severities`.
 */
export interface Block {
  /**
   * Which block this is among those at the head of the log, which all who read
   * there are given: consecutive ones have consecutive numbers. Absent for a
   * block that was loaded for a reader who is behind.
   */
  readonly headNumber?: number;
  readonly count: number;
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
  readonly timestamps: BigInt64Array;
  readonly severities: Uint8Array;
  /** When the entry was accepted. */
  receivedAt(index: number): bigint;
  /** The entry's id. */
  idAt(index: number): string;
  /** Writes the entry's id as UTF-8, 127 bytes at the most, and returns where it ends. */
  writeIdAt(index: number, into: Uint8Array, at: number): number;
  /** The cursor just after the entry. */
  cursorAt(index: number): string;
  /** The entry, decoded. The same object may be returned to several readers: don't change it. */
  entryAt(index: number): LogEntry;
  /** The entry's fields, each decoded when it is asked for. Of use only until the next call. */
  viewAt(index: number): FilterableEntry;
}

/** Options of `read`. */
export interface ReadOptions extends CallOptions {
  /** Yield `idle` when there was nothing to read for so long, in milliseconds. Absent: never. */
  readonly idleMs?: number;
}

/** What a read comes upon. */
export type ReadEvent =
  | {
      /** Consecutive blocks, one at least: those at the head come together, up to about 1 MiB of them. */
      readonly kind: "blocks";
      readonly blocks: readonly Block[];
      /** The first entry of the first block that lies after the read's cursor. */
      readonly from: number;
    }
  | {
      /** Entries after `from` up to and with `to` were deleted before they were read. */
      readonly kind: "gap";
      readonly from: string;
      readonly to: string;
      readonly count: number;
    }
  | { readonly kind: "idle" };

/** What `backlog` looks for. */
export interface BacklogRequest {
  readonly filter: FilterNode;
  /** The earliest timestamp. Absent: all. */
  readonly start?: bigint;
  /** How many entries at the most. */
  readonly limit: number;
}

/** The end of the log as a tail wants it. */
export interface Backlog {
  /** In the order of the log. */
  readonly entries: StoredEntry[];
  /** The cursor just after each of them. */
  readonly cursors: string[];
  /** The cursor at the watermark at which they were taken. */
  readonly cursor: string;
}

/** Which entries: a filter and a time range. */
export interface Selection {
  readonly filter: FilterNode;
  /** The earliest timestamp. Absent: from the beginning. */
  readonly start?: bigint;
  /** The end of the range, not in it. Absent: without end. */
  readonly end?: bigint;
}

/** What `query` looks for. */
export interface QueryRequest extends Selection {
  readonly order: "newest" | "oldest";
  /** How many entries at the most. */
  readonly limit: number;
  /** Where a former page ended. Absent or empty: the first page. */
  readonly pageToken?: string;
}

/** Results, progress, or both. */
export interface QueryStep {
  readonly entries: StoredEntry[];
  readonly progress?: QueryProgress;
}

/** How far a query is, and what it cost. Bytes are of entries before compression. */
export interface QueryProgress {
  readonly blocksTotal: number;
  readonly blocksScanned: number;
  readonly blocksSkipped: number;
  readonly bytesScanned: number;
  readonly bytesSkipped: number;
  readonly entriesScanned: number;
  readonly matches: number;
  /**
   * Where the next page begins; empty when there is none, or not yet known. A
   * page that stopped at its limit has one even if nothing more matches: the
   * next page is then empty.
   */
  readonly nextPageToken: string;
  readonly complete: boolean;
}

/** What `around` looks for. */
export interface AroundRequest {
  readonly id: string;
  /** How many entries before it at the most. */
  readonly before: number;
  /** How many entries after it at the most. */
  readonly after: number;
}

/** What `count` counts. */
export interface CountRequest extends Selection {
  /** The width of a bucket. Absent: the least round width that needs no more than `buckets`. */
  readonly interval?: bigint;
  /** How many buckets at the most. With an interval that needs more: EngineError `invalid`. */
  readonly buckets: number;
  /** The field to count apart by. Absent: one series. */
  readonly groupBy?: string;
  /** How many series at the most, without the one for the rest. */
  readonly groups: number;
}

/** Counts by time. */
export interface Histogram {
  /** The start of the first bucket, a whole multiple of `interval`. */
  readonly start: bigint;
  readonly interval: bigint;
  /** The most frequent first; levels by severity, the highest first. */
  readonly series: HistogramSeries[];
  readonly total: number;
}

/** One value's counts. */
export interface HistogramSeries {
  readonly value: string;
  readonly counts: number[];
  readonly total: number;
  /** True: everything that is in no other series. */
  readonly other: boolean;
}

/** What `values` lists. */
export interface ValuesRequest extends Selection {
  /** Absent: the names of the fields. */
  readonly field?: string;
  /** Only values that begin so, without regard to case. */
  readonly prefix?: string;
  /** How many values at the most. */
  readonly limit: number;
}

/** Values by falling count; equal counts by value. */
export interface FieldValues {
  readonly values: { readonly value: string; readonly count: number }[];
  readonly distinct: number;
  /** True: there were more different values than are counted. */
  readonly truncated: boolean;
}

/** What is stored, and what it took. Counts "since open" start anew with the process. */
export interface EngineStats {
  readonly entries: number;
  readonly blocks: number;
  readonly rawBytes: number;
  readonly diskBytes: number;
  /** The least timestamp; 0n when the log is empty. */
  readonly oldest: bigint;
  /** The greatest timestamp; 0n when the log is empty. */
  readonly newest: bigint;
  /** Commits since open. */
  readonly commits: number;
  /** Time in commits since open, microseconds. */
  readonly commitUs: number;
  /** Entries deleted by retention since open. */
  readonly deleted: number;
}
