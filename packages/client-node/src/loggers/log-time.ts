/** Times as loggers write them. */

/** Below this a number is of seconds, as the server has it too: pino's and Go's times with a fraction. */
const secondsMax = 1e11;

const nanosecondsPerMillisecond = 1_000_000n;

/** RFC 3339, with the fraction that a Date has no room for. */
const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d{1,9})\d*)?(?:Z|[+-]\d\d:?\d\d)$/;

/**
 * A time in Unix nanoseconds: a Date, Unix seconds or milliseconds, or text in
 * RFC 3339. Undefined when it is none.
 */
export function readLogTime(time: unknown): bigint | undefined {
  if (time instanceof Date) return ofMilliseconds(time.getTime());
  if (typeof time === "number") return ofMilliseconds(Math.abs(time) < secondsMax ? time * 1000 : time);
  if (typeof time !== "string") return undefined;
  const match = isoTime.exec(time);
  if (match === null) return undefined;
  const milliseconds = Date.parse(time);
  const whole = ofMilliseconds(Math.floor(milliseconds / 1000) * 1000);
  const fraction = BigInt((match[1] ?? "").padEnd(9, "0"));
  return whole === undefined ? undefined : whole + fraction;
}

function ofMilliseconds(milliseconds: number): bigint | undefined {
  if (!Number.isFinite(milliseconds) || milliseconds <= 0 || milliseconds > 8.64e15) return undefined;
  const whole = Math.floor(milliseconds);
  return BigInt(whole) * nanosecondsPerMillisecond + BigInt(Math.round((milliseconds - whole) * 1e6));
}
