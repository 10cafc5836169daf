/** The time of arrival, for entries that bring no time of their own. */

/**
 * A clock of Unix nanoseconds that follows the wall clock and never stands
 * still nor goes back, so that entries which arrive in the same millisecond
 * keep their order when sorted by time.
 */
export function createArrivalClock(): () => bigint {
  let last = 0n;
  return () => {
    const now = BigInt(Date.now()) * 1_000_000n;
    last = now > last ? now : last + 1n;
    return last;
  };
}
