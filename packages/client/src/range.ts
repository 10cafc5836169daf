/**
 * A part of the log between two positions, for pages that skip or drop rows
 * and want them back.
 *
 * Cursors and ids are opaque, so nothing here compares them: a tail is read
 * from the one until the other is met. That is exact as long as `to` is there
 * to be met. When retention is faster, a gap comes; then the service is asked
 * whether `to` went with it. The log is deleted from its beginning, so with
 * `to` everything before it is gone.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import { backoffMs } from "./backoff.ts";
import { cancellable } from "./cancellable.ts";
import type { Clock } from "./clock.ts";
import { isRetryable } from "./retryable.ts";
import { Tail, type TailContext, type TailEvent, type TailOptions } from "./tail.ts";

/** Which part of the log: by the same filter and `since` that found its ends. */
export interface RangeOptions extends Omit<TailOptions, "cursor" | "last"> {
  /** The cursor after which to begin: that of the last event that is still there. */
  readonly from: string;
  /** The id of the entry before which to end: the first one that is still there, or there again. */
  readonly to: string;
}

/** A tail's event, without a cursor: a range is read to its end. */
export type RangeEvent<Event extends TailEvent = TailEvent> = Event extends TailEvent
  ? Omit<Event, "cursor">
  : never;

/**
 * Reads a part of the log.
 *
 * @throws RangeError when an end is empty, or `to` does not come; ConnectError as a tail.
 */
export async function* readRange(
  context: TailContext,
  options: RangeOptions,
): AsyncGenerator<RangeEvent, void, undefined> {
  const { from, to, signal, ...tailOptions } = options;
  if (from === "" || to === "") {
    throw new RangeError(`Expected from to be a cursor and to to be an id, got "${from}" and "${to}"`);
  }
  const missed = new AbortController();
  const tail = new Tail(
    { ...context, onCaughtUp: () => missed.abort() },
    {
      ...tailOptions,
      cursor: from,
      signal: signal ? AbortSignal.any([signal, missed.signal]) : missed.signal,
    },
  );
  for await (const { cursor: _, ...event } of tail) {
    if (event.kind === "gap") {
      yield event;
      if (await isDeleted(context, to, signal)) return;
      continue;
    }
    const end = event.entries.findIndex(({ id }) => id === to);
    if (end < 0) yield event;
    else if (end > 0) yield { ...event, entries: event.entries.slice(0, end) };
    if (end >= 0) return;
  }
  if (missed.signal.aborted) {
    throw new RangeError(`Expected to to be the id of a matching entry after ${from}, got ${to}`);
  }
}

/** Whether an entry is no longer in the log. Asks until there is an answer. */
async function isDeleted(context: TailContext, id: string, signal?: AbortSignal): Promise<boolean> {
  const { rpc, clock } = context;
  const ask = (rpcSignal: AbortSignal) => rpc.queryLogs({ around: id, limit: 1 }, { signal: rpcSignal });
  for (let attempt = 1; ; attempt++) {
    try {
      for await (const _ of cancellable(ask, signal)) break;
      return false;
    } catch (reason) {
      const error = ConnectError.from(reason);
      if (error.code === Code.NotFound || signal?.aborted) return true;
      if (!isRetryable(error)) throw error;
      await waited(clock, backoffMs(error, attempt, clock.random()), signal);
    }
  }
}

/** Resolves after so long, or when the signal aborts. */
async function waited(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = (): void => resolve();
  const cancel = clock.startTimer(stop, delayMs);
  signal?.addEventListener("abort", stop);
  await promise;
  cancel();
  signal?.removeEventListener("abort", stop);
}
