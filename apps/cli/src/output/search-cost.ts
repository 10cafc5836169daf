/** How far a search is, and what it cost in the end. */
import type { QueryProgress } from "@logsvc/client-node";
import { formatBytes, formatCount, formatDuration, formatNoun } from "./format-count.ts";

/** One line that is drawn again and again: `120 blocks scanned, 80 skipped, of 300; 23 found; 1.1 GB/s`. */
export function formatProgress(progress: QueryProgress, elapsedMs: number): string {
  const { blocksScanned, blocksSkipped, blocksTotal, matches } = progress;
  const blocks = `${formatNoun(blocksScanned, "block", "blocks")} scanned`;
  const skipped = `${formatCount(blocksSkipped)} skipped`;
  const rate = formatRate(progress.bytesScanned, elapsedMs);
  return `${blocks}, ${skipped}, of ${formatCount(blocksTotal)}; ${formatCount(matches)} found; ${rate}`;
}

/** What `--stats` prints when a search is over. Sizes are of entries before compression. */
export function formatStats(progress: QueryProgress, elapsedMs: number): string {
  const { blocksScanned, blocksSkipped, blocksTotal, bytesScanned, bytesSkipped } = progress;
  const entries = formatNoun(progress.entriesScanned, "entry", "entries");
  return [
    `scanned ${formatNoun(blocksScanned, "block", "blocks")} (${entries}, ${formatBytes(bytesScanned)})`,
    `, skipped ${formatCount(blocksSkipped)} (${formatBytes(bytesSkipped)})`,
    `, of ${formatCount(blocksTotal)} in the range; found ${formatCount(progress.matches)}`,
    ` in ${formatDuration(elapsedMs)}, ${formatRate(bytesScanned, elapsedMs)}`,
  ].join("");
}

function formatRate(bytes: number, elapsedMs: number): string {
  return `${formatBytes((bytes / Math.max(elapsedMs, 1)) * 1000)}/s`;
}
