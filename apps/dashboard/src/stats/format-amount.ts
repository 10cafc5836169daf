/** Amounts as people read them: three digits that matter, and a unit. */

const byteUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** Bytes, in units of 1 024: 1.50 MiB. */
export function formatBytes(bytes: number): string {
  let amount = bytes;
  let unit = 0;
  while (Math.abs(amount) >= 999.5 && unit < byteUnits.length - 1) {
    amount /= 1024;
    unit++;
  }
  return `${unit === 0 ? Math.round(amount) : digits(amount)} ${byteUnits[unit]}`;
}

/** A count, whole: 1,234,567. */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString("en");
}

/** A rate or a mean, short: 0.25, 12.5, 1,234, 1.23M. */
export function formatAmount(amount: number): string {
  const size = Math.abs(amount);
  if (size >= 999_500_000) return `${digits(amount / 1_000_000_000)}G`;
  if (size >= 999_500) return `${digits(amount / 1_000_000)}M`;
  return size >= 999.5 ? formatCount(amount) : digits(amount);
}

/** A duration with its two greatest units: 3 d 4 h, 12 min 5 s, 250 ms. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 1) return `${digits(durationMs * 1_000)} µs`;
  if (durationMs < 999.5) return `${digits(durationMs)} ms`;
  const seconds = Math.round(durationMs / 1_000);
  const parts = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3_600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ] as const;
  const first = parts.findIndex(([amount]) => amount > 0);
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(" ");
}

/** Three digits that matter, without zeros at the end of a fraction. */
function digits(amount: number): string {
  if (amount === 0 || !Number.isFinite(amount)) return "0";
  const size = Math.abs(amount);
  if (size < 0.005) return amount < 0 ? "-0.01" : "< 0.01";
  const decimals = size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
  return String(Number(amount.toFixed(decimals)));
}
