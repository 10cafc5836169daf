/**
 * Times as a person types them, and as they are shown for typing on:
 *
 *   2026-11-29T10:00:00.123456789Z   RFC 3339: exact, whatever the zone
 *   2026-11-29 10:00[:00[.123]]      on the clock of the chosen zone (a `T` in place of the space is well, too)
 *   2026-11-29                       the beginning of that day
 *   10:00[:00]                       today
 *   now
 *   15m, -1h30m                      so long ago
 *   1764410400 (also ms, µs, ns)     Unix time, as it stands in logs
 */
import { durationOf } from "@logsvc/filter";
import { timestampMax, toNanoseconds } from "@logsvc/proto";
import { formatDayTime, formatOffset } from "../view/format-time.ts";
import { instantOfWall, wallOfInstant } from "./zoned-instant.ts";

/** What a typed time is read against. */
export interface TimeContext {
  /** An IANA time zone, or "local". */
  readonly timeZone: string;
  /** Unix nanoseconds. */
  readonly now: bigint;
}

/** A text that is no time. The message says what was expected. */
export class TimeSyntaxError extends Error {
  override readonly name = "TimeSyntaxError";
}

const nsPerMs = 1_000_000n;
const dayMs = 86_400_000;
const nsPerSecond = 1000n * nsPerMs;

const datePattern = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T\s]+(.+))?$/i;
const clockPattern = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|[+-]\d{2}:?\d{2})?$/i;
const unixPattern = /^\d{9,19}$/;

/**
 * Reads a time.
 *
 * @throws TimeSyntaxError when it is none, or beyond what the log can hold.
 */
export function parseTime(text: string, context: TimeContext): bigint {
  const trimmed = text.trim();
  const time = parseAny(trimmed, context);
  if (time === undefined) {
    throw new TimeSyntaxError(
      `expected a time such as 2026-11-29 10:00, 10:00, 15m (ago) or now, got ${trimmed === "" ? "nothing" : `"${trimmed}"`}`,
    );
  }
  // Before March 1973 the wire would take nanoseconds for something coarser.
  if (time > timestampMax || time < earliest)
    throw new TimeSyntaxError(`expected a year from 1974 to 2261, got "${trimmed}"`);
  return time;
}

const earliest = BigInt(Date.UTC(1974, 0, 1)) * nsPerMs;

function parseAny(text: string, context: TimeContext): bigint | undefined {
  if (/^now$/i.test(text)) return context.now;
  if (unixPattern.test(text)) return toNanoseconds(BigInt(text));
  const date = datePattern.exec(text);
  if (date !== null) {
    const [, year, month, day, clock = "00:00"] = date;
    const midnight = dayOf(Number(year), Number(month), Number(day), text);
    return parseClock(clock, midnight, context, text);
  }
  if (clockPattern.test(text)) {
    const wall = wallOfInstant(Number(context.now / nsPerMs), context.timeZone);
    return parseClock(text, Math.floor(wall / dayMs) * dayMs, context, text);
  }
  return parseAgo(text, context.now);
}

function parseAgo(text: string, now: bigint): bigint | undefined {
  const match = /^-?\s*([\d.]\S*)(?:\s+ago)?$/i.exec(text);
  const ns = durationOf(match?.[1] ?? "");
  return Number.isNaN(ns) ? undefined : now - BigInt(Math.round(ns));
}

function dayOf(year: number, month: number, day: number, text: string): number {
  const ms = Date.UTC(year, month - 1, day);
  const date = new Date(ms);
  // A thirtieth of February would be a second of March.
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day)
    throw new TimeSyntaxError(`there is no such day: "${text}"`);
  return ms;
}

function parseClock(clock: string, midnight: number, context: TimeContext, text: string): bigint | undefined {
  const match = clockPattern.exec(clock.trim());
  if (match === null) return undefined;
  const [, hours, minutes, seconds = "0", fraction = "", offset] = match;
  if (Number(hours) > 24 || Number(minutes) > 59 || Number(seconds) > 60)
    throw new TimeSyntaxError(`there is no such time of day: "${text}"`);
  const wallMs = midnight + ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
  const ms = offset === undefined ? instantOfWall(wallMs, context.timeZone) : wallMs - offsetMs(offset);
  return BigInt(ms) * nsPerMs + BigInt(fraction.padEnd(9, "0"));
}

function offsetMs(offset: string): number {
  if (/^z$/i.test(offset)) return 0;
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(-2));
  return (offset.startsWith("-") ? -minutes : minutes) * 60_000;
}

/** A time as it is typed: on the zone's clock, as short as it goes; with its offset where the clock alone would mean another. */
export function formatTypedTime(ns: bigint, timeZone: string): string {
  const full = formatDayTime(ns, timeZone, "ns");
  const exact = full.replace(/\.?0+$/, "");
  const text = exact.length === 19 && exact.endsWith(":00") ? exact.slice(0, 16) : exact;
  if (parseTime(text, { timeZone, now: 0n }) === ns) return text;
  return `${exact.replace(" ", "T")}${formatOffset(ns, timeZone)}`;
}

/** For `<input type="datetime-local" step="1">`, which has no zone: the zone's clock, to the second. */
export function formatPickedTime(ns: bigint, timeZone: string): string {
  return formatDayTime(ns - (ns % nsPerSecond), timeZone, "s").replace(" ", "T");
}
