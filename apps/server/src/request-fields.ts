/** Checks of request fields that several RPCs have in common. */
import { type FilterNode, parseFilter } from "@logsvc/filter";
import { limits, timestampMax, toNanoseconds } from "@logsvc/proto";
import { RequestError } from "./request-error.ts";

/**
 * A request's filter.
 *
 * @throws RequestError `invalid` when it is too long; FilterSyntaxError when it does not parse.
 */
export function filterField(filter: string): FilterNode {
  const bytes = Buffer.byteLength(filter);
  if (bytes <= limits.filterBytesMax) return parseFilter(filter);
  throw new RequestError("invalid", `filter: at most ${limits.filterBytesMax} bytes, got ${bytes}`);
}

/**
 * A number that is 0 for its default and has an upper bound.
 *
 * @throws RequestError `invalid`.
 */
export function countField(name: string, value: number, bound: { byDefault: number; max: number }): number {
  if (value === 0) return bound.byDefault;
  if (value <= bound.max) return value;
  throw new RequestError("invalid", `${name}: at most ${bound.max}, got ${value}`);
}

/** A Unix time of any unit, as nanoseconds; undefined for 0, which says nothing. */
export function timeField(time: bigint): bigint | undefined {
  if (time === 0n) return undefined;
  const nanoseconds = toNanoseconds(time);
  if (nanoseconds > timestampMax) return timestampMax;
  if (nanoseconds < -timestampMax) return -timestampMax;
  return nanoseconds;
}

/**
 * A time range.
 *
 * @throws RequestError `invalid` when it can hold nothing.
 */
export function rangeFields(range: { readonly start: bigint; readonly end: bigint }): {
  readonly start?: bigint;
  readonly end?: bigint;
} {
  const start = timeField(range.start);
  const end = timeField(range.end);
  if (start !== undefined && end !== undefined && start >= end) {
    throw new RequestError("invalid", `start: must be before end, got ${start} ns and end ${end} ns`);
  }
  return { ...(start === undefined ? {} : { start }), ...(end === undefined ? {} : { end }) };
}
