/**
 * Times as the page shows them, in any time zone. Every row has one, thousands
 * of them a second, so only the zone's offset is asked of Intl, once for each
 * quarter of an hour (offsets change at no other times); the rest is arithmetic.
 */

/** How much of a second is shown. */
export type TimePrecision = "s" | "ms" | "ns";

/** The zone's offset from UTC, in milliseconds, by quarter of an hour. */
type Offsets = Map<number, number>;

const nsPerMs = 1_000_000n;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const quarterMs = 15 * minuteMs;

/** A month of quarters for each zone: a list is sorted by time, so it asks for few. */
const offsetsMax = 3_000;

/** Dates that JavaScript can hold, and no more: int64 nanoseconds end before them. */
const dateMsMax = 8.64e15;

const offsetsByZone = new Map<string, Offsets>();
const clocks = new Map<string, Intl.DateTimeFormat>();

/** The time of day, such as `09:36:40.123`, of a Unix time in nanoseconds. `timeZone`: an IANA name, or "local". */
export function formatTime(ns: bigint, timeZone: string, precision: TimePrecision): string {
  return timeOf(zonedMs(ns, timeZone), ns, precision);
}

/** The day, such as `2026-11-22`. */
export function formatDay(ns: bigint, timeZone: string): string {
  return dayOf(zonedMs(ns, timeZone));
}

/** Day and time, such as `2026-11-22 09:36:40.123`. */
export function formatDayTime(ns: bigint, timeZone: string, precision: TimePrecision): string {
  const ms = zonedMs(ns, timeZone);
  return `${dayOf(ms)} ${timeOf(ms, ns, precision)}`;
}

/** How far the zone's clock is from UTC at that time, such as `+01:00`; `Z` where it is UTC. */
export function formatOffset(ns: bigint, timeZone: string): string {
  const minutes = Math.round(offsetAt(msOf(ns), timeZone) / minuteMs);
  if (minutes === 0) return "Z";
  const size = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** Whether there is such a time zone. */
export function isTimeZone(name: string): boolean {
  if (name === "local") return true;
  try {
    return Intl.DateTimeFormat("en", { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}

/** What a reader calls a zone: "local" is named by its place. */
export function timeZoneName(timeZone: string): string {
  return timeZone === "local" ? `Local (${Intl.DateTimeFormat().resolvedOptions().timeZone})` : timeZone;
}

/** The offset of a zone at a time, both in milliseconds. */
export function offsetAt(ms: number, timeZone: string): number {
  let offsets = offsetsByZone.get(timeZone);
  if (offsets === undefined) {
    offsets = new Map();
    offsetsByZone.set(timeZone, offsets);
  }
  const quarter = Math.floor(ms / quarterMs);
  const known = offsets.get(quarter);
  if (known !== undefined) return known;
  if (offsets.size >= offsetsMax) offsets.clear();
  const offset = measureOffset(quarter * quarterMs, timeZone);
  offsets.set(quarter, offset);
  return offset;
}

function measureOffset(ms: number, timeZone: string): number {
  if (timeZone === "UTC" || Math.abs(ms) > dateMsMax - dayMs) return 0;
  const parts = new Map(
    clockOf(timeZone)
      .formatToParts(ms)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
  return (
    Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second")) - ms
  );
}

/** The zone's clock, in digits. */
function clockOf(timeZone: string): Intl.DateTimeFormat {
  const known = clocks.get(timeZone);
  if (known !== undefined) return known;
  const digits = "2-digit";
  const clock = new Intl.DateTimeFormat("en-GB", {
    ...(timeZone === "local" ? {} : { timeZone }),
    hourCycle: "h23",
    year: "numeric",
    month: digits,
    day: digits,
    hour: digits,
    minute: digits,
    second: digits,
  });
  clocks.set(timeZone, clock);
  return clock;
}

/** Milliseconds on the zone's own clock. */
function zonedMs(ns: bigint, timeZone: string): number {
  const ms = msOf(ns);
  return ms + offsetAt(ms, timeZone);
}

/** Rounded down, so that no time is shown before it came. */
function msOf(ns: bigint): number {
  const ms = ns / nsPerMs;
  return Number(ns < 0n && ms * nsPerMs !== ns ? ms - 1n : ms);
}

function timeOf(zoned: number, ns: bigint, precision: TimePrecision): string {
  const ofDay = ((zoned % dayMs) + dayMs) % dayMs;
  const hours = Math.floor(ofDay / hourMs);
  const minutes = Math.floor(ofDay / minuteMs) % 60;
  const seconds = Math.floor(ofDay / 1000) % 60;
  const time = `${two(hours)}:${two(minutes)}:${two(seconds)}`;
  if (precision === "s") return time;
  if (precision === "ms") return `${time}.${three(ofDay % 1000)}`;
  const inSecond = Number(((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n);
  return `${time}.${String(inSecond).padStart(9, "0")}`;
}

function dayOf(zoned: number): string {
  const bounded = Math.min(Math.max(zoned, -dateMsMax), dateMsMax);
  const date = new Date(bounded);
  return `${String(date.getUTCFullYear()).padStart(4, "0")}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`;
}

const two = (value: number): string => (value < 10 ? `0${value}` : `${value}`);
const three = (value: number): string => (value < 10 ? `00${value}` : value < 100 ? `0${value}` : `${value}`);
