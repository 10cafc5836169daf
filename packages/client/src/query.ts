/**
 * A search over as many pages as its limit takes, read as one sequence.
 */
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import {
  type LogService,
  limits,
  Order,
  type QueryLogsResponse,
  type QueryProgress as QueryProgressMessage,
  type StoredEntry,
} from "@logsvc/proto";
import { cancellable } from "./cancellable.ts";
import { type LogTime, toWireTime } from "./log-entry-init.ts";

/** Which entries: a filter and a range of time, which holds `start` and not `end`. */
export interface Selection {
  /** In the filter language. Default: all. At most 8 KiB. */
  readonly filter?: string;
  /** The earliest timestamp. Default: from the beginning. */
  readonly start?: LogTime;
  /** The end of the range. Default: without end. */
  readonly end?: LogTime;
}

/** What to search for. */
export interface QueryOptions extends Selection {
  /** By timestamp. Default: "newest" first. */
  readonly order?: "newest" | "oldest";
  /** How many entries at the most, over all pages; Infinity for all. Default: 100. */
  readonly limit?: number;
  /** A former query's `nextPageToken`, to go on after it with the same filter, range and order. */
  readonly pageToken?: string;
  /** Called whenever the server tells how far it is, also while nothing matches. */
  readonly onProgress?: (progress: QueryProgress) => void;
  /** Aborting cancels the query at once. */
  readonly signal?: AbortSignal;
}

/** How far a query is, and what it cost, over all its pages. Bytes are of entries before compression. */
export interface QueryProgress {
  /** Blocks in the range of time. */
  readonly blocksTotal: number;
  readonly blocksScanned: number;
  readonly blocksSkipped: number;
  readonly bytesScanned: number;
  readonly bytesSkipped: number;
  readonly entriesScanned: number;
  readonly matches: number;
}

const noProgress: QueryProgress = {
  blocksTotal: 0,
  blocksScanned: 0,
  blocksSkipped: 0,
  bytesScanned: 0,
  bytesSkipped: 0,
  entriesScanned: 0,
  matches: 0,
};

/** What a page leaves behind. */
interface PageEnd {
  readonly count: number;
  readonly nextPageToken: string;
}

/**
 * Results, as they are found: `for await (const stored of query)`, or by
 * `batches()` as they came. Each iteration asks anew.
 */
export class Query implements AsyncIterable<StoredEntry> {
  readonly #rpc: Client<typeof LogService>;
  readonly #options: QueryOptions;
  readonly #limit: number;
  #progress = noProgress;
  #nextPageToken = "";

  /**
   * Made by `LogClient.query`.
   *
   * @internal
   * @throws RangeError when `limit` is out of its range.
   */
  constructor(rpc: Client<typeof LogService>, options: QueryOptions) {
    const { limit = limits.pageEntriesDefault } = options;
    if (limit !== Number.POSITIVE_INFINITY && !(Number.isSafeInteger(limit) && limit > 0)) {
      throw new RangeError(`Expected limit to be an integer from 1, or Infinity, got ${limit}`);
    }
    this.#rpc = rpc;
    this.#options = options;
    this.#limit = limit;
  }

  /** How far it is, as far as the server has told. */
  get progress(): QueryProgress {
    return this.#progress;
  }

  /** After the end: where to go on. Empty when there is nothing more, or before the end. */
  get nextPageToken(): string {
    return this.#nextPageToken;
  }

  /** The entries one by one. Throws ConnectError as QueryLogs does. */
  async *[Symbol.asyncIterator](): AsyncGenerator<StoredEntry, void, undefined> {
    for await (const entries of this.batches()) yield* entries;
  }

  /** The entries as they came, none empty: fewer steps than one by one. Throws ConnectError as QueryLogs does. */
  async *batches(): AsyncGenerator<StoredEntry[], void, undefined> {
    this.#progress = noProgress;
    this.#nextPageToken = "";
    let left = this.#limit;
    let pageToken = this.#options.pageToken ?? "";
    for (;;) {
      const page = yield* this.#page(pageToken, Math.min(left, limits.pageEntriesMax));
      left -= page.count;
      const former = pageToken;
      pageToken = page.nextPageToken;
      if (pageToken === "" || left <= 0) break;
      if (pageToken === former) throw new ConnectError("the next page is the same again", Code.Internal);
    }
    this.#nextPageToken = pageToken;
  }

  async *#page(pageToken: string, limit: number): AsyncGenerator<StoredEntry[], PageEnd, undefined> {
    const before = this.#progress;
    let count = 0;
    for await (const { entries, progress } of this.#call(pageToken, limit)) {
      if (progress !== undefined) {
        this.#progress = addProgress(before, progress);
        this.#options.onProgress?.(this.#progress);
      }
      count += entries.length;
      if (entries.length > 0) yield entries;
      if (progress?.complete) return { count, nextPageToken: progress.nextPageToken };
    }
    throw new ConnectError("the query ended before it was complete", Code.Unavailable);
  }

  #call(pageToken: string, limit: number): AsyncIterable<QueryLogsResponse> {
    const { filter = "", start, end, order = "newest", signal } = this.#options;
    const request = {
      filter,
      start: toWireTime(start),
      end: toWireTime(end),
      order: order === "oldest" ? Order.OLDEST_FIRST : Order.NEWEST_FIRST,
      limit,
      pageToken,
    };
    return cancellable((rpcSignal) => this.#rpc.queryLogs(request, { signal: rpcSignal }), signal);
  }
}

function addProgress(before: QueryProgress, page: QueryProgressMessage): QueryProgress {
  return {
    // Each page tells it of the whole range, which may grow meanwhile.
    blocksTotal: Math.max(before.blocksTotal, Number(page.blocksTotal)),
    blocksScanned: before.blocksScanned + Number(page.blocksScanned),
    blocksSkipped: before.blocksSkipped + Number(page.blocksSkipped),
    bytesScanned: before.bytesScanned + Number(page.bytesScanned),
    bytesSkipped: before.bytesSkipped + Number(page.bytesSkipped),
    entriesScanned: before.entriesScanned + Number(page.entriesScanned),
    matches: before.matches + Number(page.matches),
  };
}
