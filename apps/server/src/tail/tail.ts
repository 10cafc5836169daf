/**
 * A tail: a cursor and a filter, no queue. It pulls blocks from the engine as
 * fast as its reader takes what matches, so a slow reader holds one run of
 * blocks and lags; nobody else notices.
 *
 *   filter, cursor ─▶ opened ─▶ backlog ─▶ engine.read ─┬─▶ entries
 *        │ invalid, out of range            │   ▲       ├─▶ heartbeat, when nothing else was sent,
 *        ▼                                  │   └─ rest │   at the start when behind, and when caught up
 *        │                                  │           └─▶ gap, when retention was faster
 *   InvalidArgument, OutOfRange             ▼
 *   too many tails: ResourceExhausted       drain: Unavailable; corrupt: DataLoss
 *
 * What matches is shared with other tails (shared-matches.ts), how often a tail
 * looks depends on how many there are (rest.ts), and there are two forms of
 * what it says (tail-answers.ts).
 */
import { setImmediate as nextTurn, setTimeout as wait } from "node:timers/promises";
import type { Engine, ReadEvent } from "@logsvc/engine";
import type { FilterNode } from "@logsvc/filter";
import { limits, type TailLogsRequest, type TailLogsResponse } from "@logsvc/proto";
import type { Lifecycle } from "../lifecycle.ts";
import { RequestError } from "../request-error.ts";
import { countField, filterField, timeField } from "../request-fields.ts";
import type { Counters, OpenTail } from "../stats/counters.ts";
import { Rest, restMsOf } from "./rest.ts";
import { endOf, type FilterMatches, type SharedMatches } from "./shared-matches.ts";
import {
  type Answer,
  encodedAnswers,
  objectAnswers,
  type TailAnswers,
  type TailEvent,
  type TailResponse,
} from "./tail-answers.ts";

/** What a tail is asked for: the fields of TailLogsRequest. */
export type TailRequest = Pick<TailLogsRequest, "filter" | "cursor" | "last" | "since">;

