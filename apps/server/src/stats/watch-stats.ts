/** The service's own figures, again and again: WatchStats. */
import { setTimeout as wait } from "node:timers/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Engine } from "@logsvc/engine";
import { limits, type WatchStatsResponseSchema } from "@logsvc/proto";
import type { Lifecycle } from "../lifecycle.ts";
import { RequestError } from "../request-error.ts";
import type { Counters } from "./counters.ts";

/** What figures are taken from. */
export interface StatsOptions {
  readonly engine: Engine;
  readonly lifecycle: Lifecycle;
  readonly counters: Counters;
  readonly version: string;
  /** Bytes received and not yet answered, now. */
  readonly inFlightBytes: () => number;
}

/** One answer of WatchStats. */
export type Stats = MessageInitShape<typeof WatchStatsResponseSchema>;

/**
 * Yields the figures at once and then every interval, until the signal aborts.
 *
 * @throws RequestError `invalid` (interval out of range), `draining`; the signal's reason.
 */
export async function* watchStats(
  request: { readonly intervalMs: number },
  signal: AbortSignal,
  options: StatsOptions,
): AsyncGenerator<Stats, void, undefined> {
  const intervalMs = request.intervalMs || limits.statsIntervalMsDefault;
  const { statsIntervalMsMin: least, statsIntervalMsMax: most } = limits;
  if (intervalMs < least || intervalMs > most) {
    throw new RequestError("invalid", `interval_ms: from ${least} to ${most}, got ${intervalMs}`);
  }
  using _call = options.lifecycle.enter();
  const stop = AbortSignal.any([signal, options.lifecycle.draining]);
  while (true) {
    yield await takeStats(options);
    await wait(intervalMs, undefined, { signal: stop }).catch(() => {
      throw stop.reason;
    });
  }
}

/** The figures now. */
export async function takeStats({ engine, counters, version, inFlightBytes }: StatsOptions): Promise<Stats> {
  const stored = await engine.stats();
  return {
    time: BigInt(Date.now()) * 1_000_000n,
    uptimeMs: BigInt(Math.round(process.uptime() * 1000)),
    version,
    ingest: {
      accepted: BigInt(counters.accepted),
      duplicates: BigInt(counters.duplicates),
      rejected: BigInt(counters.rejected),
      bytes: BigInt(counters.bytes),
      streams: BigInt(counters.ingestStreams),
      inFlightBytes: BigInt(inFlightBytes()),
      commits: BigInt(stored.commits),
      commitUs: BigInt(Math.round(stored.commitUs)),
    },
    tail: {
      open: BigInt(counters.tails.size),
      sent: BigInt(counters.tailEntries),
      lagMax: BigInt(greatestLag(engine, counters)),
      gaps: BigInt(counters.tailGaps),
    },
    query: { running: BigInt(counters.queriesRunning), done: BigInt(counters.queriesDone) },
    storage: {
      engine: engine.name,
      entries: BigInt(stored.entries),
      blocks: BigInt(stored.blocks),
      rawBytes: BigInt(stored.rawBytes),
      diskBytes: BigInt(stored.diskBytes),
      oldest: stored.oldest,
      newest: stored.newest,
      watermark: engine.head(),
      deleted: BigInt(stored.deleted),
    },
    residentBytes: BigInt(process.memoryUsage.rss()),
  };
}

function greatestLag(engine: Engine, counters: Counters): number {
  let greatest = 0;
  for (const { cursor } of counters.tails) {
    if (cursor !== "") greatest = Math.max(greatest, engine.lag(cursor));
  }
  return greatest;
}
