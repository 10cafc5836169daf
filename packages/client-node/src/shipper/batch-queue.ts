/**
 * What a shipper holds, in the order in which it was written, wherever it lies:
 *
 *   ahead: in memory              spool: on disk alone      behind: in memory
 *   in flight │ next to be sent │ read when there is room │ to be written to disk
 *   ◀──────────────────────────── oldest first ───────────────────────────────▶
 *
 * As long as the server answers there is only `ahead`. What waits for longer
 * than a second, or fills half of the memory, is written to the spool from the
 * oldest on, what is in flight too: so of what a crash leaves nothing is missing
 * in between. From then on new batches go behind what is on disk alone, until
 * all of that was read; a batch that was not written yet when the reading
 * arrives at it is spared the way over the disk.
 *
 * Every batch leaves at the front, settled, or is dropped, counted. There is
 * one write and one read under way at the most.
 */
import type { OpenedSpool, SpooledBatch, SpoolPlace } from "../spool/spool.ts";

/** A batch in memory. */
export interface QueuedBatch {
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly producerId: string;
  readonly firstSequence: number;
  /** Since when it is in memory, on the clock of `performance.now`. */
  readonly sinceMs: number;
  /** Where it lies in the spool; undefined: in memory alone. */
  place: SpoolPlace | undefined;
  /** True: it is being written to the spool. */
  isWriting: boolean;
  /** True: it was settled, or dropped. */
  isGone: boolean;
}

/** How much a queue holds, and what it may give away. */
export interface BatchQueueOptions {
  readonly memoryBytesMax: number;
  readonly inFlightMax: number;
  /** True: there is going to be a spool; nothing is sent before it is open, or given up. */
  readonly awaitsSpool: boolean;
  /** Whether entries in a full spool are dropped for newer ones. */
  readonly dropsOldest: boolean;
  /** To be sent; `done` must follow. */
  send(batch: QueuedBatch): void;
  dropped(count: number): void;
  /** A batch is on disk, and may be gone from memory. */
  spooled(batch: QueuedBatch): void;
  /** The spool could not be written or read: it is tried again. */
  spoolFailed(error: Error): void;
}

/** What a batch takes in memory beside its bytes, about. */
const batchOverheadBytes = 512;

/** How long batches may wait in memory alone, in milliseconds. */
const memoryMsMax = 1_000;

/** Bytes written to the spool at once, about. */
const writeBytesMax = 1024 * 1024;

/** Pauses after the spool failed, in milliseconds: doubled each time. */
const spoolPauseMsMin = 500;
const spoolPauseMsMax = 30_000;

/** The batches of one shipper. */
export class BatchQueue {
  readonly #options: BatchQueueOptions;
  readonly #ahead: QueuedBatch[] = [];
  readonly #behind: QueuedBatch[] = [];
  /** Those that are not in the spool, in order; some are gone. */
  #unwritten: QueuedBatch[] = [];
  /** How many of `#ahead` are in flight, from the first on. */
  #sending = 0;
  #sendingBytes = 0;
  #aheadBytes = 0;
  #bytes = 0;
  #entries = 0;
  #spool: OpenedSpool | undefined;
  #isHolding: boolean;
  #isReading = false;
  #writing: Promise<void> | undefined;
  /** What is being written. */
  #group: readonly QueuedBatch[] = [];
  #isSaving = false;
  /** True: the spool has no room for the next group. It is tried again when something was settled, and now and then. */
  #isSpoolFull = false;
  #pauseMs = 0;
  #pause: NodeJS.Timeout | undefined;

  constructor(options: BatchQueueOptions) {
    this.#options = options;
    this.#isHolding = options.awaitsSpool;
  }

  /** Bytes in memory. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Entries in memory. */
  get entries(): number {
    return this.#entries;
  }

  /** Entries in memory or on disk that are not settled. */
  get pending(): number {
    return this.#entries + (this.#spool?.unread ?? 0);
  }

  /** True: a batch that is pushed now is sent at once. */
  get isFlowing(): boolean {
    const { inFlightMax } = this.#options;
    return (
      !this.#isHolding &&
      this.#sending < inFlightMax &&
      this.#sending === this.#ahead.length &&
      this.#isCaughtUp
    );
  }

