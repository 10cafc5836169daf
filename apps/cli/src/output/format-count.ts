/** Counts and sizes for people: `1 234 567`, `12.3 MB`, `1m 05s`. */

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

/** A count with its noun: `1 entry`, `2 entries`. */
export function formatNoun(count: number, one: string, many: string): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}
