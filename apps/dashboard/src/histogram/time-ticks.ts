/**
 * Where a time axis has its ticks and what they say: on round times of the
 * zone's own clock, through changes of summer time too. An hour that comes
 * twice has its ticks once where they are hours, and a day of 25 hours is wider
 * than its neighbours.
 */

import { instantOfWall, wallOfInstant } from "../range/zoned-instant.ts";
import { formatDay, formatTime } from "../view/format-time.ts";

/** A tick, at a Unix time in milliseconds. */
export interface TimeTick {
  readonly ms: number;
  readonly label: string;
  /** A second line: the day, where it is the first tick or the first of its day. */
  readonly day?: string;
}

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

const steps: readonly number[] = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((count) => count * secondMs),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * minuteMs),
  ...[1, 2, 3, 6, 12].map((count) => count * hourMs),
  ...[1, 2, 7, 14, 28, 91, 182, 364].map((count) => count * dayMs),
];

/** The ticks between two Unix times in milliseconds, at most so many. */
export function timeTicks(startMs: number, endMs: number, timeZone: string, max: number): TimeTick[] {
  const length = endMs - startMs;
  const years = 364 * dayMs;
  const step =
    steps.find((one) => length / one <= max) ?? Math.max(1, Math.ceil(length / max / years)) * years;
  const times =
    step < hourMs ? shortTimes(startMs, endMs, step, timeZone) : longTimes(startMs, endMs, step, timeZone);
  let dayBefore = "";
  return times.map((ms) => {
    const time = BigInt(ms) * 1_000_000n;
    const day = formatDay(time, timeZone);
    const isNewDay = day !== dayBefore;
    dayBefore = day;
    if (step >= dayMs) return { ms, label: day };
    const label = formatTime(time, timeZone, step < secondMs ? "ms" : "s");
    return { ms, label: step < minuteMs ? label : label.slice(0, 5), ...(isNewDay && { day }) };
  });
}

/** Steps below an hour: zones are whole quarters of an hour apart, so that a step's phase holds over any change. */
function shortTimes(startMs: number, endMs: number, step: number, timeZone: string): number[] {
  const wall = wallOfInstant(startMs, timeZone);
  const first = startMs + Math.ceil(wall / step) * step - wall;
  const times: number[] = [];
  for (let ms = first; ms <= endMs; ms += step) times.push(ms);
  return times;
}

function longTimes(startMs: number, endMs: number, step: number, timeZone: string): number[] {
  const times: number[] = [];
  const last = wallOfInstant(endMs, timeZone) + hourMs;
  // Weeks begin on Mondays, and the epoch was a Thursday.
  const phase = step % (7 * dayMs) === 0 ? 4 * dayMs : 0;
  const first = Math.floor((wallOfInstant(startMs, timeZone) - phase) / step) * step + phase;
  for (let wall = first; wall <= last; wall += step) {
    const ms = instantOfWall(wall, timeZone);
    if (ms >= startMs && ms <= endMs && ms !== times.at(-1)) times.push(ms);
  }
  return times;
}
