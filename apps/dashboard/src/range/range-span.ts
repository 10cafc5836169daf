/** Which times a range is, once it is asked, and what it is called. */
import type { ViewRange } from "../view/view-state.ts";
import { formatTypedTime } from "./time-text.ts";

const nsPerMs = 1_000_000n;
const minuteMs = 60_000;

/** While following the log, what is counted and listed beside it is of the last so many milliseconds. */
export const liveSpanMs: number = 15 * minuteMs;

/** Unix nanoseconds, `end` not in it. */
export interface TimeSpan {
  readonly start: bigint;
  readonly end: bigint;
}

/** The ranges to choose from. */
export const presets: readonly { readonly durationMs: number; readonly name: string }[] = [
  { durationMs: 5 * minuteMs, name: "Last 5 minutes" },
  { durationMs: 15 * minuteMs, name: "Last 15 minutes" },
  { durationMs: 60 * minuteMs, name: "Last hour" },
  { durationMs: 6 * 60 * minuteMs, name: "Last 6 hours" },
  { durationMs: 24 * 60 * minuteMs, name: "Last 24 hours" },
  { durationMs: 7 * 24 * 60 * minuteMs, name: "Last 7 days" },
  { durationMs: 30 * 24 * 60 * minuteMs, name: "Last 30 days" },
];

/** The present, in Unix nanoseconds. */
export function nowNs(): bigint {
  return BigInt(Date.now()) * nsPerMs;
}

/** The times of a range that is asked now. */
export function spanOf(range: ViewRange, now: bigint): TimeSpan {
  if (range.kind === "between") return { start: range.start, end: range.end };
  const durationMs = range.kind === "live" ? liveSpanMs : range.durationMs;
  return { start: now - BigInt(Math.round(durationMs)) * nsPerMs, end: now };
}

/** Equal for ranges that are asked alike. */
export function rangeKey(range: ViewRange): string {
  switch (range.kind) {
    case "live":
      return "live";
    case "last":
      return `last ${range.durationMs}`;
    case "between":
      return `${range.start} ${range.end}`;
  }
}

/** What a range is called. */
export function rangeName(range: ViewRange, timeZone: string): string {
  switch (range.kind) {
    case "live":
      return "Live";
    case "last":
      return lastName(range.durationMs);
    case "between": {
      const start = formatTypedTime(range.start, timeZone);
      const end = formatTypedTime(range.end, timeZone);
      const sameDay = start.slice(0, 10) === end.slice(0, 10) && start[10] === " " && end[10] === " ";
      return `${start} – ${sameDay ? end.slice(11) : end}`;
    }
  }
}

function lastName(durationMs: number): string {
  const preset = presets.find((one) => one.durationMs === durationMs);
  if (preset !== undefined) return preset.name;
  for (const [unitMs, unit] of units) {
    const count = durationMs / unitMs;
    if (Number.isInteger(count))
      return `Last ${count === 1 ? "" : `${count} `}${unit}${count === 1 ? "" : "s"}`;
  }
  return `Last ${durationMs} ms`;
}

const units: readonly (readonly [ms: number, name: string])[] = [
  [24 * 60 * minuteMs, "day"],
  [60 * minuteMs, "hour"],
  [minuteMs, "minute"],
  [1000, "second"],
];