/** What tails work with. */
export interface TailOptions {
  readonly engine: Engine;
  readonly lifecycle: Lifecycle;
  readonly counters: Counters;
  /** What all tails of the engine share. */
  readonly matches: SharedMatches;
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
export function followLog(
  request: TailRequest,
  signal: AbortSignal,
  options: TailOptions,
): AsyncGenerator<TailResponse, void, undefined> {
  return follow(request, signal, { ...options, answers: objectAnswers });
}

/**
 * The same for a binary format: entries are in the responses as encoded bytes
 * (in `$unknown`), shared with all tails that have the same filter.
 *
 * @throws As followLog.
 */
export function followEncoded(
  request: TailRequest,
  signal: AbortSignal,
  options: TailOptions,
): AsyncGenerator<TailLogsResponse, void, undefined> {
  return follow(request, signal, { ...options, answers: encodedAnswers });
}

interface FollowOptions<Response> extends TailOptions {
  readonly answers: TailAnswers<Response>;
}

async function* follow<Response extends { readonly cursor: string }>(
  request: TailRequest,
  signal: AbortSignal,
  options: FollowOptions<Response>,
): AsyncGenerator<Response, void, undefined> {
  const { engine, lifecycle, counters, matches } = options;
  const begin = beginOf(request);
  if (counters.tails.size >= limits.tailsMax) {
    throw new RequestError("busy", `tails: at most ${limits.tailsMax} are open at a time`);
  }
  using _call = lifecycle.enter();
  const filter = matches.acquire(begin);
  const tail: OpenTail = { cursor: "" };
  counters.tails.add(tail);
  const { stop, forget } = firstOf(signal, lifecycle.draining);
  const rest = new Rest(stop);
  try {
    const start = yield* openings(tail, begin, { ...options, stop });
    const reader = new TailReader(start, filter, options);
    for await (const event of engine.read(start, { signal: stop, idleMs: reader.idleMs })) {
      for (const { response, count } of reader.answersTo(event)) {
        tail.cursor = response.cursor;
        yield response;
        counters.tailEntries += count;
      }
      if (event.kind === "gap") counters.tailGaps += 1;
      tail.cursor = reader.cursor;
      await reader.giveWay(event, rest);
    }
    // The engine ends a read without an error when its signal aborts.
    throw stop.reason;
  } finally {
    rest.close();
    forget();
    filter.release();
    counters.tails.delete(tail);
  }
}

/**
 * A signal that aborts with the first of two, until it is told to forget them.
 * Not `AbortSignal.any`: a tail asks its signal at every look, and asking that
 * one looks up both others through weak references.
 */
function firstOf(one: AbortSignal, other: AbortSignal): { stop: AbortSignal; forget: () => void } {
  const controller = new AbortController();
  const forgets = [one, other].map((signal) => {
    const abort = (): void => controller.abort(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort);
    return () => signal.removeEventListener("abort", abort);
  });
  const forget = (): void => {
    for (const each of forgets) each();
  };
  return { stop: controller.signal, forget };
}

/** Where and with what a tail begins. */
interface Begin {
  readonly filter: FilterNode;
  readonly cursor: string;
  readonly last: number;
  readonly since: bigint | undefined;
}

/** @throws RequestError `invalid`; FilterSyntaxError. */
function beginOf({ filter, cursor, last, since }: TailRequest): Begin {
  return {
    filter: filterField(filter),
    cursor,
    last: countField("last", last, { byDefault: 0, max: limits.pageEntriesMax }),
    since: timeField(since),
  };
}

interface OpeningOptions<Response> extends FollowOptions<Response> {
  readonly stop: AbortSignal;
}

/** What a tail says before it reads on: that it is open, its backlog, and how far behind it is. Returns where to read on. */
async function* openings<Response extends { readonly cursor: string }>(
  tail: OpenTail,
  begin: Begin,
  options: OpeningOptions<Response>,
): AsyncGenerator<Response, string, undefined> {
  const { engine, answers, heartbeatIntervalMs } = options;
  const { last, since } = begin;
  const opened = { case: "opened", value: { heartbeatIntervalMs } } as const;
  let { cursor } = begin;
  let isTold = true;
  if (cursor === "" && (last > 0 || since !== undefined)) {
    yield answers.event("", opened);
    const search = last > 0 ? backlog(tail, begin, options) : firstSince(since ?? 0n, options);
    ({ cursor, isTold } = yield* search);
  } else {
    if (cursor === "") cursor = engine.head();
    // A cursor that is not this log's is refused before anything is sent.
    else engine.lag(cursor);
    tail.cursor = cursor;
    yield answers.event(cursor, opened);
  }
  tail.cursor = cursor;
  if (!isTold || engine.lag(cursor) > 0) yield answers.event(cursor, heartbeat(engine, cursor));
  return cursor;
}

/** Where to read on from. */
interface Start {
  readonly cursor: string;
  /** False: the client has no cursor to resume from yet. */
  readonly isTold: boolean;
}

/** The last entries that match, and then where to read on from. */
async function* backlog<Response extends { readonly cursor: string }>(
  tail: OpenTail,
  { filter, last, since }: Begin,
  options: OpeningOptions<Response>,
): AsyncGenerator<Response, Start, undefined> {
  const { engine, answers, counters, stop } = options;
  const range = since === undefined ? {} : { start: since };
  const search = engine.backlog({ filter, limit: last, ...range }, { signal: stop });
  const found = yield* heartbeatsUntil(search, options);
  for (const { response, count } of answers.stored(found)) {
    tail.cursor = response.cursor;
    yield response;
    counters.tailEntries += count;
  }
  return { cursor: found.cursor, isTold: found.entries.length > 0 };
}

/** Before the first entry that is late enough. */
async function* firstSince<Response>(
  since: bigint,
  options: OpeningOptions<Response>,
): AsyncGenerator<Response, Start, undefined> {
  const search = options.engine.cursorAtTime(since, { signal: options.stop });
  return { cursor: yield* heartbeatsUntil(search, options), isTold: false };
}

/** Waits for a search, which may take longer than clients bear silence. No cursor is known yet. */
async function* heartbeatsUntil<T, Response>(
  search: Promise<T>,
  { engine, answers, heartbeatIntervalMs }: OpeningOptions<Response>,
): AsyncGenerator<Response, T, undefined> {
  const head = engine.head();
  const isOver = (): boolean => true;
  const over = search.then(isOver, isOver);
  while (!(await Promise.race([over, wait(heartbeatIntervalMs, false, { ref: false })]))) {
    yield answers.event("", heartbeat(engine, head));
  }
  return search;
}

/** Turns what is read into responses, and keeps the tail from being silent, or busy, for too long. */
class TailReader<Response> {
  /** How far the tail is. */
  cursor: string;
  /**
   * The engine's idle time begins anew with each block, sent or not. So it is a quarter of the
   * interval, and a heartbeat is sent as soon as the next look could come too late.
   */
  readonly idleMs: number;
  readonly #filter: FilterMatches;
  readonly #options: FollowOptions<Response>;
  #isBehind: boolean;
  #sentAt = performance.now();
  #turnBegan = this.#sentAt;

