/** A bar that fills: `▕██████      ▏ 42 %`. */

const widthDefault = 24;

/** How many columns stand beside the bar itself. */
const frameWidth = 7;

/**
 * A bar for a part of a whole, from 0 to 1; beyond is shown as the nearest.
 *
 * @param room How many columns it may take; the bar has from 4 to 24. Default: 24.
 */
export function formatProgressBar(part: number, room = widthDefault + frameWidth): string {
  const width = Math.min(widthDefault, Math.max(4, room - frameWidth));
  const bounded = Math.min(1, Math.max(0, part));
  const filled = Math.floor(bounded * width);
  const percent = String(Math.floor(bounded * 100)).padStart(3);
  return `▕${"█".repeat(filled)}${" ".repeat(width - filled)}▏${percent} %`;
}
