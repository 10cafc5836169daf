/**
 * A search as a page shows it: page after page as it is asked for, made known
 * once a frame. Without a framework; `useQuery` is a thin hook over it.
 */
import {
  ConnectError,
  type LogClient,
  type LogTime,
  limits,
  type QueryProgress,
  type StoredEntry,
} from "@logsvc/client";
import { type FrameTimer, FrameView, nextFrame } from "./frame-view.ts";

/** What to search for. */
export interface QueryResultsOptions {
  /** Which entries, in the filter language. Default: all. */
  readonly filter?: string | undefined;
  /** The earliest timestamp. Default: from the beginning. */
  readonly start?: LogTime | undefined;
  /** The end of the range, not in it. Default: without end. */
  readonly end?: LogTime | undefined;
  /** By timestamp. Default: "newest" first. */
  readonly order?: "newest" | "oldest" | undefined;
  /** How many entries a page, from 1 to 10 000. Default: 100. */
  readonly limit?: number | undefined;
  /** How many entries to hold over all pages. Default: 10 000. */
  readonly entriesMax?: number | undefined;
}

/** What there is to show. It is replaced, never changed. */
export interface QueryView {
  readonly entries: readonly StoredEntry[];
  /** How far the page is that is loading, or was loaded last; absent before the server has told. */
  readonly progress: QueryProgress | undefined;
  readonly loading: boolean;
  /** Why the last page is not whole. `loadMore` tries that page again. */
  readonly error: ConnectError | undefined;
  /** Whether `loadMore` would bring more, as far as is known and there is room. */
  readonly hasMore: boolean;
}

const entriesMaxDefault = 10_000;

/** Results of one search. */
export class QueryResults {
  readonly #client: LogClient;
  readonly #options: QueryResultsOptions;
  readonly #limit: number;
  readonly #entriesMax: number;
  readonly #view: FrameView<QueryView>;
  /** Of the pages that are whole. */
  #whole: StoredEntry[] = [];
  /** Of the page that is loading or broke off. */
  #page: StoredEntry[] = [];
  /** Where the next page begins; undefined: nowhere. */
  #nextPageToken: string | undefined = "";
  #progress: QueryProgress | undefined;
  #error: ConnectError | undefined;
  #listeners = 0;
  #stop: AbortController | undefined;

  /** @throws RangeError when `limit` or `entriesMax` is out of its range. */
  constructor(client: LogClient, options: QueryResultsOptions = {}, frames: FrameTimer = nextFrame) {
    const { limit = limits.pageEntriesDefault, entriesMax = entriesMaxDefault } = options;
    if (!Number.isInteger(limit) || limit < 1 || limit > limits.pageEntriesMax) {
      throw new RangeError(
        `Expected limit to be an integer from 1 to ${limits.pageEntriesMax}, got ${limit}`,
      );
    }
    if (!Number.isInteger(entriesMax) || entriesMax < 1) {
      throw new RangeError(`Expected entriesMax to be an integer from 1, got ${entriesMax}`);
    }
    this.#client = client;
    this.#options = options;
    this.#limit = limit;
    this.#entriesMax = entriesMax;
    this.#view = new FrameView(() => this.#make(), frames);
  }

  /** What there is to show: the same object until there is something new. */
  readonly view = (): QueryView => this.#view.view;

  /** Calls back when there is a new view, without asking anything. Returns what ends it. */
  readonly listen = (listener: () => void): (() => void) => this.#view.listen(listener);

  /**
   * Loads the first page, unless it was, and calls back when there is a new view. What is loading is
   * canceled when the last listener has ended it.
   */
  readonly follow = (listener: () => void): (() => void) => {
    const forget = this.#view.listen(listener);
    this.#listeners += 1;
    if (this.#whole.length === 0 && this.#error === undefined) this.loadMore();
    let isOver = false;
    return () => {
      forget();
      if (isOver) return;
      isOver = true;
      this.#listeners -= 1;
      if (this.#listeners === 0) this.#cancel();
    };
  };

  /** Loads the next page, or the one that broke off again. While one is loading: nothing. */
  readonly loadMore = (): void => {
    const limit = Math.min(this.#limit, this.#entriesMax - this.#whole.length);
    if (this.#listeners === 0 || this.#stop !== undefined || limit <= 0) return;
    if (this.#nextPageToken === undefined) return;
    const stop = new AbortController();
    this.#stop = stop;
    this.#page = [];
    this.#error = undefined;
    this.#progress = undefined;
    this.#view.change();
    void this.#load(this.#nextPageToken, limit, stop.signal);
  };

  /** Searches anew, for what was stored since. */
  readonly reload = (): void => {
    this.#cancel();
    this.#whole = [];
    this.#nextPageToken = "";
    this.loadMore();
  };

  #cancel(): void {
    this.#stop?.abort();
    this.#stop = undefined;
    this.#page = [];
    this.#view.change();
  }

  async #load(pageToken: string, limit: number, signal: AbortSignal): Promise<void> {
    const { filter = "", start, end, order = "newest" } = this.#options;
    const range = { ...(start !== undefined && { start }), ...(end !== undefined && { end }) };
    const query = this.#client.query({
      ...{ filter, order, limit, pageToken, signal, ...range },
      onProgress: (progress) => {
        if (signal.aborted) return;
        this.#progress = progress;
        this.#view.change();
      },
    });
    try {
      for await (const entries of query.batches()) {
        if (signal.aborted) return;
        this.#page.push(...entries);
        this.#view.change();
      }
      if (signal.aborted) return;
      this.#whole.push(...this.#page);
      this.#page = [];
      this.#nextPageToken = query.nextPageToken || undefined;
    } catch (reason) {
      // Whoever has canceled it knows.
      if (signal.aborted) return;
      this.#error = ConnectError.from(reason);
    }
    this.#stop = undefined;
    this.#view.change();
  }

  #make(): QueryView {
    return {
      entries: [...this.#whole, ...this.#page],
      progress: this.#progress,
      loading: this.#stop !== undefined,
      error: this.#error,
      hasMore: this.#nextPageToken !== undefined && this.#whole.length < this.#entriesMax,
    };
  }
}
