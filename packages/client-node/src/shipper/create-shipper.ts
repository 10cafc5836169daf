/**
 * The shipper: entries in, nothing lost silently, the application never held up.
 *
 *   write ─▶ encoded ─▶ batch ─▶ queue: memory, spool ─▶ window ─▶ ShipLogs
 *     │         │                  │                       │
 *     │         └─▶ rejected       └─▶ dropped: full       └─▶ rejected, dead letter
 *     └─▶ dropped: closed
 *
 * Each shipper is a producer of its own, with a random id, and numbers its
 * entries from 1 in the order of the writes. A batch has the id and its first
 * sequence with it wherever it goes, also on disk; so what an earlier run left
 * is sent under that run's id, and the server knows what it has.
 */
import {
  type ConnectError,
  decodeItem,
  itemEnds,
  type LogEntryInit,
  limits,
  retryDelayMs,
} from "@logsvc/client";
import { Condition } from "../condition.ts";
import { createNodeClient, createProducerId, type NodeLogClient } from "../node-client.ts";
import { ShipWindow, type WindowListener } from "../ship-window.ts";
import { type OpenedSpool, openSpool, SpoolSharedError, saveAsideSync } from "../spool/spool.ts";
import { BatchQueue, type QueuedBatch } from "./batch-queue.ts";
import { DeadLetter } from "./dead-letter.ts";
import { EntryBatcher } from "./entry-batcher.ts";
import { flushOnExit } from "./flush-on-exit.ts";
import type {
  LogShipper,
  ShipperEvents,
  ShipperListener,
  ShipperOptions,
  ShipperState,
  ShipperSummary,
  TimeoutOptions,
} from "./log-shipper.ts";
import { batchChannel, ShipperListeners, spooledChannel } from "./shipper-events.ts";
import { readSettings, type ShipperSettings } from "./shipper-settings.ts";

/** Of the memory so much is full for those who wait, so that it never is for those who drop. */
const fullShare = 7 / 8;

/** What the greatest entry takes beside itself: a tag, a length, and what a new batch weighs. */
const entryOverheadBytes = 1024;

/** How often time is looked at while there is a spool, in milliseconds. */
const tickMs = 250;

/** How long an entry waits for its batch while nothing can be sent, before it goes to the spool, in milliseconds. */
const cutMsMax = 1_000;

/** A stream without entries is ended after so long, in milliseconds, so that it keeps no process alive. */
const idleMs = 1_000;

/** The longest pause between two attempts, in milliseconds, unless the server asks for a longer one: entries wait meanwhile. */
const retryMsMax = 10_000;

/** How long `close` waits for acknowledgements, in milliseconds, when the caller does not say. */
const closeMsDefault = 10_000;

/** How long saving to the spool may take at the end, in milliseconds. */
const saveMs = 5_000;

/** Pauses between two attempts to open the spool, in milliseconds. */
const reopenMs = 30_000;

/** What Node's timers hold: about 25 days. */
const timerMsMax = 2 ** 31 - 1;

/**
 * Creates a shipper. It opens its spool in the background and connects with the
 * first entry; nothing it meets there is thrown.
 *
 * @throws TypeError or RangeError that names the option, what was expected and what was given.
 */
export function createShipper(options: ShipperOptions): LogShipper {
  const settings = readSettings(options);
  const { compression = false, ...others } = options;
  const shipper = new EntryShipper(settings, createNodeClient({ ...others, compression }));
  const { signal } = options;
  const onAbort = (): void => void shipper.close({ timeoutMs: 0 });
  signal?.addEventListener("abort", onAbort, { once: true });
  const forget = options.flushOnExit ? flushOnExit(shipper, process) : undefined;
  shipper.on("state", ({ kind }) => {
    if (kind !== "closed") return;
    signal?.removeEventListener("abort", onAbort);
    forget?.();
  });
  if (signal?.aborted) onAbort();
  return shipper;
}

