/** How long ago something was, in one unit, as people say it. */

const units = [
  ["y", 365 * 86_400_000],
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/** "12 min ago", "in 3 s", "now": of Unix nanoseconds. Clocks differ: a time to come is none to hide. */
export function relativeTime(time: bigint, nowMs: number): string {
  const passedMs = nowMs - Number(time / 1_000_000n);
  const size = Math.abs(passedMs);
  const unit = units.find(([, unitMs]) => size >= unitMs);
  if (unit === undefined) return "now";
  const amount = `${Math.floor(size / unit[1])} ${unit[0]}`;
  return passedMs > 0 ? `${amount} ago` : `in ${amount}`;
}

/** How much later the second is, for what took its time on the way: "12 ms later"; empty where it is not worth a word. */
export function delayText(first: bigint, second: bigint): string {
  const ms = Number(second - first) / 1e6;
  const size = Math.abs(ms);
  if (size < 1) return "";
  const unit = units.find(([, unitMs]) => size >= unitMs);
  const amount = unit === undefined ? `${Math.round(size)} ms` : `${Math.floor(size / unit[1])} ${unit[0]}`;
  return `${amount} ${ms > 0 ? "later" : "earlier"}`;
}