  constructor(cursor: string, filter: FilterMatches, options: FollowOptions<Response>) {
    this.cursor = cursor;
    this.idleMs = Math.ceil(options.heartbeatIntervalMs / 4);
    this.#filter = filter;
    this.#options = options;
    this.#isBehind = options.engine.lag(cursor) > 0;
  }

  /** What to say to an event, each made when the one before it was sent. */
  *answersTo(event: ReadEvent): Generator<Answer<Response>, void, undefined> {
    const { engine, answers, heartbeatIntervalMs } = this.#options;
    for (const answer of this.#newsOf(event)) {
      yield answer;
      this.#sentAt = performance.now();
    }
    const hasCaughtUp = this.#isBehind && engine.lag(this.cursor) === 0;
    if (!hasCaughtUp && performance.now() - this.#sentAt < heartbeatIntervalMs - this.idleMs) return;
    this.#isBehind = engine.lag(this.cursor) > 0;
    yield { response: answers.event(this.cursor, heartbeat(engine, this.cursor)), count: 0 };
    this.#sentAt = performance.now();
  }

  /**
   * Lets others have their turn: with a rest at the head of the log, which
   * grows with the number of tails; behind it now and then for a moment.
   */
  async giveWay(event: ReadEvent, rest: Rest): Promise<void> {
    const atHead = event.kind === "blocks" && event.blocks[0]?.headNumber !== undefined;
    const restMs = atHead ? Math.min(this.idleMs, restMsOf(this.#options.counters.tails.size)) : 0;
    if (restMs > 0) await rest.take(restMs);
    else if (performance.now() - this.#turnBegan > turnMsMax) await nextTurn();
    else return;
    this.#turnBegan = performance.now();
  }

  *#newsOf(event: ReadEvent): Generator<Answer<Response>, void, undefined> {
    const { answers } = this.#options;
    switch (event.kind) {
      case "blocks":
        yield* answers.matching(this.#filter, event.blocks, event.from);
        this.cursor = endOf(event.blocks);
        break;
      case "gap": {
        const { from, to, count } = event;
        this.cursor = to;
        const value = { from, to, count: BigInt(count) };
        yield { response: answers.event(to, { case: "gap", value }), count: 0 };
        break;
      }
      case "idle":
        break;
    }
  }
}

function heartbeat(engine: Engine, cursor: string): TailEvent {
  return { case: "heartbeat", value: { lag: BigInt(engine.lag(cursor)) } };
}
