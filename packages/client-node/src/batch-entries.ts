/**
 * Groups entries into batches by count, bytes and age: the building block
 * between something that yields entries one by one and everything that sends
 * batches.
 */
import { type LogEntryInit, limits } from "@logsvc/client";

/** When a batch is full. */
export interface BatchEntriesOptions {
  /** Entries in a batch, at the most. Default: 2 000, from 1 to 100 000. */
  readonly entriesMax?: number;
  /** Bytes of a batch, at the most; a larger entry goes alone. Default: 1 MiB, from 1 to 16 MiB. */
  readonly bytesMax?: number;
  /** How long an entry waits for others, in milliseconds. Default: until the batch is full or the source ends. */
  readonly ageMsMax?: number;
}

/** The engine commits so many at once at its best rate. */
const entriesMaxDefault = 2_000;

/** Large enough to send and compress well, small enough that several are in flight. */
const bytesMaxDefault = 1024 * 1024;

/**
 * Yields the source's entries in their order, in batches, none empty. Reads no
 * further ahead than one entry. When the source throws, what it yielded before
 * comes first, then its error.
 *
 * @throws RangeError, at the first step, that names the option, its range and the value.
 */
export async function* batchEntries(
  source: Iterable<LogEntryInit> | AsyncIterable<LogEntryInit>,
  options: BatchEntriesOptions = {},
): AsyncGenerator<LogEntryInit[], void, undefined> {
  const { ageMsMax } = options;
  const entriesMax = bound("entriesMax", options.entriesMax ?? entriesMaxDefault, limits.batchEntriesMax);
  const bytesMax = bound("bytesMax", options.bytesMax ?? bytesMaxDefault, limits.batchBytesMax);
  const reader = new StepReader(source);
  let batch: LogEntryInit[] = [];
  let bytes = 0;
  let due: Due | undefined;
  const take = (): LogEntryInit[] => {
    const full = batch;
    batch = [];
    bytes = 0;
    due?.cancel();
    due = undefined;
    return full;
  };
  try {
    for (;;) {
      const step = await reader.next(due?.reached);
      if (step.kind === "entry") {
        const entryBytes = entryBytesAtMost(step.entry);
        if (batch.length > 0 && bytes + entryBytes > bytesMax) yield take();
        batch.push(step.entry);
        bytes += entryBytes;
        if (ageMsMax !== undefined) due ??= startDue(ageMsMax);
        if (batch.length >= entriesMax) yield take();
      } else {
        if (batch.length > 0) yield take();
        if (step.kind === "failed") throw step.reason;
        if (step.kind === "end") return;
      }
    }
  } finally {
    due?.cancel();
    await reader.close();
  }
}

function bound(name: string, value: number, max: number): number {
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw new RangeError(`Expected ${name} to be an integer from 1 to ${max}, got ${value}`);
  }
  return value;
}

type Step =
  | { readonly kind: "entry"; readonly entry: LogEntryInit }
  | { readonly kind: "due" }
  | { readonly kind: "failed"; readonly reason: Error }
  | { readonly kind: "end" };

/** Reads the source step by step, and can stop waiting without losing the entry that comes next. */
class StepReader {
  readonly #iterator: Iterator<LogEntryInit> | AsyncIterator<LogEntryInit>;
  #next: Promise<Step> | undefined;
  #over = false;

  constructor(source: Iterable<LogEntryInit> | AsyncIterable<LogEntryInit>) {
    this.#iterator =
      Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  }

  async next(due: Promise<Step> | undefined): Promise<Step> {
    this.#next ??= this.#read();
    const step = await (due === undefined ? this.#next : Promise.race([this.#next, due]));
    if (step.kind !== "due") this.#next = undefined;
    return step;
  }

  async #read(): Promise<Step> {
    try {
      const { done, value } = await this.#iterator.next();
      if (!done) return { kind: "entry", entry: value };
      this.#over = true;
      return { kind: "end" };
    } catch (cause) {
      this.#over = true;
      return { kind: "failed", reason: cause instanceof Error ? cause : new Error(String(cause), { cause }) };
    }
  }

  async close(): Promise<void> {
    if (this.#over) return;
    // A generator that waits for its own source answers `return` only after
    // it; whoever leaves now must not wait for an entry that nobody wants.
    if (this.#next === undefined) await this.#iterator.return?.();
    else void Promise.resolve(this.#iterator.return?.()).catch(() => undefined);
  }
}

interface Due {
  readonly reached: Promise<Step>;
  cancel(): void;
}

function startDue(delayMs: number): Due {
  const { promise, resolve } = Promise.withResolvers<Step>();
  const timer = setTimeout(() => resolve({ kind: "due" }), delayMs);
  return { reached: promise, cancel: () => clearTimeout(timer) };
}

/** What every field but the texts takes at the most: tags, lengths, timestamp, sequence and ids. */
const fixedBytesMax = 128;

/** What an attribute takes beside its texts: two tags, two lengths, and those of the pair. */
const attributeBytesMax = 24;

/** The encoded entry has no more bytes than this. Cheaper than encoding it to see. */
function entryBytesAtMost(entry: LogEntryInit): number {
  let bytes = fixedBytesMax + Buffer.byteLength(entry.message);
  bytes += Buffer.byteLength(entry.level ?? "") + Buffer.byteLength(entry.service ?? "");
  for (const [key, value] of Object.entries(entry.attributes ?? {})) {
    bytes += attributeBytesMax + Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  return bytes;
}
