/**
 * A tail: a cursor and a filter, no queue. It pulls blocks from the engine as
 * fast as its reader takes what matches, so a slow reader holds one block and
 * lags; nobody else notices.
 *
 *   filter, cursor ─▶ opened ─▶ backlog ─▶ engine.read ─┬─▶ entries
 *        │ invalid, out of range            │           ├─▶ heartbeat, when nothing else was sent,
 *        ▼                                  │           │   at the start when behind, and when caught up
 *        │                                  │           └─▶ gap, when retention was faster
 *   InvalidArgument, OutOfRange             ▼
 *   too many tails: ResourceExhausted       drain: Unavailable; corrupt: DataLoss
 */
import { setImmediate as nextTurn, setTimeout as wait } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import type { Block, Engine, ReadEvent } from "@logsvc/engine";
import { compileFilter, type FilterNode, type FilterPredicate } from "@logsvc/filter";
import { limits, type StoredEntry, StoredEntrySchema, type TailLogsRequest } from "@logsvc/proto";
import type { Lifecycle } from "../lifecycle.ts";
import { RequestError } from "../request-error.ts";
import { countField, filterField, timeField } from "../request-fields.ts";
import { splitByBytes, weighEntry } from "../response-size.ts";
import type { Counters, OpenTail } from "../stats/counters.ts";

/** What a tail is asked for: the fields of TailLogsRequest. */
export type TailRequest = Pick<TailLogsRequest, "filter" | "cursor" | "last" | "since">;

/** One response of a tail: TailLogsResponse, and each entry's own cursor. */
export interface TailResponse {
  /** Where to resume after this response. */
  readonly cursor: string;
  readonly entries: StoredEntry[];
  readonly event:
    | { readonly case: "opened"; readonly value: { readonly heartbeatIntervalMs: number } }
    | { readonly case: "heartbeat"; readonly value: { readonly lag: bigint } }
    | {
        readonly case: "gap";
        readonly value: { readonly from: string; readonly to: string; readonly count: bigint };
      }
    | { readonly case: undefined };
  /** Where to resume after one of the entries. */
  cursorAt(index: number): string;
}

/** What tails work with. */
export interface TailOptions {
  readonly engine: Engine;
  readonly lifecycle: Lifecycle;
  readonly counters: Counters;
  readonly heartbeatIntervalMs: number;
}

/** Matching against blocks in memory never waits by itself: after so long others get their turn. */
const turnMsMax = 5;

/**
 * Follows the log. The first response is `opened`, at once; the tail ends only
 * by its signal, by an error, or with `draining`.
 *
 * @throws RequestError `invalid`, `busy`, `draining`; FilterSyntaxError;
 *   EngineError `out_of_range` before anything was sent, `corrupt`, `closed`;
 *   the signal's reason.
 */
export async function* followLog(
  request: TailRequest,
  signal: AbortSignal,
  options: TailOptions,
): AsyncGenerator<TailResponse, void, undefined> {
  const { engine, lifecycle, counters, heartbeatIntervalMs } = options;
  const filter = filterField(request.filter);
  const last = countField("last", request.last, { byDefault: 0, max: limits.pageEntriesMax });
  const since = timeField(request.since);
  if (counters.tails.size >= limits.tailsMax) {
    throw new RequestError("busy", `tails: at most ${limits.tailsMax} are open at a time`);
  }
  using _call = lifecycle.enter();
  const tail: OpenTail = { cursor: "" };
  counters.tails.add(tail);
  const stop = AbortSignal.any([signal, lifecycle.draining]);
  try {
    const begin = { filter, cursor: request.cursor, last, since };
    for await (const response of follow(engine, begin, { stop, heartbeatIntervalMs })) {
      tail.cursor = response.cursor;
      yield response;
      counters.tailEntries += response.entries.length;
      if (response.event.case === "gap") counters.tailGaps += 1;
    }
    // The engine ends a read without an error when its signal aborts.
    throw stop.reason;
  } finally {
    counters.tails.delete(tail);
  }
}

interface Begin {
  readonly filter: FilterNode;
  readonly cursor: string;
  readonly last: number;
  readonly since: bigint | undefined;
}

interface FollowOptions {
  readonly stop: AbortSignal;
  readonly heartbeatIntervalMs: number;
}

async function* follow(
  engine: Engine,
  begin: Begin,
  options: FollowOptions,
): AsyncGenerator<TailResponse, void, undefined> {
  const { filter, last, since } = begin;
  const opened = { case: "opened", value: { heartbeatIntervalMs: options.heartbeatIntervalMs } } as const;
  let { cursor } = begin;
  let isTold = true;
  if (cursor === "" && (last > 0 || since !== undefined)) {
    yield eventResponse("", opened);
    const search = last > 0 ? backlog(engine, begin, options) : firstSince(engine, since ?? 0n, options);
    ({ cursor, isTold } = yield* search);
  } else {
    if (cursor === "") cursor = engine.head();
    // A cursor that is not this log's is refused before anything is sent.
    else engine.lag(cursor);
    yield eventResponse(cursor, opened);
  }
  if (!isTold || engine.lag(cursor) > 0) yield heartbeat(engine, cursor);
  yield* readOn(engine, cursor, { ...options, matches: compileFilter(filter), since });
}

/** Where to read on from. */
interface Start {
  readonly cursor: string;
  /** False: the client has no cursor to resume from yet. */
  readonly isTold: boolean;
}

