/**
 * Writes a batch of a file's entries and does not let go before it is answered.
 *
 * Files are sent by WriteLogs, one batch of a file at a time, and not over a
 * stream: then a file's position is one number, an entry that the server can't
 * take now is sent again under its own number before any later one is sent, and
 * nothing has to be kept in memory for a server that is away, as it is in the
 * file. While a batch is on its way the next one is read and several files are
 * under way at once, so the pace is that of reading.
 */
import {
  Code,
  ConnectError,
  isRetryable,
  type NodeLogClient,
  retryDelayMs,
  type WriteLogsResponse,
} from "@logsvc/client-node";
import type { LineEntry } from "../lines/line-fields.ts";

/** Entries of one file, side by side. */
export interface FileBatch {
  /** Where they are from. */
  readonly path: string;
  readonly producerId: string;
  readonly firstSequence: number;
  readonly entries: readonly LineEntry[];
}

/** What became of the entries so far. */
export interface DeliveryCounts {
  accepted: number;
  duplicates: number;
  rejected: number;
}

/** Options of createBatchDelivery. */
export interface BatchDeliveryOptions {
  readonly client: NodeLogClient;
  readonly counts: DeliveryCounts;
  /** Aborting gives up what is not acknowledged. */
  readonly signal: AbortSignal;
  /** Give up when the server is away for so long, in milliseconds; 0: never. */
  readonly retryTimeoutMs: number;
  /** An entry was refused for good. */
  readonly onRejected: (entry: LineEntry, reason: string, path: string) => void;
  /** The server is away, with the reason, or is back. */
  readonly onOutage: (error: ConnectError | undefined) => void;
}

/** Writes a batch. Resolves when every entry is accepted, or refused for good. */
export type DeliverBatch = (batch: FileBatch) => Promise<void>;

/** Without an answer for so long a request is sent again. A disk may stall for seconds. */
const answerTimeoutMs = 60_000;

const pauseMsMin = 100;
const pauseMsMax = 5_000;

/**
 * Creates the way for all batches.
 *
 * @returns Throws ConnectError when it gives up: by an error that no retry mends, `retryTimeoutMs` or the signal.
 */
export function createBatchDelivery(options: BatchDeliveryOptions): DeliverBatch {
  const { client, signal, retryTimeoutMs, onOutage } = options;
  let awaySinceMs: number | undefined;
  const write = async (batch: FileBatch): Promise<WriteLogsResponse> => {
    const { entries, producerId, firstSequence } = batch;
    const within = AbortSignal.any([signal, AbortSignal.timeout(answerTimeoutMs)]);
    const answer = await client.write(entries, { producerId, firstSequence, signal: within });
    const later = answer.rejections.find(({ retryable }) => retryable);
    if (later === undefined) return answer;
    throw new ConnectError(`the server can't take an entry now: ${later.reason}`, Code.Unavailable);
  };
  const failed = async (reason: unknown, attempt: number): Promise<void> => {
    // Ours, and no better the next time.
    if (reason instanceof TypeError || reason instanceof RangeError) throw reason;
    const error = ConnectError.from(reason);
    awaySinceMs ??= Date.now();
    if (signal.aborted) throw new ConnectError("the sender was aborted", Code.Canceled);
    const awayMs = Date.now() - awaySinceMs;
    if (!isRetryable(error) || (retryTimeoutMs > 0 && awayMs >= retryTimeoutMs)) throw error;
    onOutage(error);
    await pause(Math.max(retryDelayMs(error) ?? 0, backoffOf(attempt)), signal);
  };
  return async (batch) => {
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await write(batch);
        awaySinceMs = undefined;
        onOutage(undefined);
        count(batch, answer, options);
        return;
      } catch (reason) {
        await failed(reason, attempt);
      }
    }
  };
}

function count(batch: FileBatch, answer: WriteLogsResponse, options: BatchDeliveryOptions): void {
  const { counts, onRejected } = options;
  counts.accepted += answer.accepted;
  counts.duplicates += answer.duplicates;
  counts.rejected += answer.rejections.length;
  for (const { index, reason } of answer.rejections) {
    const entry = batch.entries[index];
    if (entry !== undefined) onRejected(entry, reason, batch.path);
  }
}

/** Twice as long each time, at random up to it, so that many agents don't come back at once. */
function backoffOf(attempt: number): number {
  const ceilingMs = Math.min(pauseMsMax, pauseMsMin * 2 ** Math.min(attempt, 10));
  return pauseMsMin + Math.random() * (ceilingMs - pauseMsMin);
}

async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = (): void => resolve();
  const timer = setTimeout(end, delayMs);
  signal.addEventListener("abort", end, { once: true });
  await promise;
  clearTimeout(timer);
  signal.removeEventListener("abort", end);
}
