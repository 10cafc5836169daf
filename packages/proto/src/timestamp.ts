/**
 * Times on the wire are Unix times as int64. On the way in their unit is told
 * by magnitude; everything inside, and on the way out, is nanoseconds.
 */

/** The latest time in nanoseconds that the wire and the log hold, an int64's greatest: 2262-04-11. */
export const timestampMax: bigint = 2n ** 63n - 1n;

/**
 * A Unix time in seconds, milliseconds, microseconds or nanoseconds, as
 * nanoseconds: below 1e11 it is seconds (until the year 5138), below 1e14
 * milliseconds, below 1e17 microseconds, else nanoseconds. The result may lie
 * beyond `timestampMax`.
 */
export function toNanoseconds(time: bigint): bigint {
  const magnitude = time < 0n ? -time : time;
  if (magnitude < 100_000_000_000n) return time * 1_000_000_000n;
  if (magnitude < 100_000_000_000_000n) return time * 1_000_000n;
  if (magnitude < 100_000_000_000_000_000n) return time * 1_000n;
  return time;
}
