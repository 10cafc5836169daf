/**
 * Times as programs write them into their logs, as Unix nanoseconds.
 *
 *   2026-11-22T09:36:40.123456789Z   RFC 3339, any number of digits, `T` or a space, `.` or `,`
 *   2026-11-22 09:36:40,123          without a zone: this machine's local time, as the programs mean it
 *   1795340200  1795340200.123       Unix seconds, with or without a fraction
 *   1795340200123 …                  milliseconds, microseconds, nanoseconds, told apart by magnitude
 *
 * Numbers may stand in quotes. Nothing before March 1973 (1e8 seconds) is a
 * time: a field named `time` is as often a duration.
 */

import { timestampMax, toNanoseconds } from "@logsvc/proto";

const secondsMin = 100_000_000;

const isoSource =
  String.raw`(\d{4})[-/](\d\d)[-/](\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9})\d*)?` +
  String.raw`(?: ?([Zz]|UTC|GMT|[+-]\d\d:?\d\d)(?![\w:]))?`;
const isoWhole = new RegExp(`^${isoSource}$`);
// The leading bracket is common: `[2026-11-22 09:36:40] started`.
const isoLeading = new RegExp(String.raw`^\[?${isoSource}(?=[\s\],;|]|$)`);

/** A time as Unix nanoseconds; undefined when the value is not one. */
export function parseTime(value: string | number): bigint | undefined {
  if (typeof value === "number") return fromNumber(value);
  const text = value.trim();
  if (/^\d+$/.test(text)) return fromDigits(text);
  if (/^\d+\.\d+$/.test(text)) return fromDecimal(text);
  return fromIso(isoWhole.exec(text));
}

/** The RFC 3339 or ISO time that a line begins with; undefined when it does not begin with one. */
export function parseLeadingTime(line: string): bigint | undefined {
  return fromIso(isoLeading.exec(line));
}

function fromNumber(value: number): bigint | undefined {
  if (!(value >= secondsMin) || value >= Number(timestampMax)) return undefined;
  const unit = unitOf(BigInt(Math.trunc(value)));
  if (unit === 1n) return BigInt(Math.round(value));
  // A double holds today's seconds to about a quarter of a microsecond: finer
  // digits would be noise.
  return inReach(BigInt(Math.round(value * Number(unit / 1_000n))) * 1_000n);
}

function fromDigits(text: string): bigint | undefined {
  // 19 digits hold every int64.
  if (text.length > 19) return undefined;
  const value = BigInt(text);
  return value < secondsMin ? undefined : inReach(toNanoseconds(value));
}

function fromDecimal(text: string): bigint | undefined {
  const [whole = "", fraction = ""] = text.split(".");
  const time = fromDigits(whole);
  if (time === undefined) return undefined;
  const unit = unitOf(BigInt(whole));
  return inReach(time + (BigInt(fraction.slice(0, 9).padEnd(9, "0")) * unit) / 1_000_000_000n);
}

/** How many nanoseconds one of a number's unit has, by its magnitude. */
function unitOf(value: bigint): bigint {
  return toNanoseconds(value) / value;
}

function inReach(time: bigint): bigint | undefined {
  return time > timestampMax ? undefined : time;
}

function fromIso(match: RegExpExecArray | null): bigint | undefined {
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60)
    return undefined;
  const zone = match[8];
  const unixMs =
    zone === undefined
      ? new Date(year, month - 1, day, hour, minute, second).getTime()
      : Date.UTC(year, month - 1, day, hour, minute, second) - offsetMs(zone);
  // Earlier nanoseconds would be taken for microseconds on the wire.
  if (!(unixMs >= secondsMin * 1000)) return undefined;
  return inReach(BigInt(unixMs) * 1_000_000n + BigInt((match[7] ?? "").padEnd(9, "0")));
}

/** What is to be taken off a zone's time to get UTC. */
function offsetMs(zone: string): number {
  if (!/^[+-]/.test(zone)) return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return (zone.startsWith("-") ? -minutes : minutes) * 60_000;
}
