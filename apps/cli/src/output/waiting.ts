/** What is shown while a call runs that is answered once, at its end. */
import { formatDuration } from "./format-count.ts";
import type { Notices } from "./notices.ts";

/** Between two looks at the clock. */
const intervalMs = 200;

/**
 * Waits for an answer, and shows for how long. What comes within an instant
 * shows nothing.
 *
 * @param doing Such as `counting`.
 */
export async function showWaiting<T>(notices: Notices, doing: string, answer: Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const timer = setInterval(
    () => notices.progress(() => `${doing} … ${formatDuration(performance.now() - startedAt)}`),
    intervalMs,
  );
  try {
    return await answer;
  } finally {
    clearInterval(timer);
    notices.clearProgress();
  }
}