class EntryShipper implements LogShipper {
  readonly #settings: ShipperSettings;
  readonly #client: NodeLogClient;
  readonly #listeners = new ShipperListeners();
  readonly #condition = new Condition();
  readonly #batcher: EntryBatcher;
  readonly #queue: BatchQueue;
  readonly #deadLetter: DeadLetter | undefined;
  readonly #producerId = createProducerId();
  /** With so many bytes memory is full: another entry, of whatever size, stays within the bound. */
  readonly #capacity: number;
  readonly #tick: NodeJS.Timeout | undefined;
  readonly #counts = {
    written: 0,
    recovered: 0,
    accepted: 0,
    duplicates: 0,
    rejected: 0,
    dropped: 0,
    damaged: 0,
  };
  #window: ShipWindow<QueuedBatch>;
  #spool: OpenedSpool | undefined;
  #opening: Promise<void> | undefined;
  #state: ShipperState = { kind: "connecting", attempt: 1 };
  #nextSequence = 1;
  /** Since when the first entry of the batch waits, on the clock of `performance.now`. */
  #batchSinceMs = 0;
  #cancelAge: (() => void) | undefined;
  /** True: the batch has waited for long enough, and is cut as soon as it can be sent. */
  #isDue = false;
  #closing: Promise<ShipperSummary> | undefined;

  constructor(settings: ShipperSettings, client: NodeLogClient) {
    const { memoryBytesMax, inFlightMax, batchEntriesMax, batchBytesMax, service, attributes } = settings;
    this.#settings = settings;
    this.#capacity = memoryBytesMax - limits.entryBytesMax - entryOverheadBytes;
    this.#client = client;
    this.#batcher = new EntryBatcher({
      entriesMax: batchEntriesMax,
      bytesMax: batchBytesMax,
      service,
      attributes,
    });
    this.#window = this.#openWindow();
    this.#queue = new BatchQueue({
      memoryBytesMax,
      inFlightMax,
      awaitsSpool: settings.spool !== undefined,
      dropsOldest: settings.overflow === "drop-oldest",
      send: (batch) => this.#window.push(batch, batch),
      dropped: (count) => this.#dropped(count, "overflow"),
      spooled: ({ producerId, firstSequence, count, bytes }) => {
        spooledChannel.publish({ producerId, firstSequence, entries: count, bytes: bytes.length });
        this.#condition.notify();
      },
      spoolFailed: (error) => this.#spoolFailed(error),
    });
    if (settings.deadLetter !== undefined) {
      this.#deadLetter = new DeadLetter(settings.deadLetter, (error) => {
        this.#listeners.tell("fault", { kind: "dead-letter", message: error.message, error });
      });
    }
    if (settings.spool !== undefined) {
      this.#opening = this.#openSpool();
      this.#tick = setInterval(() => this.#look(), tickMs).unref();
    }
  }

  get state(): ShipperState {
    return this.#state;
  }

  get summary(): ShipperSummary {
    const { count, bytes } = this.#batcher;
    return {
      ...this.#counts,
      pending: count + this.#queue.pending,
      inMemory: { entries: count + this.#queue.entries, bytes: bytes + this.#queue.bytes },
      spooled: this.#spool?.stored ?? { entries: 0, bytes: 0 },
    };
  }

  write(entry: LogEntryInit): boolean {
    this.#counts.written++;
    if (this.#closing !== undefined) return this.#dropped(1, "closed");
    if (this.#bytes >= this.#settings.memoryBytesMax && !this.#makeRoom())
      return this.#dropped(1, "overflow");
    const refusal = this.#batcher.add(entry, this.#settings.clock.now());
    if (refusal !== undefined) {
      this.#reject(entry, refusal);
      return false;
    }
    if (this.#batcher.isFull) this.#cut();
    else if (this.#batcher.count === 1) this.#startAge();
    return this.#settings.overflow !== "block" || this.#hasRoom;
  }

  async ready(): Promise<void> {
    await this.#until(() => this.#hasRoom || this.#isClosed, timerMsMax);
  }

  async flush({ timeoutMs = timerMsMax }: TimeoutOptions = {}): Promise<ShipperSummary> {
    this.#cut();
    const last = this.#nextSequence - 1;
    const isSettled = (): boolean =>
      this.#isClosed || (this.#opening === undefined && this.#queue.isSettled(this.#producerId, last));
    await this.#until(isSettled, timeoutMs);
    return this.summary;
  }

  close({ timeoutMs = closeMsDefault }: TimeoutOptions = {}): Promise<ShipperSummary> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  saveSync(): ShipperSummary {
    if (this.#isClosed) return this.summary;
    this.#cut();
    const rest = this.#queue.end();
    this.#closing ??= Promise.resolve(this.summary);
    this.#window.stop();
    try {
      if (this.#spool !== undefined) this.#spool.saveSync(rest);
      else if (this.#settings.spool !== undefined) saveAsideSync(this.#settings.spool, rest);
    } catch (reason) {
      this.#spoolFailed(toError(reason));
    }
    this.#deadLetter?.saveSync();
    this.#finish();
    return this.summary;
  }

  on<Name extends keyof ShipperEvents>(name: Name, listener: ShipperListener<Name>): this {
    this.#listeners.add(name, listener);
    return this;
  }

  off<Name extends keyof ShipperEvents>(name: Name, listener: ShipperListener<Name>): this {
    this.#listeners.remove(name, listener);
    return this;
  }

  get #isClosed(): boolean {
    return this.#state.kind === "closed";
  }

  get #bytes(): number {
    return this.#queue.bytes + this.#batcher.bytes;
  }

  get #hasRoom(): boolean {
    return this.#bytes < this.#capacity * fullShare;
  }

  async #close(timeoutMs: number): Promise<ShipperSummary> {
    this.#enter({ kind: "draining" });
    await this.flush({ timeoutMs });
    if (this.#queue.pending + this.#batcher.count > 0) this.#window.stop();
    else await this.#window.end();
    await this.#saveWithin(saveMs);
    this.#finish();
    return this.summary;
  }

  /** Brings everything to disk that belongs there, for as long as that may take: a disk may hang. */
  async #saveWithin(timeoutMs: number): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, timeoutMs);
    const save = async (): Promise<void> => {
      await this.#opening;
      await this.#queue.save();
      this.#queue.end();
      await this.#deadLetter?.flush();
      await this.#spool?.close();
    };
    await Promise.race([save(), late.promise]);
    clearTimeout(timer);
  }

  #finish(): void {
    clearInterval(this.#tick);
    this.#cancelAge?.();
    this.#client.close();
    this.#enter({ kind: "closed" });
    this.#listeners.close();
    this.#condition.notify();
  }

  /** Waits until something holds, and keeps the process alive meanwhile. */
  async #until(holds: () => boolean, timeoutMs: number): Promise<void> {
    let isOver = false;
    const timer = setTimeout(
      () => {
        isOver = true;
        this.#condition.notify();
      },
      Math.min(timeoutMs, timerMsMax),
    );
    try {
      while (!holds() && !isOver) await this.#condition.changed();
    } finally {
      clearTimeout(timer);
    }
  }

  #startAge(): void {
    this.#batchSinceMs = performance.now();
    this.#isDue = false;
    this.#cancelAge = this.#settings.ageClock.startTimer(() => {
      this.#isDue = true;
      this.#cutWhenDue();
    }, this.#settings.batchAgeMsMax);
  }

  /** A batch that could not be sent anyway goes on growing: an outage is not to make thousands of small ones. */
  #cutWhenDue(): void {
    if (!this.#isDue || this.#batcher.count === 0) return;
    const isLate = this.#settings.spool !== undefined && performance.now() - this.#batchSinceMs > cutMsMax;
    if (this.#queue.isFlowing || isLate) this.#cut();
  }

  #look(): void {
    this.#cutWhenDue();
    this.#queue.look();
  }

  #cut(): void {
    this.#cancelAge?.();
    this.#cancelAge = undefined;
    this.#isDue = false;
    if (this.#batcher.count === 0) return;
    const batch = this.#batcher.take();
    const firstSequence = this.#nextSequence;
    this.#nextSequence += batch.count;
    this.#queue.push({ ...batch, producerId: this.#producerId, firstSequence });
  }

  /** Returns false when nothing can be dropped for what is newer. */
  #makeRoom(): boolean {
    if (this.#settings.overflow !== "drop-oldest") return false;
    while (this.#bytes >= this.#capacity) {
      const count = this.#queue.dropOldest();
      if (count === 0) return false;
      this.#dropped(count, "overflow");
    }
    return true;
  }

  #dropped(count: number, reason: "overflow" | "closed"): false {
    this.#counts.dropped += count;
    this.#listeners.dropped(count, reason);
    this.#condition.notify();
    return false;
  }

  #reject(given: unknown, reason: string): void {
    const entry = isEntry(given) ? given : { message: String(given) };
    this.#counts.rejected++;
    this.#listeners.tell("rejected", { entry, reason });
    this.#deadLetter?.add({ entry, reason });
  }

  #openWindow(): ShipWindow<QueuedBatch> {
    return new ShipWindow(this.#client, this.#windowListener(), { clock: this.#settings.clock, idleMs });
  }

  #windowListener(): WindowListener<QueuedBatch> {
    return {
      accepted: ({ producerId, firstSequence, count }, accepted, duplicates) => {
        this.#counts.accepted += accepted;
        this.#counts.duplicates += duplicates;
        batchChannel.publish({ producerId, firstSequence, entries: count, accepted, duplicates });
      },
      rejected: (batch, index, reason) => this.#rejectSent(batch, index, reason),
      done: (batch) => {
        this.#queue.done(batch);
        this.#cutWhenDue();
        this.#condition.notify();
      },
      entered: (state) => {
        if (this.#closing === undefined) this.#enter(state);
      },
      failed: (error) => Math.max(retryMsMax, retryDelayMs(error) ?? 0),
      crashed: (error) => this.#restart(error),
    };
  }

  #rejectSent({ bytes }: QueuedBatch, index: number, reason: string): void {
    if (!this.#listeners.isHeard("rejected") && this.#deadLetter === undefined) {
      this.#counts.rejected++;
      return;
    }
    const ends = [...itemEnds(bytes)];
    this.#reject(decodeSent(bytes, ends[index - 1] ?? 0, ends[index] ?? bytes.length), reason);
  }

  /** A mistake of ours in a connection must not be the end of all shipping. */
  #restart(error: ConnectError): void {
    if (this.#isClosed) return;
    const delayMs = tickMs;
    this.#enter({ kind: "retrying", error, attempt: 1, delayMs });
    this.#settings.clock.startTimer(() => {
      this.#window = this.#openWindow();
      this.#queue.restart();
    }, delayMs);
  }

  async #openSpool(): Promise<void> {
    const { spool } = this.#settings;
    if (spool === undefined || this.#isClosed) return;
    try {
      this.#spool = await openSpool(spool, {
        damaged: (entries, message) => {
          this.#counts.damaged += entries;
          this.#listeners.tell("fault", { kind: "spool-damaged", message });
          this.#condition.notify();
        },
        failed: (error) => this.#spoolFailed(error),
      });
      this.#counts.recovered += this.#spool.unread;
    } catch (reason) {
      this.#spoolFailed(toError(reason));
      this.#settings.clock.startTimer(() => void this.#openSpool(), reopenMs);
    }
    this.#opening = undefined;
    if (this.#isClosed) await this.#spool?.close();
    else this.#queue.open(this.#spool);
    this.#condition.notify();
  }

  #spoolFailed(error: Error): void {
    const kind = error instanceof SpoolSharedError ? "spool-shared" : "spool-unavailable";
    const message = `the spool can't be used now: ${error.message}; entries stay in memory`;
    this.#listeners.tell("fault", { kind, message, error });
  }

  #enter(state: ShipperState): void {
    if (this.#isClosed) return;
    this.#state = state;
    this.#listeners.tell("state", state);
  }
}

/** JavaScript may hand in anything. */
function isEntry(given: unknown): given is LogEntryInit {
  return typeof given === "object" && given !== null;
}

/** An entry as it was sent; what does not read as one, which only a damaged spool holds, as a message that says so. */
function decodeSent(bytes: Uint8Array, from: number, to: number): LogEntryInit {
  try {
    return decodeItem(bytes, from, to);
  } catch (reason) {
    return { message: `(not an entry: ${toError(reason).message})` };
  }
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason), { cause: reason });
}
