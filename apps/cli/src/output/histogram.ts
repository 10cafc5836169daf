/**
 * Counts by time, for people:
 *
 *   time              total  ERROR  WARN   INFO
 *   2026-11-22 10:30  1 234     12    34  1 188  ████████████████████████
 *   2026-11-22 10:35    210      ·     1    209  ████
 *
 * A bar is made of its series in their order, each in its own colour, which is
 * that of its title. A row fits the terminal: where it is narrow the last series
 * are counted together.
 */
import { formatTimestamp } from "@logsvc/client-node";
import { formatCount } from "./format-count.ts";
import { formatTimeStep } from "./format-time.ts";
import { neutraliseLine } from "./neutralise.ts";
import { createLevelPaints, createPaint, type LevelStyles, type Paint, type Style } from "./paint.ts";

/** What is shown of CountLogs' answer. */
export interface Histogram {
  /** Where the first bucket begins, and how wide each is, in nanoseconds. */
  readonly start: bigint;
  readonly interval: bigint;
  readonly series: readonly {
    readonly value: string;
    readonly counts: readonly bigint[];
    readonly other: boolean;
  }[];
}

/** How to show counts. */
export interface HistogramOptions {
  /** What they are grouped by; levels have their own colours. */
  readonly groupBy: string;
  readonly color: boolean;
  /** Times in UTC, with a Z. False: in the local zone. */
  readonly utc: boolean;
  /** How wide a row may be. Absent: as wide as it needs to be. */
  readonly columns?: number;
}

/** One bucket, as a line of JSON: every bucket of the range has one, also empty ones. */
export interface BucketJson {
  /** Where it begins, RFC 3339 with nanoseconds, UTC. */
  readonly start: string;
  /** Where the next one begins. */
  readonly end: string;
  readonly total: number;
  /** By value; values without entries are left out, entries without the field have the value "". */
  readonly counts: Readonly<Record<string, number>>;
  /** Entries with values that are not among the most frequent ones; left out when there are none. */
  readonly other?: number;
}

/** A series as it is shown. */
interface Series {
  readonly title: string;
  readonly counts: readonly number[];
  readonly paint: Paint;
}

/** The bar's width: at the least, and where nothing says how wide a row may be. */
const barWidthMin = 12;
const barWidthDefault = 40;

const gap = "  ";

/** A longer value of a field is cut. */
const titleLengthMax = 24;

/** Shown for no entries: the eye finds the others sooner. */
const none = "·";

const levelStyles: LevelStyles = {
  fatal: "magenta",
  error: "red",
  warn: "yellow",
  info: "green",
  low: "gray",
  unknown: "cyan",
};

/** For other fields: as far apart as a terminal's colours are. */
const seriesStyles: readonly Style[] = ["cyan", "yellow", "green", "magenta", "blue", "red"];

/** A histogram for people, line feed included. */
export function formatHistogram(histogram: Histogram, options: HistogramOptions): string {
  const times = startsOf(histogram).map((start) => formatTimeStep(start, histogram.interval, options.utc));
  const totals = totalsOf(histogram);
  const timeColumn = alignLeft(["time", ...times]);
  const totalColumn = alignRight(["total", ...totals.map(formatCount)]);
  const series = seriesOf(histogram, options);
  const taken = widthOf(timeColumn) + widthOf(totalColumn);
  const { shown, columns, barWidth } = fit(series, taken, options);
  const bars = createBars(totals, shown, barWidth);
  const rows = timeColumn.map((time, row) => {
    const cells = [time, totalColumn[row] ?? "", ...columns.map((column) => column[row] ?? "")];
    return [...cells, row === 0 ? "" : bars(row - 1)].join(gap).trimEnd();
  });
  return `${rows.join("\n")}\n`;
}

/** The buckets one by one, as JSON. */
export function bucketsToJson(histogram: Histogram): BucketJson[] {
  const totals = totalsOf(histogram);
  return startsOf(histogram).map((start, bucket) => {
    const counts: [string, number][] = [];
    let other = 0;
    for (const series of histogram.series) {
      const count = Number(series.counts[bucket] ?? 0n);
      if (series.other) other += count;
      else if (count > 0) counts.push([series.value, count]);
    }
    return {
      start: formatTimestamp(start),
      end: formatTimestamp(start + histogram.interval),
      total: totals[bucket] ?? 0,
      counts: Object.fromEntries(counts),
      ...(other > 0 ? { other } : {}),
    };
  });
}

