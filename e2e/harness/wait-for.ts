/**
 * Waiting on a condition with a deadline: what a test does where it would
 * otherwise sleep and hope.
 */
import { setTimeout as sleep } from "node:timers/promises";

/** Long enough for a slow machine; a test that waits so long has failed anyway. */
const deadlineMsDefault = 30_000;
const pauseMs = 20;

/**
 * Asks again and again until the condition gives something else than
 * `undefined` or `false`, and returns that.
 *
 * @param what What is waited for, for the error.
 * @throws Error when the deadline passes first; whatever the condition throws.
 */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  deadlineMs = deadlineMsDefault,
): Promise<Exclude<T, false | undefined>> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const value = await condition();
    if (isThere(value)) return value;
    if (performance.now() > end) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`);
    await sleep(pauseMs);
  }
}

function isThere<T>(value: T): value is Exclude<T, false | undefined> {
  return value !== undefined && value !== false;
}
