/**
 * WatchStats for as long as somebody looks: again and again after a break,
 * waiting longer each time, and at once when the network or the page is back.
 *
 *   connecting ─▶ live ─▶ retrying ─▶ connecting      an error that no retry
 *       └──────────┴──────▶ failed                    mends leads to `failed`
 */

import type { WatchStatsResponse } from "@logsvc/client-web";
import { Code, ConnectError, isRetryable, type LogClient, retryDelayMs } from "@logsvc/client-web";

/** How the watch stands. */
export type WatchState =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  /** Broken; the next attempt comes by itself after `delayMs`. */
  | { readonly kind: "retrying"; readonly error: ConnectError; readonly delayMs: number }
  | { readonly kind: "failed"; readonly error: ConnectError };

/** Who looks. */
export interface WatchReader {
  onStats(stats: WatchStatsResponse): void;
  onState(state: WatchState): void;
}

/** How to watch. */
export interface WatchOptions {
  /** Aborting ends it. */
  readonly signal: AbortSignal;
  /** Tells "online" and "visibilitychange", upon which a wait ends. */
  readonly pageEvents?: readonly Pick<EventTarget, "addEventListener" | "removeEventListener">[];
  /** No answer for so long, in milliseconds, and the connection is given up. Default: 10 000; answers come every second. */
  readonly silenceMsMax?: number;
}

const delayMsMin = 250;
const delayMsMax = 15_000;

/** The wait after so many failures in a row, from 1: doubled each time, half of it by chance. */
export function watchDelayMs(failures: number, random: number): number {
  const ceilingMs = Math.min(delayMsMax, delayMsMin * 2 ** failures);
  return ceilingMs / 2 + (random * ceilingMs) / 2;
}

/** Watches until the signal aborts, or an error comes that no retry mends. */
export async function watchStats(
  client: Pick<LogClient, "watchStats">,
  reader: WatchReader,
  options: WatchOptions,
): Promise<void> {
  const { signal } = options;
  let failures = 0;
  while (!signal.aborted) {
    reader.onState({ kind: "connecting" });
    const ended = await watchOnce(client, reader, options);
    if (signal.aborted) return;
    if (!isRetryable(ended.error)) {
      reader.onState({ kind: "failed", error: ended.error });
      return;
    }
    failures = ended.answered ? 1 : failures + 1;
    const delayMs = Math.max(watchDelayMs(failures, Math.random()), retryDelayMs(ended.error) ?? 0);
    reader.onState({ kind: "retrying", error: ended.error, delayMs });
    await pause(delayMs, options);
  }
}

/** One connection: why it ended, and whether anything came. */
async function watchOnce(
  client: Pick<LogClient, "watchStats">,
  reader: WatchReader,
  { signal, silenceMsMax = 10_000 }: WatchOptions,
): Promise<{ error: ConnectError; answered: boolean }> {
  const silence = new AbortController();
  const giveUp = (): void =>
    silence.abort(new ConnectError(`no figures for ${silenceMsMax} ms`, Code.Unavailable));
  let timer = setTimeout(giveUp, silenceMsMax);
  let answered = false;
  try {
    for await (const stats of client.watchStats({ signal: AbortSignal.any([signal, silence.signal]) })) {
      clearTimeout(timer);
      timer = setTimeout(giveUp, silenceMsMax);
      if (!answered) reader.onState({ kind: "live" });
      answered = true;
      reader.onStats(stats);
    }
    return { error: new ConnectError("the server ended the stream", Code.Unavailable), answered };
  } catch (error) {
    return { error: ConnectError.from(silence.signal.aborted ? silence.signal.reason : error), answered };
  } finally {
    clearTimeout(timer);
  }
}

/** Waits: until the time is over, the page is back, or nobody looks any more. */
async function pause(delayMs: number, { signal, pageEvents = [] }: WatchOptions): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = (): void => resolve();
  const names = ["online", "visibilitychange"];
  const timer = setTimeout(end, delayMs);
  signal.addEventListener("abort", end);
  for (const target of pageEvents) for (const name of names) target.addEventListener(name, end);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
    for (const target of pageEvents) for (const name of names) target.removeEventListener(name, end);
  }
}
