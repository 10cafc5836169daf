/**
 * Feeds the list: asks the server what the view asks for, and holds what comes
 * in a buffer.
 *
 *   live      tail from the last 500 ─▶ buffer ─▶ shown up to the end, or while
 *   last,     query, newest first,  ─▶            paused up to where the reader
 *   between   a page at a time                    paused
 *   around    an entry's neighbours
 *
 * A pause stops nobody but the reader: entries go on arriving behind what is
 * shown. When even the room for those is full the tail is not read any more,
 * and the server keeps what comes; resumed, it goes on exactly there. What was
 * dropped to make room is counted, and what retention took is a row.
 */
import {
  type AroundOptions,
  type Clock,
  ConnectError,
  type RangeEvent,
  type RangeOptions,
  type StoredEntry,
  type TailEvent,
  type TailOptions,
  type TailState,
} from "@logsvc/client-web";
import type { ViewRange } from "../view/view-state.ts";
import { FrameSignal, type Frames, pageFrames } from "./frame-signal.ts";
import { LogBuffer } from "./log-buffer.ts";
import { type EntryRow, type LogRow, toEntryRow, toGapRow } from "./log-entry-row.ts";
import { OlderPages, type PageListener, type PagesClient, pageEntries } from "./older-pages.ts";
import { type GapState, type OlderState, type SourceState, toFailure } from "./source-state.ts";

/** Entries that a tail begins with: some screens, at once. */
const backlogEntries = 500;

/** Neighbours of an entry that are shown, half of them before it. */
const aroundEntries = 200;

/** Pages that are read to get back to the time that the reader looked at. */
const seekPagesMax = 10;

/** Rows at the old end whose times say where "older" begins: times and the order of the log differ a little. */
const oldestRows = backlogEntries;

/** The part of a tail that is used. */
export interface SourceTail extends AsyncIterable<TailEvent> {
  readonly cursor: string;
  wake(): void;
}

/** The part of `LogClient` that is used. */
export interface SourceClient extends PagesClient {
  tail(options: TailOptions): SourceTail;
  range(options: RangeOptions): AsyncIterable<RangeEvent>;
  around(id: string, options: AroundOptions): Promise<StoredEntry[]>;
}

/** What is asked. */
export type Question =
  | { readonly kind: "entries"; readonly filter: string; readonly range: ViewRange }
  | { readonly kind: "around"; readonly id: string };

/** A place that the list should go to. Another `serial` is another wish. */
export interface SeekPlace {
  readonly position: number;
  readonly serial: number;
}

/** What the list draws. The same object until something changes, at most once a frame. */
export interface SourceSnapshot {
  readonly state: SourceState;
  readonly isLive: boolean;
  /** The rows that are shown: positions in the buffer from `first` up to, not with, `end`. */
  readonly first: number;
  readonly end: number;
  /** The buffer's `moves`. */
  readonly moves: number;
  readonly paused: boolean;
  /** Entries that came since the pause. */
  readonly waiting: number;
  readonly older: OlderState;
  /** Entries that came and are no longer in the page. */
  readonly dropped: number;
  /** Another number for each question's rows. */
  readonly answer: number;
  /** Whether the rows are still those of the question before. */
  readonly stale: boolean;
  readonly seek: SeekPlace | undefined;
  /** By a gap row's key. */
  readonly gaps: ReadonlyMap<string, GapState>;
}

/** Options that only tests give. */
export interface LogSourceOptions {
  readonly buffer?: LogBuffer;
  readonly frames?: Frames;
  readonly clock?: Clock;
}

const pageClock: Clock = {
  now: () => Date.now(),
  startTimer: (callback, delayMs) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};

/** One list's source, for as long as the list is there. */
export class LogSource {
  /** The rows. To be read only. */
  readonly buffer: LogBuffer;
  readonly #client: SourceClient;
  readonly #clock: Clock;
  readonly #signal: FrameSignal;
  #snapshot: SourceSnapshot;
  #question: Question | undefined;
  #asking = new AbortController();
  #state: SourceState = { kind: "connecting", waiting: false };
  #older: OlderState = { kind: "none" };
  #pages: OlderPages | undefined;
  #tail: SourceTail | undefined;
  #received = 0;
  #noted = 0;
  #pausedAt: { end: number; readonly received: number } | undefined;
  #endHold: (() => void) | undefined;
  #stale = false;
  #answered = 0;
  #seek: SeekPlace | undefined;
  #seeks = 0;
  #lookedAt: bigint | undefined;
  #gaps: ReadonlyMap<string, GapState> = new Map();