  /** A quarter of the memory is enough to keep a connection busy. */
  get #aheadBytesMax(): number {
    return this.#options.memoryBytesMax / 4;
  }

  /** True: nothing lies behind `ahead`. */
  get #isCaughtUp(): boolean {
    return this.#behind.length === 0 && !this.#isReading && (this.#spool?.unread ?? 0) === 0;
  }

  /** Takes a batch behind all others. */
  push(batch: Pick<QueuedBatch, "bytes" | "count" | "producerId" | "firstSequence">): void {
    const queued = {
      ...batch,
      sinceMs: performance.now(),
      place: undefined,
      isWriting: false,
      isGone: false,
    };
    // What lies ahead stays in memory: with a spool there must not be much of it.
    const isNext = this.#isCaughtUp && (this.#spool === undefined || this.#aheadBytes < this.#aheadBytesMax);
    if (isNext && !this.#isHolding) this.#pushAhead(queued);
    else this.#behind.push(queued);
    this.#count(queued, 1);
    if (this.#options.awaitsSpool) this.#unwritten.push(queued);
    this.#advance();
  }

  /** Goes on without a spool, or with one, whose entries come before all that is not in flight. */
  open(spool: OpenedSpool | undefined): void {
    this.#spool = spool;
    this.#isHolding = false;
    if (spool !== undefined && spool.unread > 0) {
      this.#behind.unshift(...this.#ahead.splice(this.#sending));
      this.#aheadBytes = this.#sendingBytes;
      // Behind an earlier run's entries they would be read, and sent, a second time.
      this.#unwritten = this.#unwritten.filter((batch) => !this.#ahead.includes(batch));
    }
    this.#advance();
  }

  /** The first batch in flight is settled. */
  done(batch: QueuedBatch): void {
    this.#ahead.shift();
    this.#sending--;
    this.#sendingBytes -= weigh(batch);
    this.#aheadBytes -= weigh(batch);
    this.#leave(batch);
    if (batch.place !== undefined) this.#spool?.acknowledge(batch.place);
    this.look();
  }

  /** To be called now and then: time makes things due. */
  look(): void {
    this.#isSpoolFull = false;
    this.#advance();
  }

  /** Sends, reads and writes what is due. */
  #advance(): void {
    this.#send();
    this.#refill();
    this.#writing ??= this.#isWriteDue() ? this.#write() : undefined;
  }

  /** Drops the oldest batch that nobody works on; returns how many entries it had, 0: there is none. */
  dropOldest(): number {
    const droppable = ({ place, isWriting }: QueuedBatch): boolean => place === undefined && !isWriting;
    const ahead = this.#ahead.findIndex((batch, index) => index >= this.#sending && droppable(batch));
    const behind = ahead === -1 ? this.#behind.findIndex(droppable) : -1;
    const [batch] =
      ahead === -1 ? this.#behind.splice(behind, behind === -1 ? 0 : 1) : this.#ahead.splice(ahead, 1);
    if (batch === undefined) return 0;
    if (ahead !== -1) this.#aheadBytes -= weigh(batch);
    this.#leave(batch);
    return batch.count;
  }

  /** Whether everything up to a sequence of this producer is settled or dropped. */
  isSettled(producerId: string, sequence: number): boolean {
    const oldest =
      this.#ahead[0] ?? (this.#isReading || (this.#spool?.unread ?? 0) > 0 ? null : this.#behind[0]);
    if (oldest === null) return false;
    return oldest === undefined || (oldest.producerId === producerId && oldest.firstSequence > sequence);
  }

  /** Writes everything to the spool that is not in it. Resolves when that is done, or has failed. */
  async save(): Promise<void> {
    this.#isSaving = true;
    this.#isSpoolFull = false;
    clearTimeout(this.#pause);
    this.#pause = undefined;
    await this.#writing;
    this.#writing ??= this.#isWriteDue() ? this.#write() : undefined;
    await this.#writing;
  }

  /** Ends: what is in memory is not sent any more. Returns what is not in the spool. */
  end(): QueuedBatch[] {
    this.#isHolding = true;
    clearTimeout(this.#pause);
    return [...this.#group, ...this.#unwritten].filter(({ isGone, place }) => !isGone && place === undefined);
  }

  /** Sees to it that there is something to send. */
  #refill(): void {
    while (!this.#isHolding && !this.#isReading && this.#aheadBytes < this.#aheadBytesMax) {
      if ((this.#spool?.unread ?? 0) > 0) {
        if (this.#pause === undefined) void this.#read();
        return;
      }
      const [next] = this.#behind;
      if (next === undefined || next.isWriting) return;
      this.#behind.shift();
      this.#pushAhead(next);
      this.#send();
    }
  }

  /** What was in flight is to be sent again. */
  restart(): void {
    this.#sending = 0;
    this.#sendingBytes = 0;
    this.#advance();
  }

  #send(): void {
    const { inFlightMax, send } = this.#options;
    while (!this.#isHolding && this.#sending < inFlightMax && this.#sendingBytes < this.#aheadBytesMax) {
      const batch = this.#ahead[this.#sending];
      if (batch === undefined) return;
      this.#sending++;
      this.#sendingBytes += weigh(batch);
      send(batch);
    }
  }

  async #read(): Promise<void> {
    const spool = this.#spool;
    if (spool === undefined) return;
    this.#isReading = true;
    try {
      for (const batch of await spool.read()) {
        const queued = { ...batch, sinceMs: performance.now(), isWriting: false, isGone: false };
        this.#pushAhead(queued);
        this.#count(queued, 1);
      }
      this.#pauseMs = 0;
    } catch (reason) {
      this.#failed(reason);
    } finally {
      this.#isReading = false;
    }
    this.#advance();
  }

  #isWriteDue(): boolean {
    if (this.#spool === undefined || this.#pause !== undefined) return false;
    if (this.#isHolding || this.#isSpoolFull) return false;
    while (this.#unwritten[0]?.isGone) this.#unwritten.shift();
    if (this.#unwritten.length === 0) return false;
    if (this.#isSaving || this.#spool.unread > 0) return true;
    if (this.#bytes > this.#options.memoryBytesMax / 2) return true;
    const oldest = this.#ahead[0] ?? this.#behind[0];
    return oldest !== undefined && performance.now() - oldest.sinceMs > memoryMsMax;
  }

  /** Writes group after group, as long as that is due. */
  async #write(): Promise<void> {
    try {
      while (this.#isWriteDue() && (await this.#writeGroup()));
      this.#pauseMs = 0;
    } catch (reason) {
      this.#failed(reason);
    } finally {
      this.#writing = undefined;
    }
    this.#advance();
  }

  /** Returns false when the spool is full. */
  async #writeGroup(): Promise<boolean> {
    const spool = this.#spool;
    const group = this.#takeGroup();
    if (spool === undefined || group.length === 0) return false;
    const wasCaughtUp = spool.unread === 0;
    this.#group = group;
    let places: readonly SpoolPlace[] | undefined;
    try {
      places = await spool.append(group);
    } finally {
      this.#group = [];
      for (const batch of group) batch.isWriting = false;
      if (places === undefined) this.#unwritten.unshift(...group);
    }
    if (places === undefined) {
      const dropped = this.#options.dropsOldest ? spool.dropOldest() : 0;
      if (dropped > 0) this.#options.dropped(dropped);
      this.#isSpoolFull = dropped === 0;
      return dropped > 0;
    }
    this.#written(group, places, wasCaughtUp);
    return true;
  }

  #takeGroup(): QueuedBatch[] {
    const group: QueuedBatch[] = [];
    let bytes = 0;
    let taken = 0;
    for (const batch of this.#unwritten) {
      if (bytes >= writeBytesMax) break;
      taken++;
      if (batch.isGone) continue;
      batch.isWriting = true;
      bytes += batch.bytes.length;
      group.push(batch);
    }
    this.#unwritten.splice(0, taken);
    return group;
  }

  /** What lies behind is let go of in memory, unless it is the next to be sent. */
  #written(group: readonly QueuedBatch[], places: readonly SpoolPlace[], wasCaughtUp: boolean): void {
    const spool = this.#spool;
    let isCaughtUp = wasCaughtUp;
    for (const [index, batch] of group.entries()) {
      const place = places[index];
      if (spool === undefined || place === undefined) return;
      batch.place = place;
      const isBehind = this.#behind[0] === batch;
      if (isBehind) this.#behind.shift();
      isCaughtUp &&= !isBehind || this.#aheadBytes < this.#aheadBytesMax;
      if (isCaughtUp) spool.skip(place);
      if (isBehind && isCaughtUp) this.#pushAhead(batch);
      else if (isBehind) this.#count(batch, -1);
      // It was answered while it was written.
      if (batch.isGone) spool.acknowledge(place);
      this.#options.spooled(batch);
    }
  }

  #failed(reason: unknown): void {
    const error = reason instanceof Error ? reason : new Error(String(reason), { cause: reason });
    this.#options.spoolFailed(error);
    this.#pauseMs = Math.min(spoolPauseMsMax, Math.max(spoolPauseMsMin, 2 * this.#pauseMs));
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#advance();
    }, this.#pauseMs).unref();
  }

  #pushAhead(batch: QueuedBatch): void {
    this.#ahead.push(batch);
    this.#aheadBytes += weigh(batch);
  }

  #leave(batch: QueuedBatch): void {
    batch.isGone = true;
    this.#count(batch, -1);
  }

  #count(batch: QueuedBatch, sign: 1 | -1): void {
    this.#bytes += sign * weigh(batch);
    this.#entries += sign * batch.count;
  }
}

/** What a batch takes in memory, about. */
function weigh({ bytes }: SpooledBatch | QueuedBatch): number {
  return bytes.length + batchOverheadBytes;
}
