/** A bar that fills: `▕██████      ▏ 42 %`. */

const width = 24;

/** A bar for a part of a whole, from 0 to 1; beyond is shown as the nearest. */
export function formatProgressBar(part: number): string {
  const bounded = Math.min(1, Math.max(0, part));
  const filled = Math.floor(bounded * width);
  const percent = String(Math.floor(bounded * 100)).padStart(3);
  return `▕${"█".repeat(filled)}${" ".repeat(width - filled)}▏${percent} %`;
}
