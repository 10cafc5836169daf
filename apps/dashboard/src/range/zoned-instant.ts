/**
 * From a clock on the wall to the time that it means: the reverse of
 * view/format-time.ts. In spring an hour is skipped and in autumn one comes
 * twice; a time that is skipped is taken as if the clock had not been put
 * forward yet (02:30 is then 03:30), and of two the earlier is meant, as
 * JavaScript's own Date and Temporal do.
 */
import { offsetAt } from "../view/format-time.ts";

const dayMs = 86_400_000;

/** The time at which a zone's clock shows so many milliseconds (its own, counted as if they were UTC's). */
export function instantOfWall(wallMs: number, timeZone: string): number {
  // No zone changes its offset twice within two days.
  const before = offsetAt(wallMs - dayMs, timeZone);
  const after = offsetAt(wallMs + dayMs, timeZone);
  const fitting = [wallMs - before, wallMs - after].filter((ms) => ms + offsetAt(ms, timeZone) === wallMs);
  return fitting.length === 0 ? wallMs - before : Math.min(...fitting);
}

/** What a zone's clock shows at a time, in milliseconds as if they were UTC's. */
export function wallOfInstant(ms: number, timeZone: string): number {
  return ms + offsetAt(ms, timeZone);
}