function startsOf({ start, interval, series }: Histogram): bigint[] {
  return Array.from(
    { length: series[0]?.counts.length ?? 0 },
    (_, bucket) => start + BigInt(bucket) * interval,
  );
}

function totalsOf({ series }: Histogram): number[] {
  return (series[0]?.counts ?? []).map((_, bucket) =>
    series.reduce((sum, { counts }) => sum + Number(counts[bucket] ?? 0n), 0),
  );
}

function seriesOf(histogram: Histogram, { groupBy, color }: HistogramOptions): Series[] {
  const levelPaints = createLevelPaints(levelStyles, color);
  const rest = createPaint("gray", color);
  const paints = seriesStyles.map((style) => createPaint(style, color));
  return histogram.series.map(({ value, counts, other }, index) => ({
    title: other ? "(others)" : titleOf(value),
    counts: counts.map(Number),
    paint: other ? rest : groupBy === "level" ? levelPaints(value) : (paints[index % paints.length] ?? rest),
  }));
}

function titleOf(value: string): string {
  if (value === "") return "(none)";
  const title = [...neutraliseLine(value)];
  return title.length <= titleLengthMax ? title.join("") : `${title.slice(0, titleLengthMax - 1).join("")}…`;
}

/** As many series as leave room for a bar, the others as one; with their columns, painted. */
function fit(
  series: readonly Series[],
  taken: number,
  { color, columns: room }: HistogramOptions,
): { readonly shown: readonly Series[]; readonly columns: readonly string[][]; readonly barWidth: number } {
  const rest = createPaint("gray", color);
  for (let apart = series.length; ; apart--) {
    const shown = apart === series.length ? series : joinSeries(series, apart, rest);
    const columns = shown.map(({ title, counts }) => alignRight([title, ...counts.map(countOrNone)]));
    const width = columns.reduce((sum, column) => sum + gap.length + widthOf(column), taken + gap.length);
    const left = room === undefined ? barWidthDefault : room - width - gap.length;
    if (left < barWidthMin && apart > 0) continue;
    const painted = columns.map(([title = "", ...cells], index) => [
      shown[index]?.paint(title) ?? title,
      ...cells,
    ]);
    return { shown, columns: painted, barWidth: Math.max(barWidthMin, left) };
  }
}

/** The series from `apart` on become one. */
function joinSeries(series: readonly Series[], apart: number, paint: Paint): Series[] {
  const joined = series.slice(apart);
  const counts = (joined[0]?.counts ?? []).map((_, bucket) =>
    joined.reduce((sum, one) => sum + (one.counts[bucket] ?? 0), 0),
  );
  return [...series.slice(0, apart), { title: "(others)", counts, paint }];
}

/** Creates the bars of the buckets, the longest as wide as is given. */
function createBars(
  totals: readonly number[],
  series: readonly Series[],
  width: number,
): (bucket: number) => string {
  const greatest = totals.reduce((max, total) => Math.max(max, total), 1);
  return (bucket) => {
    const total = totals[bucket] ?? 0;
    // Even a single entry shows.
    const length = total === 0 ? 0 : Math.max(1, Math.round((total / greatest) * width));
    let counted = 0;
    let drawn = 0;
    const parts = series.map(({ counts, paint }) => {
      counted += counts[bucket] ?? 0;
      const end = Math.round((counted / Math.max(total, 1)) * length);
      const part = "█".repeat(end - drawn);
      drawn = end;
      return part === "" ? "" : paint(part);
    });
    return parts.join("");
  };
}

const countOrNone = (count: number): string => (count === 0 ? none : formatCount(count));

const widthOf = (column: readonly string[]): number => column[0]?.length ?? 0;

function alignLeft(cells: readonly string[]): string[] {
  const width = longest(cells);
  return cells.map((cell) => cell.padEnd(width));
}

function alignRight(cells: readonly string[]): string[] {
  const width = longest(cells);
  return cells.map((cell) => cell.padStart(width));
}

const longest = (cells: readonly string[]): number =>
  cells.reduce((length, cell) => Math.max(length, cell.length), 0);
