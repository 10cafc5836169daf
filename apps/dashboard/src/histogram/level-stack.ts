/**
 * Counts by level as bars on top of each other: the gravest at the bottom,
 * where bars can be compared, however many harmless entries stand above.
 */
import type { CountLogsResponse, CountSeries } from "@logsvc/client-web";
import { levelNames, severityOf } from "@logsvc/proto";
import type { Buckets } from "./buckets.ts";

/** A colour of the theme: `--level-` and this. */
export type LevelTone = "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "unknown";

/** One level's bars. */
export interface LevelBars {
  /** As stored; undefined: all that have no bars of their own. */
  readonly level: string | undefined;
  readonly name: string;
  readonly tone: LevelTone;
  readonly total: number;
  /** By bucket. */
  readonly counts: readonly number[];
  /** By bucket, with those below it. */
  readonly tops: readonly number[];
}

/** What a histogram shows. */
export interface LevelStack {
  readonly buckets: Buckets;
  readonly total: number;
  /** From the bottom. */
  readonly bars: readonly LevelBars[];
  /** By bucket, all levels together. */
  readonly totals: readonly number[];
}

/** An answer of CountLogs, grouped by level. */
export interface LevelCounts extends Pick<CountLogsResponse, "start" | "interval" | "total"> {
  readonly series: readonly Pick<CountSeries, "value" | "counts" | "total" | "other">[];
}

/** An answer, laid into the buckets that were asked for. */
export function stackLevels(response: LevelCounts, buckets: Buckets): LevelStack {
  const shift = Number((response.start - buckets.start) / buckets.interval);
  const series = response.series.toSorted(
    (a, b) => Number(a.other) - Number(b.other) || severityOf(b.value) - severityOf(a.value),
  );
  let totals = new Array<number>(buckets.count).fill(0);
  const bars = series.map((one): LevelBars => {
    const counts = totals.map((_, index) => Number(one.counts[index - shift] ?? 0n));
    totals = totals.map((below, index) => below + (counts[index] ?? 0));
    return {
      level: one.other ? undefined : one.value,
      name: one.other ? "other" : one.value === "" ? "no level" : one.value,
      tone: one.other ? "unknown" : toneOf(one.value),
      total: Number(one.total),
      counts,
      tops: totals,
    };
  });
  return { buckets, total: Number(response.total), bars, totals };
}

/** The colour of a level. */
export function toneOf(level: string): LevelTone {
  const severity = severityOf(level);
  if (severity === 0) return "unknown";
  const name = levelNames[Math.floor((severity - 1) / 4)] ?? "TRACE";
  return tones[name];
}

const tones: Readonly<Record<(typeof levelNames)[number], LevelTone>> = {
  TRACE: "trace",
  DEBUG: "debug",
  INFO: "info",
  WARN: "warn",
  ERROR: "error",
  FATAL: "fatal",
};

/** The busiest bucket; undefined when all are empty. */
export function peakOf(stack: LevelStack): number | undefined {
  const most = Math.max(0, ...stack.totals);
  return most === 0 ? undefined : stack.totals.indexOf(most);
}
