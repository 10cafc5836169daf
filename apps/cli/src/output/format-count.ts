/** Counts, sizes and durations for people: `1 234 567`, `12.3 MB`, `1m 05s`. */

/** A whole number with a thin gap between thousands, so that it can't be read as a decimal anywhere. */
export function formatCount(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, " ");
}

const byteUnits = ["B", "kB", "MB", "GB", "TB"] as const;

/** A size in decimal units, as disks and networks are counted. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < byteUnits.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : value.toFixed(1)} ${byteUnits[unit]}`;
}

/** A duration in milliseconds, as exact as it is of use: `34 ms`, `5.2 s`, `1m 05s`, `2h 03m`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 999.5) return `${Math.round(durationMs)} ms`;
  if (durationMs < 59_950) return `${(durationMs / 1000).toFixed(1)} s`;
  const seconds = Math.round(durationMs / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${twoDigits(seconds % 60)}s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)}h ${twoDigits(minutes % 60)}m`;
}

const twoDigits = (number: number): string => String(number).padStart(2, "0");

/** A count with its noun: `1 entry`, `2 entries`. */
export function formatNoun(count: number, one: string, many: string): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}