  constructor(client: SourceClient, options: LogSourceOptions = {}) {
    this.#client = client;
    this.buffer = options.buffer ?? new LogBuffer();
    this.#clock = options.clock ?? pageClock;
    this.#signal = new FrameSignal(options.frames ?? pageFrames);
    this.#snapshot = this.#take();
    this.#signal.subscribe(() => {
      this.#snapshot = this.#take();
    });
  }

  /** What is now, as the subscribers were last told. */
  readonly snapshot = (): SourceSnapshot => this.#snapshot;

  /** Calls back when there is another snapshot. Returns what ends it. */
  readonly subscribe = (subscriber: () => void): (() => void) => this.#signal.subscribe(subscriber);

  /** What is asked now. */
  get question(): Question | undefined {
    return this.#question;
  }

  /** The time that the reader looks at, if it is not the newest: another filter's answer is shown from there too. */
  lookAt(time: bigint | undefined): void {
    this.#lookedAt = time;
  }

  /** Asks something else. What is shown stays until the answer begins. */
  ask(question: Question): void {
    const keepTime = isSameRange(this.#question, question) ? this.#lookedAt : undefined;
    this.#lookedAt = undefined;
    this.#asking.abort();
    this.#asking = new AbortController();
    this.#question = question;
    this.#pages = undefined;
    this.#stale = this.buffer.length > 0;
    if (!this.#stale) this.#answered++;
    this.#state = { kind: "connecting", waiting: false };
    this.#older = { kind: "none" };
    this.#gaps = new Map();
    this.#seek = undefined;
    this.resume();
    this.#signal.mark();
    void this.#answer(question, this.#asking.signal, keepTime);
  }

  /** Asks again: after a failure from where it was, if it was a tail. */
  retry(): void {
    const question = this.#question;
    if (question === undefined) return;
    const cursor = this.#stale || this.#tail === undefined ? "" : this.#tail.cursor;
    if (isLive(question) && this.#state.kind === "failed" && cursor !== "") {
      this.#asking.abort();
      this.#asking = new AbortController();
      void this.#guarded(this.#asking.signal, (signal) => this.#follow(question.filter, cursor, signal));
    } else {
      this.ask(question);
    }
  }

  /** Ends a wait before a retry. */
  wake(): void {
    this.#tail?.wake();
    this.#pages?.wake();
  }

  /** Shows nothing new from here on. Only a live list can be paused. */
  pause(): void {
    if (this.#pausedAt !== undefined || this.#question === undefined || !isLive(this.#question)) return;
    // Rows that go with the answer, and none at all, can't be held: nothing would ever take their place.
    // A browser scrolls by itself when a list gets shorter, which looks like a reader who does.
    if (this.#stale || this.buffer.length === 0) return;
    this.#pausedAt = { end: this.buffer.end, received: this.#received };
    this.buffer.hold(true);
    this.#signal.flush();
  }

  /** Shows all that came meanwhile. */
  resume(): void {
    if (this.#pausedAt === undefined) return;
    this.#pausedAt = undefined;
    this.buffer.hold(false);
    this.#noteDropped();
    this.#endHold?.();
    this.#signal.flush();
  }

  /** Looks for a page of entries before the oldest. */
  async loadOlder(): Promise<void> {
    const question = this.#question;
    const canLoad =
      this.#older.kind === "more" || this.#older.kind === "failed" || this.#older.kind === "full";
    if (question?.kind !== "entries" || !canLoad || this.#stale) return;
    if (this.buffer.full) {
      this.#setOlder({ kind: "full" });
      return;
    }
    this.#setOlder({ kind: "loading" });
    const { signal } = this.#asking;
    try {
      this.#pages ??= this.#pagesBeforeOldest(question.filter);
      await this.#readPage(this.#pages, signal);
    } catch (reason) {
      if (!signal.aborted) this.#setOlder({ kind: "failed", ...toFailure(ConnectError.from(reason)) });
    }
  }

  /** Reads a gap's entries, as far as they are still there, into its place. */
  async loadGap(key: number): Promise<void> {
    const position = this.buffer.positionOfKey(key);
    const question = this.#question;
    if (position === undefined || question?.kind !== "entries") return;
    const gap = this.buffer.at(position);
    const next = this.buffer.at(position + 1);
    if (gap?.kind !== "gap" || this.#gaps.get(gap.key)?.kind === "loading") return;
    if (next?.kind !== "entry") {
      this.#setGap(gap.key, { kind: "failed", reason: "no entry has come after it yet" });
      return;
    }
    this.#setGap(gap.key, { kind: "loading" });
    const { signal } = this.#asking;
    try {
      const rows = await this.#readGap({ filter: question.filter, from: gap.from, to: next.id, signal });
      if (!signal.aborted) this.#fillGap(key, gap.key, rows);
    } catch (reason) {
      if (signal.aborted) return;
      this.#setGap(gap.key, { kind: "failed", reason: ConnectError.from(reason).rawMessage });
    }
  }

  /** Ends everything. */
  close(): void {
    this.#asking.abort();
    this.#question = undefined;
    this.#endHold?.();
  }

  async #answer(question: Question, asked: AbortSignal, keepTime: bigint | undefined): Promise<void> {
    await this.#guarded(asked, async (signal) => {
      if (question.kind === "around") {
        await this.#showAround(question.id, signal);
        return;
      }
      const { filter, range } = question;
      if (range.kind !== "live") {
        await this.#search(filter, range, signal);
        await this.#seekTime(keepTime, signal);
        return;
      }
      const backlog = Promise.withResolvers<void>();
      void backlog.promise.then(() => this.#seekTime(keepTime, signal));
      await this.#follow(filter, "", signal, backlog.resolve);
    });
  }

  /** Runs what a question takes; its error becomes the state, unless another question took its place. */
  async #guarded(signal: AbortSignal, run: (signal: AbortSignal) => Promise<void>): Promise<void> {
    try {
      await run(signal);
    } catch (reason) {
      if (signal.aborted) return;
      this.#setState({ kind: "failed", ...toFailure(ConnectError.from(reason)) });
    }
  }

  async #follow(filter: string, cursor: string, signal: AbortSignal, onBacklog?: () => void): Promise<void> {
    const tail = this.#client.tail({
      filter,
      ...(cursor === "" ? { last: backlogEntries } : { cursor }),
      signal,
      onState: (state) => {
        if (!signal.aborted) this.#onTailState(state);
      },
    });
    this.#tail = tail;
    for await (const event of tail) {
      if (signal.aborted) return;
      this.#begin();
      if (event.kind === "gap") {
        this.buffer.append([toGapRow(event)]);
      } else {
        this.#received += event.entries.length;
        this.buffer.append(event.entries.map(toEntryRow));
      }
      if (this.#older.kind === "none" && this.#pages === undefined) this.#older = { kind: "more" };
      this.#noteDropped();
      this.#signal.mark();
      onBacklog?.();
      await pageTurn();
      await this.#roomForMore();
    }
  }

  /** While the reader is paused and the page is full, waits: whoever does not read holds the server back. */
  async #roomForMore(): Promise<void> {
    if (this.#pausedAt === undefined || !this.buffer.overfull) return;
    const before = this.#state;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#endHold = resolve;
    this.#setState({ kind: "held" });
    await promise;
    this.#endHold = undefined;
    if (this.#state.kind === "held") this.#setState(before);
  }

  #onTailState(state: TailState): void {
    // Of an end the iteration tells.
    if (state.kind === "closed") return;
    if (state.kind !== "connecting") {
      if (state.kind === "live") this.#begin();
      this.#setState(state);
    } else if (this.#state.kind !== "retrying" || state.waiting === true) {
      // A new attempt is no news while the last one's error is shown.
      this.#setState({ kind: "connecting", waiting: state.waiting === true });
    }
  }

  async #search(
    filter: string,
    range: Exclude<ViewRange, { kind: "live" }>,
    signal: AbortSignal,
  ): Promise<void> {
    const now = BigInt(this.#clock.now()) * nsPerMs;
    const { start, end } =
      range.kind === "between" ? range : { start: now - BigInt(range.durationMs) * nsPerMs, end: now };
    this.#pages = new OlderPages(this.#client, this.#clock, { filter, start, end });
    this.#setState({ kind: "searching", progress: undefined });
    await this.#readPage(this.#pages, signal);
    if (signal.aborted) return;
    this.#begin();
    this.#setState({
      kind: "done",
      progress: this.#state.kind === "searching" ? this.#state.progress : undefined,
    });
  }

  async #showAround(id: string, signal: AbortSignal): Promise<void> {
    const entries = await this.#client.around(id, { limit: aroundEntries, signal });
    if (signal.aborted) return;
    this.#begin();
    this.buffer.append(entries.map(toEntryRow));
    this.#goTo(this.buffer.positionOfId(id));
    this.#setState({ kind: "done", progress: undefined });
  }

  async #readPage(pages: OlderPages, signal: AbortSignal): Promise<void> {
    const listener: PageListener = {
      onProgress: (progress) => {
        if (this.#state.kind === "searching" || this.#state.kind === "retrying") {
          this.#setState({ kind: "searching", progress });
        }
      },
      onRetry: (retry) => {
        if (!this.#isFollowing) this.#setState({ kind: "retrying", ...retry });
      },
    };
    let found = 0;
    let { first } = this.buffer;
    // A page may hold nothing but what is here already.
    do {
      const limit = Math.min(pageEntries, Math.max(1, this.buffer.roomRows));
      for await (const batch of pages.next(limit, signal, listener)) {
        if (signal.aborted) return;
        if (this.#begin()) first = this.buffer.first;
        // Rows that left meanwhile would be missing between these and the oldest.
        if (this.buffer.first !== first) {
          this.#endPages({ kind: "more" });
          return;
        }
        const count = this.#prependNew(batch);
        if (count === undefined) return;
        found += count;
        first = this.buffer.first;
        await pageTurn();
      }
    } while (found === 0 && !pages.isOver && !signal.aborted);
    if (!signal.aborted) this.#setOlder(pages.isOver ? { kind: "none" } : { kind: "more" });
  }

  /** Adds what is not here yet at the old end, and returns how much that was; undefined when not all had room. */
  #prependNew(batch: readonly EntryRow[]): number | undefined {
    const rows = batch.filter(({ id, entry }) => this.buffer.positionOfId(id, entry.timestamp) === undefined);
    const room = this.buffer.roomRows;
    this.buffer.prepend(room < rows.length ? rows.slice(rows.length - room) : rows);
    this.#signal.mark();
    if (room >= rows.length) return rows.length;
    this.#endPages({ kind: "full" });
    return undefined;
  }

  /** The next page does not go on where the last one ended: it is looked for anew. */
  #endPages(older: OlderState): void {
    this.#pages = undefined;
    this.#setOlder(older);
  }

  /** Pages that go on before the oldest row. */
  #pagesBeforeOldest(filter: string): OlderPages {
    let newest = 0n;
    const { first, length } = this.buffer;
    for (let position = first; position < first + Math.min(length, oldestRows); position++) {
      const row = this.buffer.at(position);
      if (row?.kind === "entry" && row.entry.timestamp > newest) newest = row.entry.timestamp;
    }
    return new OlderPages(this.#client, this.#clock, { filter, end: newest + 1n });
  }

  /** Goes back to the time that the reader looked at, over some pages if need be. */
  async #seekTime(time: bigint | undefined, signal: AbortSignal): Promise<void> {
    if (time === undefined) return;
    const isThere = (): boolean => {
      const oldest = this.buffer.at(this.buffer.first);
      return oldest?.kind === "entry" && oldest.entry.timestamp <= time;
    };
    for (let pages = 0; pages < seekPagesMax && !isThere() && this.#older.kind === "more"; pages++) {
      await this.loadOlder();
      if (signal.aborted) return;
    }
    const position = this.buffer.positionOfTime(time);
    if (position === this.buffer.end || (!isThere() && this.#older.kind !== "none")) return;
    this.pause();
    this.#goTo(position);
  }

  #goTo(position: number | undefined): void {
    if (position === undefined) return;
    this.#seeks++;
    this.#seek = { position, serial: this.#seeks };
    this.#signal.mark();
  }

  async #readGap(range: RangeOptions): Promise<LogRow[]> {
    const rows: LogRow[] = [];
    for await (const event of this.#client.range(range)) {
      if (event.kind === "gap") rows.push(toGapRow(event));
      else rows.push(...event.entries.map(toEntryRow));
      if (rows.length > gapRowsMax) throw new RangeError(`more than ${gapRowsMax} entries are there`);
      await pageTurn();
    }
    return rows;
  }

  #fillGap(key: number, gapKey: string, rows: readonly LogRow[]): void {
    if (rows.length === 1 && rows[0]?.kind === "gap") {
      this.#setGap(gapKey, { kind: "gone" });
      return;
    }
    const position = this.buffer.positionOfKey(key);
    if (position === undefined) return;
    this.buffer.replace(key, rows);
    if (this.#pausedAt !== undefined && position < this.#pausedAt.end) this.#pausedAt.end += rows.length - 1;
    const gaps = new Map(this.#gaps);
    gaps.delete(gapKey);
    // What is still missing has just been looked for.
    for (const row of rows) if (row.kind === "gap") gaps.set(row.key, { kind: "gone" });
    this.#gaps = gaps;
    this.#signal.mark();
  }

  /** The answer begins: what was shown before goes. Returns whether there was anything. */
  #begin(): boolean {
    if (!this.#stale) return false;
    this.#stale = false;
    this.#answered++;
    this.buffer.clear();
    this.#noted = 0;
    this.#signal.mark();
    return true;
  }

  /** What was dropped may be looked for again, from where the rows begin now. */
  #noteDropped(): void {
    const { dropped } = this.buffer;
    const isMore = dropped > this.#noted;
    this.#noted = dropped;
    if (!isMore || this.#older.kind === "loading") return;
    this.#pages = undefined;
    if (this.#older.kind !== "more") this.#setOlder({ kind: "more" });
  }

  get #isFollowing(): boolean {
    return this.#question !== undefined && isLive(this.#question);
  }

  #setState(state: SourceState): void {
    this.#state = state;
    this.#signal.mark();
  }

  #setOlder(older: OlderState): void {
    this.#older = older;
    this.#signal.mark();
  }

  #setGap(key: string, state: GapState): void {
    this.#gaps = new Map(this.#gaps).set(key, state);
    this.#signal.mark();
  }

  #take(): SourceSnapshot {
    const { buffer } = this;
    const paused = this.#pausedAt;
    return {
      state: this.#state,
      isLive: this.#isFollowing,
      first: buffer.first,
      end: paused?.end ?? buffer.end,
      moves: buffer.moves,
      paused: paused !== undefined,
      waiting: paused === undefined ? 0 : this.#received - paused.received,
      older: this.#older,
      dropped: buffer.dropped,
      answer: this.#answered,
      stale: this.#stale,
      seek: this.#seek,
      gaps: this.#gaps,
    };
  }
}

const nsPerMs = 1_000_000n;

/** Entries that a gap is filled with at the most: they are held as objects until all are there. */
const gapRowsMax = 50_000;

function isLive(question: Question): question is Question & { readonly kind: "entries" } {
  return question.kind === "entries" && question.range.kind === "live";
}

/** Whether both ask of the same time. */
function isSameRange(former: Question | undefined, question: Question): boolean {
  if (former?.kind !== "entries" || question.kind !== "entries") return false;
  const [a, b] = [former.range, question.range];
  if (a.kind === "last") return b.kind === "last" && a.durationMs === b.durationMs;
  if (a.kind === "between") return b.kind === "between" && a.start === b.start && a.end === b.end;
  return b.kind === "live";
}

/**
 * Lets the page draw and listen between two steps. Not a timer: browsers let
 * those of hidden tabs run once a minute, and a hidden tab goes on receiving.
 */
async function pageTurn(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  const { promise, resolve } = Promise.withResolvers<void>();
  port1.onmessage = () => resolve();
  port2.postMessage(undefined);
  await promise;
  port1.close();
}
