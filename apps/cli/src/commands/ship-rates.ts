/** Says on a terminal how fast entries are acknowledged. */
import { formatCount } from "../output/format-count.ts";
import type { Notices } from "../output/notices.ts";

/** How it stands now. */
export interface ShipStatus {
  /** Acknowledged so far. */
  readonly entries: number;
  /** What else there is to say, such as how many files are followed. */
  readonly more: readonly string[];
}

/** Between two drawings. */
const drawIntervalMs = 500;

/** The rate is of so many drawings: steady enough to be read. */
const drawingsMax = 6;

/** Draws rates until it is stopped. Only a terminal shows them. */
export function startRates(notices: Notices, status: () => ShipStatus): { stop(): void } {
  const past = [{ atMs: performance.now(), entries: status().entries }];
  const timer = setInterval(() => {
    const { entries, more } = status();
    past.push({ atMs: performance.now(), entries });
    if (past.length > drawingsMax) past.shift();
    const first = past[0];
    const elapsedMs = performance.now() - (first?.atMs ?? 0);
    const rate = ((entries - (first?.entries ?? 0)) / Math.max(elapsedMs, 1)) * 1000;
    notices.progress(() =>
      [`${formatCount(entries)} entries`, `${formatCount(rate)} entries/s`, ...more].join("  "),
    );
  }, drawIntervalMs);
  return {
    stop: () => {
      clearInterval(timer);
      notices.clearProgress();
    },
  };
}
