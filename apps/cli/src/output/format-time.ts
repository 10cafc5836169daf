/** Times for people: `2026-11-22 10:36:40.123`, with a `Z` in UTC. */

const nanosecondsPerMillisecond = 1_000_000n;

/** Unix nanoseconds as a time of the local zone (the variable TZ), or of UTC; to the millisecond. */
export function formatTime(time: bigint, utc: boolean): string {
  const date = new Date(Number(time / nanosecondsPerMillisecond));
  if (utc) return date.toISOString().replace("T", " ");
  const two = (number: number): string => String(number).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${day} ${clock}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** The same without the digits that times so many nanoseconds apart have in common: `2026-11-22 10:36`. */
export function formatTimeStep(time: bigint, step: bigint, utc: boolean): string {
  const stepMs = Number(step / nanosecondsPerMillisecond);
  const length = stepMs % 60_000 === 0 ? "yyyy-mm-dd hh:mm".length : "yyyy-mm-dd hh:mm:ss".length;
  const isExact = stepMs > 0 && stepMs % 1000 === 0;
  const text = formatTime(time, utc);
  return isExact ? `${text.slice(0, length)}${utc ? "Z" : ""}` : text;
}
