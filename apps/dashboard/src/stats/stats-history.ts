/**
 * What the service did in the last minutes: figures at points in time, from the
 * answers of WatchStats.
 *
 * The server's counts only grow, and begin at 0 when it starts. A rate is what a
 * count grew by between two answers, by their own times. Where the server was
 * started anew in between (its uptime is less than the time that passed), or
 * where nothing was heard for long, there is no rate: the line breaks there.
 */
import type { WatchStatsResponse } from "@logsvc/client-web";

/** How far back the charts go. */
export const historyMs = 5 * 60_000;

/** Longer than that without an answer, and the line breaks. */
export const silenceMsMax = 10_000;

/** Points kept, at the most: five minutes at two a second, the fastest that the page asks for. */
const pointsMax = 600;

/** The figures of one answer. `undefined`: unknown, as rates are after a restart. */
export interface StatsPoint {
  /** Unix milliseconds, by the server's clock. */
  readonly timeMs: number;
  readonly entriesPerSecond: number | undefined;
  readonly bytesPerSecond: number | undefined;
  readonly rejectedPerSecond: number | undefined;
  readonly duplicatesPerSecond: number | undefined;
  readonly commitsPerSecond: number | undefined;
  /** The mean over the commits since the former answer; undefined without any. */
  readonly commitMs: number | undefined;
  readonly inFlightBytes: number | undefined;
  readonly streams: number | undefined;
  readonly tails: number | undefined;
  readonly sentPerSecond: number | undefined;
  readonly lagMax: number | undefined;
  readonly gapsPerSecond: number | undefined;
  readonly queriesRunning: number | undefined;
  readonly queriesPerSecond: number | undefined;
  readonly entries: number | undefined;
  readonly blocks: number | undefined;
  readonly diskBytes: number | undefined;
  readonly deletedPerSecond: number | undefined;
  readonly residentBytes: number | undefined;
}

/** A figure that has a chart. */
export type StatsFigure = Exclude<keyof StatsPoint, "timeMs">;

/** The history: immutable, so that a page draws anew when it is another one. */
export interface StatsHistory {
  readonly points: readonly StatsPoint[];
  /** The last answer. */
  readonly latest: WatchStatsResponse | undefined;
}

/** Before the first answer. */
export const emptyHistory: StatsHistory = { points: [], latest: undefined };

/** The history with one more answer. */
export function addStats(history: StatsHistory, next: WatchStatsResponse): StatsHistory {
  const { latest, points } = history;
  const nextMs = timeMsOf(next);
  const passedMs = latest === undefined ? 0 : nextMs - timeMsOf(latest);
  // The server's clock was set back: what is there can't be put on one axis with what comes.
  const kept = passedMs < 0 ? [] : points.filter((point) => point.timeMs > nextMs - historyMs);
  const goesOn = latest !== undefined && passedMs > 0 && isSameRun(latest, next, passedMs);
  const broken = kept.length > 0 && (passedMs > silenceMsMax || !goesOn);
  const gap = broken ? [{ ...unknownPoint, timeMs: nextMs - 1 }] : [];
  const former = goesOn && passedMs <= silenceMsMax ? latest : undefined;
  return { points: [...kept, ...gap, pointOf(next, former)].slice(-pointsMax), latest: next };
}

function timeMsOf(stats: WatchStatsResponse): number {
  return Number(stats.time / 1_000_000n);
}

/** Half a second of grace: the uptime and the time are of two clocks. */
function isSameRun(former: WatchStatsResponse, next: WatchStatsResponse, passedMs: number): boolean {
  return Number(next.uptimeMs) >= Number(former.uptimeMs) && Number(next.uptimeMs) + 500 >= passedMs;
}

function pointOf(next: WatchStatsResponse, former: WatchStatsResponse | undefined): StatsPoint {
  const { ingest, tail, query, storage } = next;
  const seconds = former === undefined ? 0 : Number(next.time - former.time) / 1e9;
  const rate = (count?: bigint, before?: bigint): number | undefined =>
    count === undefined || before === undefined || count < before || seconds <= 0
      ? undefined
      : Number(count - before) / seconds;
  return {
    timeMs: timeMsOf(next),
    entriesPerSecond: rate(ingest?.accepted, former?.ingest?.accepted),
    bytesPerSecond: rate(ingest?.bytes, former?.ingest?.bytes),
    rejectedPerSecond: rate(ingest?.rejected, former?.ingest?.rejected),
    duplicatesPerSecond: rate(ingest?.duplicates, former?.ingest?.duplicates),
    commitsPerSecond: rate(ingest?.commits, former?.ingest?.commits),
    commitMs: meanCommitMs(next, former),
    inFlightBytes: toNumber(ingest?.inFlightBytes),
    streams: toNumber(ingest?.streams),
    tails: toNumber(tail?.open),
    sentPerSecond: rate(tail?.sent, former?.tail?.sent),
    lagMax: toNumber(tail?.lagMax),
    gapsPerSecond: rate(tail?.gaps, former?.tail?.gaps),
    queriesRunning: toNumber(query?.running),
    queriesPerSecond: rate(query?.done, former?.query?.done),
    entries: toNumber(storage?.entries),
    blocks: toNumber(storage?.blocks),
    diskBytes: toNumber(storage?.diskBytes),
    deletedPerSecond: rate(storage?.deleted, former?.storage?.deleted),
    residentBytes: toNumber(next.residentBytes),
  };
}

function meanCommitMs(next: WatchStatsResponse, former: WatchStatsResponse | undefined): number | undefined {
  if (next.ingest === undefined || former?.ingest === undefined) return undefined;
  const commits = next.ingest.commits - former.ingest.commits;
  if (commits <= 0n) return undefined;
  return Number(next.ingest.commitUs - former.ingest.commitUs) / Number(commits) / 1_000;
}

function toNumber(count: bigint | undefined): number | undefined {
  return count === undefined ? undefined : Number(count);
}

const unknownPoint: Omit<StatsPoint, "timeMs"> = {
  entriesPerSecond: undefined,
  bytesPerSecond: undefined,
  rejectedPerSecond: undefined,
  duplicatesPerSecond: undefined,
  commitsPerSecond: undefined,
  commitMs: undefined,
  inFlightBytes: undefined,
  streams: undefined,
  tails: undefined,
  sentPerSecond: undefined,
  lagMax: undefined,
  gapsPerSecond: undefined,
  queriesRunning: undefined,
  queriesPerSecond: undefined,
  entries: undefined,
  blocks: undefined,
  diskBytes: undefined,
  deletedPerSecond: undefined,
  residentBytes: undefined,
};
