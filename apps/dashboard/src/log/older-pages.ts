/**
 * Stored entries page by page, the newest first: each page goes on where the
 * last one ended, and is asked for again until it is whole.
 */
import {
  type Clock,
  ConnectError,
  isRetryable,
  type QueryOptions,
  type QueryProgress,
  retryDelayMs,
  type StoredEntry,
} from "@logsvc/client-web";
import { type EntryRow, toEntryRow } from "./log-entry-row.ts";

/** Entries in a page: some screens, and quick to find. */
export const pageEntries = 1000;

/** The first wait before a retry; it doubles up to the longest. */
const retryMsMin = 500;
const retryMsMax = 15_000;

/** The part of `LogClient` that is used. */
export interface PagesClient {
  query(options: QueryOptions): { batches(): AsyncIterable<StoredEntry[]>; readonly nextPageToken: string };
}

/** Which entries: a filter and a range of time, which holds `start` and not `end`. */
export interface PagesOptions {
  readonly filter: string;
  readonly start?: bigint;
  readonly end?: bigint;
}

/** A wait before a page is asked for again. */
export interface PageRetry {
  readonly error: ConnectError;
  readonly attempt: number;
  readonly delayMs: number;
}

/** What is told while a page is read. */
export interface PageListener {
  onProgress(progress: QueryProgress): void;
  onRetry(retry: PageRetry): void;
}

/** One search, read in pages. */
export class OlderPages {
  readonly #client: PagesClient;
  readonly #clock: Clock;
  readonly #options: PagesOptions;
  #token = "";
  #isOver = false;
  #endPause: (() => void) | undefined;

  constructor(client: PagesClient, clock: Clock, options: PagesOptions) {
    this.#client = client;
    this.#clock = clock;
    this.#options = options;
  }

  /** Whether the last page was the last one. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Ends a wait before a retry. */
  wake(): void {
    this.#endPause?.();
  }

  /**
   * The next page in parts as they are found, each the oldest first, the newest
   * part first. Ends without being whole when the signal aborts.
   *
   * @param limit How many entries at the most.
   * @throws ConnectError that no retry mends.
   */
  async *next(
    limit: number,
    signal: AbortSignal,
    listener: PageListener,
  ): AsyncGenerator<EntryRow[], void, undefined> {
    // What a broken attempt has brought must not come twice.
    const seen = new Set<string>();
    for (let attempt = 1; !signal.aborted; attempt++) {
      const query = this.#client.query({
        ...this.#options,
        limit,
        pageToken: this.#token,
        signal,
        onProgress: (progress) => listener.onProgress(progress),
      });
      try {
        for await (const batch of query.batches()) {
          const rows = batch.filter(({ id }) => !seen.has(id)).map(toEntryRow);
          for (const { id } of rows) seen.add(id);
          if (rows.length > 0) yield rows.reverse();
        }
        this.#token = query.nextPageToken;
        this.#isOver = this.#token === "";
        return;
      } catch (reason) {
        const error = ConnectError.from(reason);
        if (signal.aborted) return;
        if (!isRetryable(error)) throw error;
        const delayMs = retryDelayMs(error) ?? Math.min(retryMsMax, retryMsMin * 2 ** (attempt - 1));
        listener.onRetry({ error, attempt, delayMs });
        await this.#pause(delayMs, signal);
      }
    }
  }

  async #pause(delayMs: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = (): void => resolve();
    this.#endPause = end;
    const cancel = this.#clock.startTimer(end, delayMs);
    signal.addEventListener("abort", end);
    await promise;
    signal.removeEventListener("abort", end);
    cancel();
    this.#endPause = undefined;
  }
}
