/**
 * How long to wait before trying again: twice as long each time, with jitter,
 * so that a thousand clients of a restarted server don't come back at once.
 */
import type { ConnectError } from "@connectrpc/connect";
import { retryDelayMs } from "./retryable.ts";

/** The least wait: a restart takes about so long. */
export const backoffMsMin = 250;

/** The greatest wait: longer, and a person who fixed the server waits for the client. */
export const backoffMsMax = 30_000;

/**
 * The wait after an error, in milliseconds, always from 250 to 30 000: at
 * random up to twice the former ceiling, and no less than the server asked for.
 *
 * @param attempt How many attempts in a row have failed, from 1.
 * @param random From 0 to 1.
 */
export function backoffMs(error: ConnectError, attempt: number, random: number): number {
  const ceilingMs = Math.min(backoffMsMax, backoffMsMin * 2 ** attempt);
  const delayMs = backoffMsMin + random * (ceilingMs - backoffMsMin);
  return Math.min(backoffMsMax, Math.max(delayMs, retryDelayMs(error) ?? 0));
}
