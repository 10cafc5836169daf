/**
 * The client over any transport: the RPCs that every runtime can do, with
 * defaults, times and errors as a TypeScript user expects them.
 *
 * It holds no connection of its own (the transport does), and nothing that
 * would have to be closed.
 */
import { type Client, createClient, type Transport } from "@connectrpc/connect";
import {
  type CountLogsResponse,
  type ListValuesResponse,
  LogService,
  limits,
  type StoredEntry,
  type WatchStatsResponse,
  type WriteLogsResponse,
} from "@logsvc/proto";
import { type Clock, systemClock } from "./clock.ts";
import { type ConnectionGate, openGate, reopening } from "./connection-gate.ts";
import { type LogEntryInit, toWireTime } from "./log-entry-init.ts";
import { Query, type QueryOptions, type Selection } from "./query.ts";
import { type RangeEvent, type RangeOptions, readRange } from "./range.ts";
import { Tail, type TailOptions } from "./tail.ts";
import { type BatchOrigin, toWriteRequest } from "./write-batch.ts";

/** The RPCs as they are, for what the client has no better form of. */
export type LogRpc = Client<typeof LogService>;

/** Options of createLogClient. */
export interface LogClientOptions {
  /** Where waiting and jitter come from. Default: the runtime. For tests. */
  readonly clock?: Clock;
  /** Whom tails and `watchStats` ask before they connect. Default: nobody. For runtimes with few connections. */
  readonly gate?: ConnectionGate;
}

/** Options of every call that is answered once. */
export interface LogCallOptions {
  /** Aborting cancels the call at once. */
  readonly signal?: AbortSignal;
  /** The call fails with DeadlineExceeded after so long, in milliseconds. Default: never. */
  readonly timeoutMs?: number;
}

/** Options of `write`. */
export interface WriteOptions extends LogCallOptions, BatchOrigin {}

/** Options of `around`. */
export interface AroundOptions extends LogCallOptions {
  /** How many entries in all, half before and half after. Default: 100, at most 10 000. */
  readonly limit?: number;
}

/** What to count. */
export interface CountOptions extends Selection, LogCallOptions {
  /** The width of a bucket, in nanoseconds. Default: the least round width that needs no more than `buckets`. */
  readonly interval?: bigint;
  /** How many buckets at the most. Default: 60, at most 10 000. */
  readonly buckets?: number;
  /** Count apart by this field's values. Default: one series. */
  readonly groupBy?: string;
  /** How many values at the most; the rest is counted in one series. Default: 10, at most 100. */
  readonly groups?: number;
}

/** Which values to list. */
export interface ValuesOptions extends Selection, LogCallOptions {
  /** The field. Default: list the names of the fields. */
  readonly field?: string;
  /** Only values that begin so, without regard to case. */
  readonly prefix?: string;
  /** How many values at the most. Default: 20, at most 1 000. */
  readonly limit?: number;
}

/** Options of `watchStats`. */
export interface WatchStatsOptions {
  /** Time between two answers, in milliseconds, from 100 to 60 000. Default: 1 000. */
  readonly intervalMs?: number;
  /** Aborting ends the stream at once. */
  readonly signal?: AbortSignal;
}

/** A client of one log. Every call throws ConnectError; see `isRetryable`, `retryDelayMs` and `filterErrorOf`. */
export interface LogClient {
  /** The RPCs as they are. */
  readonly rpc: LogRpc;

  /**
   * Writes one batch and resolves when its accepted entries are on disk.
   * Entries that were not accepted are in `rejections`. A batch is not split.
   *
   * @throws RangeError when there are more than 100 000 entries; ConnectError
   *   ResourceExhausted when they take more than 16 MiB.
   */
  write(entries: readonly LogEntryInit[], options?: WriteOptions): Promise<WriteLogsResponse>;

  /** Follows the log: each matching entry once, in order, over any number of disconnects. */
  tail(options?: TailOptions): Tail;

  /**
   * What a reader has skipped or dropped, once more: the matching entries after the cursor `from` and before
   * the entry `to`, each once, in order, over any number of disconnects; then it ends. What retention has
   * deleted can't come back: it is told as a gap, which may reach beyond `to`.
   *
   * @throws RangeError in a step when `to` does not come after `from`, or does not match.
   */
  range(options: RangeOptions): AsyncGenerator<RangeEvent, void, undefined>;

  /** Searches what is stored. */
  query(options?: QueryOptions): Query;

  /**
   * An entry with its neighbours in the order of the log, without regard to any filter.
   *
   * @throws ConnectError OutOfRange (not an id of this log), NotFound (no longer in the log).
   * @throws RangeError when the id is empty.
   */
  around(id: string, options?: AroundOptions): Promise<StoredEntry[]>;

  /** Counts matching entries by time and by a field's values. */
  count(options?: CountOptions): Promise<CountLogsResponse>;

  /** Lists a field's most frequent values, or the names of the fields. */
  values(options?: ValuesOptions): Promise<ListValuesResponse>;

  /** What the service is doing: at once, then again and again. It does not reconnect. */
  watchStats(options?: WatchStatsOptions): AsyncIterable<WatchStatsResponse>;
}

/** Creates a client that calls through a transport. */
export function createLogClient(transport: Transport, options: LogClientOptions = {}): LogClient {
  const rpc = createClient(LogService, transport);
  const { clock = systemClock, gate = openGate } = options;
  const context = { rpc, clock, gate };
  return {
    rpc,
    write: async (entries, writeOptions = {}) =>
      rpc.writeLogs(toWriteRequest({ ...writeOptions, entries }), callOptions(writeOptions)),
    tail: (tailOptions = {}) => new Tail(context, tailOptions),
    range: (rangeOptions) => readRange(context, rangeOptions),
    query: (queryOptions = {}) => new Query(rpc, queryOptions),
    around: (id, aroundOptions = {}) => around(rpc, id, aroundOptions),
    count: async ({ start, end, ...countOptions } = {}) =>
      rpc.countLogs(
        { ...countOptions, start: toWireTime(start), end: toWireTime(end) },
        callOptions(countOptions),
      ),
    values: async ({ start, end, ...valuesOptions } = {}) =>
      rpc.listValues(
        { ...valuesOptions, start: toWireTime(start), end: toWireTime(end) },
        callOptions(valuesOptions),
      ),
    watchStats: ({ intervalMs = limits.statsIntervalMsDefault, signal } = {}) =>
      reopening((rpcSignal) => rpc.watchStats({ intervalMs }, { signal: rpcSignal }), gate, signal),
  };
}

async function around(rpc: LogRpc, id: string, options: AroundOptions): Promise<StoredEntry[]> {
  const { limit = limits.pageEntriesDefault } = options;
  // The service would take it for a search without an id.
  if (id === "") throw new RangeError('id: expected an entry\'s id, got ""');
  const entries: StoredEntry[] = [];
  for await (const response of rpc.queryLogs({ around: id, limit }, callOptions(options))) {
    entries.push(...response.entries);
  }
  return entries;
}

/** Only what Connect knows: it must not see our own options. */
export function callOptions({ signal, timeoutMs }: LogCallOptions): LogCallOptions {
  return { ...(signal && { signal }), ...(timeoutMs !== undefined && { timeoutMs }) };
}
