/**
 * Asking the log: QueryLogs, CountLogs, ListValues. The engine searches; here
 * requests are checked, answers shaped, and running queries counted and bounded.
 *
 *   request ─▶ check ─▶ engine.query ─▶ entries and progress, as found ─▶ complete
 *                │ field out of range: InvalidArgument    │ corrupt: DataLoss
 *                │ not our token or id: OutOfRange        │ cut by a drain: Unavailable
 *                ▼ too many running: ResourceExhausted    ▼ deadline, cancel: at once
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Engine, QueryProgress } from "@logsvc/engine";
import {
  type CountLogsRequest,
  type CountLogsResponseSchema,
  type ListValuesRequest,
  type ListValuesResponseSchema,
  limits,
  Order,
  type QueryLogsRequest,
  type QueryProgressSchema,
  type StoredEntry,
} from "@logsvc/proto";
import type { Lifecycle } from "../lifecycle.ts";
import { RequestError } from "../request-error.ts";
import { countField, filterField, rangeFields } from "../request-fields.ts";
import { splitByBytes } from "../response-size.ts";
import type { Counters } from "../stats/counters.ts";

/** What a query is asked for: the fields of QueryLogsRequest. */
export type QueryRequestFields = Pick<
  QueryLogsRequest,
  "filter" | "start" | "end" | "order" | "limit" | "pageToken" | "around"
>;

/** One response of a query: QueryLogsResponse. */
export interface QueryResponse {
  readonly entries: StoredEntry[];
  readonly progress?: MessageInitShape<typeof QueryProgressSchema> & {
    readonly nextPageToken: string;
    readonly complete: boolean;
  };
}

/** What queries work with. */
export interface QueryOptions {
  readonly engine: Engine;
  readonly lifecycle: Lifecycle;
  readonly counters: Counters;
}

/** The read side of the service, but for tails. */
export class Queries {
  readonly #engine: Engine;
  readonly #lifecycle: Lifecycle;
  readonly #counters: Counters;

  constructor({ engine, lifecycle, counters }: QueryOptions) {
    this.#engine = engine;
    this.#lifecycle = lifecycle;
    this.#counters = counters;
  }

  /**
   * Searches. The last response has `progress.complete`.
   *
   * @throws RequestError; FilterSyntaxError; EngineError `out_of_range`,
   *   `not_found`, `corrupt`, `closed`; the signal's reason.
   */
  async *search(
    request: QueryRequestFields,
    signal: AbortSignal,
  ): AsyncGenerator<QueryResponse, void, undefined> {
    const filter = filterField(request.filter);
    const limit = countField("limit", request.limit, {
      byDefault: limits.pageEntriesDefault,
      max: limits.pageEntriesMax,
    });
    const range = rangeFields(request);
    const order = orderField(request.order);
    using running = this.#begin(signal);
    if (request.around !== "") {
      yield* this.#around(request.around, limit, running.signal);
      return;
    }
    const { pageToken } = request;
    const steps = this.#engine.query({ filter, ...range, order, limit, pageToken }, running);
    for await (const step of steps) {
      const progress = step.progress && progressFields(step.progress);
      const pages = [...splitByBytes(step.entries)];
      const last = pages.pop() ?? [];
      for (const entries of pages) yield { entries };
      yield progress ? { entries: last, progress } : { entries: last };
    }
  }

  /** Counts by time and by a field's values. Throws as `search` does. */
  async count(
    request: CountLogsRequest,
    signal: AbortSignal,
  ): Promise<MessageInitShape<typeof CountLogsResponseSchema>> {
    const filter = filterField(request.filter);
    const buckets = countField("buckets", request.buckets, {
      byDefault: limits.bucketsDefault,
      max: limits.bucketsMax,
    });
    const groups = countField("groups", request.groups, {
      byDefault: limits.groupsDefault,
      max: limits.groupsMax,
    });
    const { interval, groupBy } = request;
    if (interval < 0n) throw new RequestError("invalid", `interval: must not be negative, got ${interval}`);
    const shape = {
      ...(interval === 0n ? {} : { interval }),
      ...(groupBy === "" ? {} : { groupBy }),
    };
    const range = rangeFields(request);
    using running = this.#begin(signal);
    const histogram = await this.#engine.count({ filter, ...range, ...shape, buckets, groups }, running);
    return {
      start: histogram.start,
      interval: histogram.interval,
      total: BigInt(histogram.total),
      series: histogram.series.map(({ value, counts, total, other }) => ({
        value,
        counts: counts.map(BigInt),
        total: BigInt(total),
        other,
      })),
    };
  }

  /** Lists a field's most frequent values, or the names of the fields. Throws as `search` does. */
  async values(
    request: ListValuesRequest,
    signal: AbortSignal,
  ): Promise<MessageInitShape<typeof ListValuesResponseSchema>> {
    const filter = filterField(request.filter);
    const limit = countField("limit", request.limit, {
      byDefault: limits.valuesDefault,
      max: limits.valuesMax,
    });
    const { field, prefix } = request;
    const names = { ...(field === "" ? {} : { field }), ...(prefix === "" ? {} : { prefix }) };
    const range = rangeFields(request);
    using running = this.#begin(signal);
    const found = await this.#engine.values({ filter, ...range, ...names, limit }, running);
    return {
      values: found.values.map(({ value, count }) => ({ value, count: BigInt(count) })),
      distinct: BigInt(found.distinct),
      truncated: found.truncated,
    };
  }

  async *#around(
    id: string,
    limit: number,
    signal: AbortSignal,
  ): AsyncGenerator<QueryResponse, void, undefined> {
    const before = Math.floor(limit / 2);
    // The entry itself is one of `limit`; of an even limit the half after it is one less.
    const found = await this.#engine.around({ id, before, after: limit - before - 1 }, { signal });
    for (const entries of splitByBytes(found)) yield { entries };
    const matches = BigInt(found.length);
    yield { entries: [], progress: { matches, nextPageToken: "", complete: true } };
  }

  /** A running query: counted until disposed of, with the signal that stops it. */
  #begin(signal: AbortSignal): Disposable & { readonly signal: AbortSignal } {
    const counters = this.#counters;
    if (counters.queriesRunning >= limits.queriesMax) {
      throw new RequestError("busy", `queries: at most ${limits.queriesMax} run at a time`);
    }
    const call = this.#lifecycle.enter();
    counters.queriesRunning += 1;
    return {
      signal: AbortSignal.any([signal, this.#lifecycle.cut]),
      [Symbol.dispose]: () => {
        counters.queriesRunning -= 1;
        counters.queriesDone += 1;
        call[Symbol.dispose]();
      },
    };
  }
}

function orderField(order: Order): "newest" | "oldest" {
  switch (order) {
    case Order.UNSPECIFIED:
    case Order.NEWEST_FIRST:
      return "newest";
    case Order.OLDEST_FIRST:
      return "oldest";
    default:
      // proto3 enums are open: a later version's number arrives as it is.
      throw new RequestError("invalid", `order: expected 0, 1 or 2, got ${String(order)}`);
  }
}

function progressFields(progress: QueryProgress): QueryResponse["progress"] & object {
  return {
    blocksTotal: BigInt(progress.blocksTotal),
    blocksScanned: BigInt(progress.blocksScanned),
    blocksSkipped: BigInt(progress.blocksSkipped),
    bytesScanned: BigInt(progress.bytesScanned),
    bytesSkipped: BigInt(progress.bytesSkipped),
    entriesScanned: BigInt(progress.entriesScanned),
    matches: BigInt(progress.matches),
    nextPageToken: progress.nextPageToken,
    complete: progress.complete,
  };
}
