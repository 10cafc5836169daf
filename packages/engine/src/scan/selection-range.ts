/** The time range of a request, in the numbers that are stored. */
import { timestampMax } from "@logsvc/proto";
import type { Selection } from "../engine.ts";

/** The least and the greatest timestamp there can be: those of an int64. */
export const timeMin = -(2n ** 63n);
export const timeMax = timestampMax;

/** A range that holds both ends. Empty when `start` is behind `last`. */
export interface TimeRange {
  readonly start: bigint;
  readonly last: bigint;
}

/** The range of a request. */
export function rangeOf({ start, end }: Pick<Selection, "start" | "end">): TimeRange {
  return {
    start: clamp(start ?? timeMin),
    last: end === undefined ? timeMax : clamp(end - 1n),
  };
}

/** The earlier of two times. */
export function earlierOf(one: bigint, other: bigint): bigint {
  if (one < other) return one;
  return other;
}

/** The later of two times. */
export function laterOf(one: bigint, other: bigint): bigint {
  if (one > other) return one;
  return other;
}

function clamp(time: bigint): bigint {
  if (time < timeMin) return timeMin;
  return time > timeMax ? timeMax : time;
}
