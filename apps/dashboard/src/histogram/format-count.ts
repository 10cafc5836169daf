/** Counts in as few characters as tell them apart: for axes and for lists of values. */

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const exact = new Intl.NumberFormat("en");

/** Such as `950`, `1.2K` or `3M`. */
export function formatCount(count: number): string {
  return compact.format(count);
}

/** Such as `1,234,567`. */
export function formatExactCount(count: number | bigint): string {
  return exact.format(count);
}
