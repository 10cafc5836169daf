/**
 * A tail as rows to show: the newest ones, with gaps in their places, made
 * known once a frame. Without a framework; `useTail` is a thin hook over it.
 *
 * It is bounded: beyond `rowsMax` the oldest rows go, and are counted. Nothing
 * is dropped unseen, since no more than `rowsMax` entries are read between two
 * frames: a page that can't keep up holds back the server.
 */
import {
  type LogClient,
  type LogEntry,
  type LogTime,
  limits,
  type TailEvent,
  type TailState,
} from "@logsvc/client";
import { type FrameTimer, FrameView, nextFrame } from "./frame-view.ts";

/** What to follow. */
export interface TailRowsOptions {
  /** Which entries, in the filter language. Default: all. */
  readonly filter?: string | undefined;
  /** Resume after this position. */
  readonly cursor?: string | undefined;
  /** Begin with the last N stored entries that match. Of no meaning with a cursor. */
  readonly last?: number | undefined;
  /** Only entries whose timestamp is this or later. */
  readonly since?: LogTime | undefined;
  /** How many rows to hold, from 1 to 100 000. Default: 1 000. */
  readonly rowsMax?: number | undefined;
}

/** A row to show. Its key is unique among the rows. */
export type TailRow =
  | {
      readonly kind: "entry";
      /** The entry's id. */
      readonly key: string;
      readonly entry: LogEntry;
      /** When the server accepted it, Unix nanoseconds. */
      readonly receivedAt: bigint;
    }
  | {
      /** Entries were deleted before they were read. */
      readonly kind: "gap";
      readonly key: string;
      readonly from: string;
      readonly to: string;
      /** How many, matching or not. */
      readonly count: number;
    };

/** What there is to show. It is replaced, never changed. */
export interface TailView {
  /** The newest rows, the oldest first. */
  readonly rows: readonly TailRow[];
  /** How the tail stands. Closed with an error: see `resume`. */
  readonly state: TailState;
  /** Where to resume after the rows. Empty: not yet known. */
  readonly cursor: string;
  /** How many entries were deleted before they were read: those of all gaps. */
  readonly missing: number;
  /** How many rows were dropped, because there were more than `rowsMax`. */
  readonly dropped: number;
}

const rowsMaxDefault = 1_000;
/** Each frame copies the list of them. */
const rowsMaxMost = 100_000;

/** Rows of a tail, which is open while somebody follows. */
export class TailRows {
  readonly #client: LogClient;
  readonly #options: TailRowsOptions;
  readonly #rowsMax: number;
  readonly #view: FrameView<TailView>;
  #rows: TailRow[] = [];
  #unseen = 0;
  #state: TailState = { kind: "connecting", attempt: 1 };
  #cursor: string;
  #missing = 0;
  #dropped = 0;
  #followers = 0;
  #stop: AbortController | undefined;
  #reading = Promise.resolve();

  /** @throws RangeError when `rowsMax` is out of its range; `last` is looked at when somebody follows. */
  constructor(client: LogClient, options: TailRowsOptions = {}, frames: FrameTimer = nextFrame) {
    const { rowsMax = rowsMaxDefault, cursor = "", last = 0 } = options;
    if (!Number.isInteger(rowsMax) || rowsMax < 1 || rowsMax > rowsMaxMost) {
      throw new RangeError(`Expected rowsMax to be an integer from 1 to ${rowsMaxMost}, got ${rowsMax}`);
    }
    if (!Number.isInteger(last) || last < 0 || last > limits.pageEntriesMax) {
      throw new RangeError(`Expected last to be an integer from 0 to ${limits.pageEntriesMax}, got ${last}`);
    }
    this.#client = client;
    this.#options = options;
    this.#rowsMax = rowsMax;
    this.#cursor = cursor;
    this.#view = new FrameView(() => this.#make(), frames);
  }

  /** What there is to show: the same object until there is something new. */
  readonly view = (): TailView => this.#view.view;

  /** Calls back when there is a new view, without opening the tail. Returns what ends it. */
  readonly listen = (listener: () => void): (() => void) => this.#view.listen(listener);

  /**
   * Opens the tail, unless it is open, and calls back when there is a new view. The tail is closed when the
   * last follower has ended it; the next one goes on where it was.
   */
  readonly follow = (listener: () => void): (() => void) => {
    const forget = this.#view.listen(listener);
    this.#followers += 1;
    if (this.#followers === 1) this.resume();
    let isOver = false;
    return () => {
      forget();
      if (isOver) return;
      isOver = true;
      this.#followers -= 1;
      if (this.#followers === 0) this.#stop?.abort();
    };
  };

  /** Opens a tail again that has ended with an error, such as that of an expired token, where it was. */
  readonly resume = (): void => {
    const isOpen = this.#stop !== undefined && !this.#stop.signal.aborted;
    if (this.#followers === 0 || isOpen) return;
    const stop = new AbortController();
    this.#stop = stop;
    // After the former one has ended: only then is known where it was.
    this.#reading = this.#reading.then(() => this.#read(stop.signal)).finally(() => stop.abort());
  };

  async #read(signal: AbortSignal): Promise<void> {
    const { filter = "", last = 0, since } = this.#options;
    const tail = this.#client.tail({
      ...{ filter, last, cursor: this.#cursor, signal },
      ...(since !== undefined && { since }),
      onState: (state) => {
        this.#state = state;
        this.#view.change();
      },
    });
    try {
      for await (const event of tail) {
        this.#add(event);
        if (this.#unseen >= this.#rowsMax) await this.#drawn(signal);
      }
    } catch {
      // The state says it: closed, with the error.
    }
    if (tail.cursor !== "") this.#cursor = tail.cursor;
  }

  #add(event: TailEvent): void {
    const before = this.#rows.length;
    if (event.kind === "entries") {
      for (const { id, entry, receivedAt } of event.entries) {
        if (entry) this.#rows.push({ kind: "entry", key: id, entry, receivedAt });
      }
    } else {
      const { from, to, count } = event;
      this.#rows.push({ kind: "gap", key: `gap ${from}`, from, to, count });
      this.#missing += count;
    }
    this.#cursor = event.cursor;
    this.#unseen += this.#rows.length - before;
    this.#view.change();
  }

  /** Resolves when the rows are in the view, or when nobody follows any more. */
  async #drawn(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = (): void => resolve();
    signal.addEventListener("abort", stop);
    if (!signal.aborted) await Promise.race([this.#view.drawn(), promise]);
    signal.removeEventListener("abort", stop);
  }

  #make(): TailView {
    const spare = this.#rows.length - this.#rowsMax;
    if (spare > 0) {
      this.#rows.splice(0, spare);
      this.#dropped += spare;
    }
    this.#unseen = 0;
    return {
      rows: [...this.#rows],
      state: this.#state,
      cursor: this.#cursor,
      missing: this.#missing,
      dropped: this.#dropped,
    };
  }
}