/** The last entries that match, and then where to read on from. */
async function* backlog(
  engine: Engine,
  { filter, last, since }: Begin,
  options: FollowOptions,
): AsyncGenerator<TailResponse, Start, undefined> {
  const range = since === undefined ? {} : { start: since };
  const search = engine.backlog({ filter, limit: last, ...range }, { signal: options.stop });
  const found = yield* heartbeatsUntil(search, engine, options);
  let sent = 0;
  for (const entries of splitByBytes(found.entries)) {
    const first = sent;
    sent += entries.length;
    const cursorAt = (index: number): string => found.cursors[first + index] ?? found.cursor;
    const cursor = sent === found.entries.length ? found.cursor : cursorAt(entries.length - 1);
    yield { cursor, entries, event: { case: undefined }, cursorAt };
  }
  return { cursor: found.cursor, isTold: sent > 0 };
}

/** Before the first entry that is late enough. */
async function* firstSince(
  engine: Engine,
  since: bigint,
  options: FollowOptions,
): AsyncGenerator<TailResponse, Start, undefined> {
  const search = engine.cursorAtTime(since, { signal: options.stop });
  return { cursor: yield* heartbeatsUntil(search, engine, options), isTold: false };
}

/** Waits for a search, which may take longer than clients bear silence. No cursor is known yet. */
async function* heartbeatsUntil<T>(
  search: Promise<T>,
  engine: Engine,
  { heartbeatIntervalMs }: FollowOptions,
): AsyncGenerator<TailResponse, T, undefined> {
  const head = engine.head();
  const isOver = (): boolean => true;
  const over = search.then(isOver, isOver);
  while (!(await Promise.race([over, wait(heartbeatIntervalMs, false, { ref: false })]))) {
    yield { ...heartbeat(engine, head), cursor: "" };
  }
  return search;
}

/** Which of the entries read are sent. */
interface Choice {
  readonly matches: FilterPredicate;
  readonly since: bigint | undefined;
}

async function* readOn(
  engine: Engine,
  start: string,
  { stop, heartbeatIntervalMs, ...choice }: FollowOptions & Choice,
): AsyncGenerator<TailResponse, void, undefined> {
  let cursor = start;
  let isBehind = engine.lag(cursor) > 0;
  let sentAt = performance.now();
  let turnBegan = sentAt;
  // The engine's idle time begins anew with each block, sent or not. So it is a quarter of the
  // interval, and a heartbeat is sent as soon as the next look could come too late.
  const idleMs = Math.ceil(heartbeatIntervalMs / 4);
  for await (const event of engine.read(cursor, { signal: stop, idleMs })) {
    for (const response of responsesTo(event, choice)) {
      yield response;
      sentAt = performance.now();
    }
    cursor = cursorAfter(event) ?? cursor;
    const hasCaughtUp = isBehind && engine.lag(cursor) === 0;
    if (hasCaughtUp || performance.now() - sentAt >= heartbeatIntervalMs - idleMs) {
      isBehind = engine.lag(cursor) > 0;
      yield heartbeat(engine, cursor);
      sentAt = performance.now();
    }
    if (performance.now() - turnBegan > turnMsMax) {
      await nextTurn();
      turnBegan = performance.now();
    }
  }
}

function* responsesTo(event: ReadEvent, choice: Choice): Generator<TailResponse, void, undefined> {
  if (event.kind === "block") yield* matchBlock(event.block, event.from, choice);
  if (event.kind !== "gap") return;
  const { from, to, count } = event;
  yield eventResponse(to, { case: "gap", value: { from, to, count: BigInt(count) } });
}

function cursorAfter(event: ReadEvent): string | undefined {
  switch (event.kind) {
    case "block":
      return event.block.cursorAt(event.block.count - 1);
    case "gap":
      return event.to;
    case "idle":
      return undefined;
  }
}

/** What matches in a block, in responses of bounded size. Entries are made only as they are sent. */
function* matchBlock(
  block: Block,
  from: number,
  { matches, since }: Choice,
): Generator<TailResponse, void, undefined> {
  let entries: StoredEntry[] = [];
  let indexes: number[] = [];
  let bytes = 0;
  for (let index = from; index < block.count; index++) {
    if (since !== undefined && (block.timestamps[index] ?? 0n) < since) continue;
    const entry = block.entryAt(index);
    if (!matches(entry)) continue;
    const stored = create(StoredEntrySchema, {
      id: block.idAt(index),
      entry,
      receivedAt: block.receivedAt(index),
    });
    entries.push(stored);
    indexes.push(index);
    bytes += weighEntry(stored);
    if (bytes < limits.responseBytesMax) continue;
    yield entriesResponse(block, entries, indexes);
    entries = [];
    indexes = [];
    bytes = 0;
  }
  // The block's end, though its last entries may not match: all of it was dealt with.
  if (entries.length > 0) yield entriesResponse(block, entries, indexes, block.count - 1);
}

function entriesResponse(
  block: Block,
  entries: StoredEntry[],
  indexes: readonly number[],
  lastIndex = indexes.at(-1) ?? 0,
): TailResponse {
  return {
    cursor: block.cursorAt(lastIndex),
    entries,
    event: { case: undefined },
    cursorAt: (index) => block.cursorAt(indexes[index] ?? lastIndex),
  };
}

function heartbeat(engine: Engine, cursor: string): TailResponse {
  return eventResponse(cursor, { case: "heartbeat", value: { lag: BigInt(engine.lag(cursor)) } });
}

function eventResponse(cursor: string, event: TailResponse["event"]): TailResponse {
  return { cursor, entries: [], event, cursorAt: () => cursor };
}
