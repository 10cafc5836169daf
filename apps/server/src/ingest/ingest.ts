/**
 * Ingest: entries in, answers out, in order, when they are durable.
 *
 *   receive ─▶ validate, normalise ─▶ engine.append ─▶ answer
 *      │              │ bad entry ─▶ rejected    │ can't write ─▶ the stream ends: Unavailable,
 *      │              ▼                          ▼                after the answers before it
 *      │ not protobuf, too large, drain ─▶ the stream ends after the answers to all before it
 *      │ deadline, cancel ─▶ the stream ends at once
 *
 * Receiving never waits for answering: a stream is read on while its appends
 * are pending, up to a bound in bytes per stream and in all (byte-gate.ts).
 * Nothing here knows a protocol; the wire brings entries and takes answers.
 */
import { type AppendResult, type Engine, EngineError } from "@logsvc/engine";
import { type EncodedBatch, type LogEntry, limits, type WriteLogsRequest } from "@logsvc/proto";
import type { FastifyBaseLogger } from "fastify";
import { abortable } from "../abortable.ts";
import type { Lifecycle } from "../lifecycle.ts";
import { RequestError } from "../request-error.ts";
import type { Counters } from "../stats/counters.ts";
import { AnswerStream, readInto } from "./answer-stream.ts";
import { ByteGate } from "./byte-gate.ts";
import { EntryRuns } from "./entry-runs.ts";
import {
  type BatchAnswer,
  decodeEntry,
  type EncodedRun,
  type EntryAnswer,
  type EntryRejection,
  EntryRules,
  entryOverheadBytes,
  Intake,
  type RunAnswers,
} from "./intake.ts";

/** A batch of encoded entries that lie in other bytes. */
export interface BatchRun extends EncodedRun {
  readonly producerId: string;
  readonly firstSequence: bigint;
}

/** A batch as it comes: its entries are objects, or still encoded, apart or side by side. */
export type ReceivedBatch = WriteLogsRequest | EncodedBatch | BatchRun;

/** Who calls, and how long for. */
export interface IngestCall {
  /** The producer named by the call itself; empty: none. A message's own producer goes before it. */
  readonly producerId: string;
  /** Aborts at the client's deadline or cancel. */
  readonly signal: AbortSignal;
}

/** What an upload comes to. */
export interface UploadSummary {
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: number;
  readonly firstId: string;
  readonly lastId: string;
  /** The first ones; indexes count through all batches. */
  readonly rejections: EntryRejection[];
}

/** What ingest works with. */
export interface IngestOptions {
  readonly engine: Engine;
  readonly lifecycle: Lifecycle;
  readonly counters: Counters;
  readonly logger: FastifyBaseLogger | undefined;
}

/** Bytes of an entry in a batch, at a guess where it is an object. */
const entryBytesGuess = 128;

/** What an entry grows by in a batch, about: its tag and length, nanoseconds for seconds. */
const encodedGrowthBytes = 12;

/** How long after a failed append the server calls itself not ready. */
const failureMemoryMs = 10_000;

const nothingStored: AppendResult = {
  duplicates: 0,
  firstId: "",
  lastId: "",
  idAt: () => "",
  writeIdAt: (_index, _into, at) => at,
  isDuplicate: () => false,
};

/** The way into the log, for every RPC and protocol that writes. */
export class Ingest {
  readonly #engine: Engine;
  readonly #lifecycle: Lifecycle;
  readonly #counters: Counters;
  readonly #logger: FastifyBaseLogger | undefined;
  readonly #gate = new ByteGate(limits.inFlightBytesMax);
  readonly #rules = new EntryRules();
  #failure: { readonly message: string; readonly at: number } | undefined;

  constructor({ engine, lifecycle, counters, logger }: IngestOptions) {
    this.#engine = engine;
    this.#lifecycle = lifecycle;
    this.#counters = counters;
    this.#logger = logger;
  }

  /** Bytes received and not yet answered. */
  get inFlightBytes(): number {
    return this.#gate.bytes;
  }

  /** Why the engine could not write when last asked, a moment ago; undefined: it could. */
  get failure(): string | undefined {
    if (this.#failure === undefined || Date.now() - this.#failure.at > failureMemoryMs) return undefined;
    return this.#failure.message;
  }

  /**
   * Writes one batch and answers when it is durable.
   *
   * @throws RequestError `invalid`, `too_large`, `draining`; EngineError; the signal's reason.
   */
  async writeBatch(request: ReceivedBatch, call: IngestCall): Promise<BatchAnswer> {
    using _call = this.#lifecycle.enter();
    // Never made to wait: it is in memory already, which wire/receive-bound.ts bounds.
    const intake = this.#takeBatch(request, call.producerId);
    const bytes = intake.weight;
    this.#gate.add(bytes);
    const stored = this.#store(intake).finally(() => this.#gate.release(bytes));
    return intake.batchAnswer(await abortable(stored, call.signal));
  }

  /**
   * Answers each entry of a stream. Entries that arrive together are appended
   * together, so entries come and answers go in arrays; their grouping has no meaning.
   *
   * @throws What writeBatch throws, and what `entries` throws, after the answers to all before it.
   */
  answerEntries(
    entries: AsyncIterable<readonly LogEntry[]>,
    call: IngestCall,
  ): AsyncGenerator<EntryAnswer[], void, undefined> {
    return this.#answerInRuns(entries, call, {
      answersOf: (intake, result) => intake.entryAnswers(result),
      submit: (received, runs, stream) => {
        for (const entry of received) runs.add(entry, stream);
      },
    });
  }

  /**
   * Answers each entry of a stream that comes in runs of encoded entries, with
   * no object for any. The answers' grouping has no meaning.
   *
   * @throws What writeBatch throws, and what `runs` throws, after the answers to
   *   all before it; an entry that is not protobuf is `invalid`.
   */
  answerRuns(runs: AsyncIterable<EncodedRun>, call: IngestCall): AsyncGenerator<RunAnswers, void, undefined> {
    return this.#answerInRuns(runs, call, {
      answersOf: (intake, result) => intake.runAnswers(result),
      submit: (received, entryRuns, stream) => entryRuns.addRun(received, stream),
    });
  }

  /**
   * Answers each batch of a stream.
   *
   * @throws What writeBatch throws, and what `batches` throws, after the answers to all before it.
   */
  answerBatches(
    batches: AsyncIterable<ReceivedBatch>,
    call: IngestCall,
  ): AsyncGenerator<BatchAnswer, void, undefined> {
    const store = this.#storeInOrder();
    return this.#answer(
      batches,
      (request, stream) => {
        const intake = this.#takeBatch(request, call.producerId);
        // The batch's own answer weighs as well: a batch may have no entries.
        const bytes = intake.weight + entryOverheadBytes;
        stream.add(bytes);
        const answer = store(intake).then((result) => intake.batchAnswer(result));
        stream.queue.push(answer, () => stream.release(bytes));
      },
      { signal: call.signal },
    );
  }

  /**
   * Writes a stream of batches and sums it up at its end. What was written
   * before an error stays written.
   *
   * @throws What answerBatches throws.
   */
  async upload(batches: AsyncIterable<ReceivedBatch>, call: IngestCall): Promise<UploadSummary> {
    const rejections: EntryRejection[] = [];
    const sum = { accepted: 0, duplicates: 0, rejected: 0, firstId: "", lastId: "" };
    for await (const answer of this.answerBatches(batches, call)) {
      const offset = sum.accepted + sum.rejected;
      for (const rejection of answer.rejections.slice(0, limits.uploadRejectionsMax - rejections.length)) {
        rejections.push({ ...rejection, index: offset + rejection.index });
      }
      sum.accepted += answer.accepted;
      sum.duplicates += answer.duplicates;
      sum.rejected += answer.rejections.length;
      sum.firstId ||= answer.firstId;
      sum.lastId = answer.lastId || sum.lastId;
    }
    return { ...sum, rejections };
  }

  async *#answerInRuns<Message, Answers>(
    messages: AsyncIterable<Message>,
    { producerId, signal }: IngestCall,
    options: {
      readonly answersOf: (intake: Intake, result: AppendResult) => Answers;
      readonly submit: (message: Message, runs: EntryRuns<Answers>, stream: AnswerStream<Answers>) => void;
    },
  ): AsyncGenerator<Answers, void, undefined> {
    checkProducerId(producerId);
    const { answersOf, submit } = options;
    const store = this.#storeInOrder();
    const runs = new EntryRuns<Answers>(producerId, { rules: this.#rules, store, answersOf });
    try {
      yield* this.#answer<Message, Answers>(messages, (message, stream) => submit(message, runs, stream), {
        signal,
        flush: (stream) => runs.flush(stream),
      });
    } finally {
      this.#gate.release(runs.close());
    }
  }

  /** Reads messages and yields their answers, each at its own pace. */
  async *#answer<Message, Answer>(
    messages: AsyncIterable<Message>,
    submit: (message: Message, stream: AnswerStream<Answer>) => void,
    options: { readonly signal: AbortSignal; readonly flush?: (stream: AnswerStream<Answer>) => void },
  ): AsyncGenerator<Answer, void, undefined> {
    using _call = this.#lifecycle.enter();
    const { signal, flush } = options;
    const { draining } = this.#lifecycle;
    const stream = new AnswerStream<Answer>(this.#gate);
    const onAbort = (): void => stream.queue.abort(signal.reason);
    const onDrain = (): void => {
      flush?.(stream);
      stream.queue.fail(draining.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    draining.addEventListener("abort", onDrain, { once: true });
    this.#counters.ingestStreams += 1;
    try {
      if (signal.aborted) throw signal.reason;
      // Not awaited: it never rejects, and where the answers end first it ends with its source.
      void readInto(stream, messages, submit, flush);
      yield* stream.queue;
    } finally {
      this.#counters.ingestStreams -= 1;
      signal.removeEventListener("abort", onAbort);
      draining.removeEventListener("abort", onDrain);
    }
  }

  #takeBatch(request: ReceivedBatch, callProducerId: string): Intake {
    const { firstSequence } = request;
    const count = "ranges" in request ? request.count : request.entries.length;
    checkEntryCount(count);
    const producerId = request.producerId || callProducerId;
    checkProducerId(producerId);
    checkFirstSequence(firstSequence, count, producerId);
    if ("ranges" in request) {
      const capacityBytes = weighRun(request);
      return takeRun(request, new Intake(producerId, this.#rules, capacityBytes));
    }
    if (request.$typeName === "logsvc.internal.EncodedBatch") {
      return takeEncoded(request, new Intake(producerId, this.#rules, weighEncoded(request.entries)));
    }
    const intake = new Intake(producerId, this.#rules, count * entryBytesGuess);
    for (const [index, entry] of request.entries.entries()) {
      if (firstSequence !== 0n) entry.sequence = firstSequence + BigInt(index);
      intake.add(entry);
    }
    return intake;
  }

  /** Stores what one stream brings, up to what can't be stored: what follows would lie before that when it is sent again. */
  #storeInOrder(): (intake: Intake) => Promise<AppendResult> {
    let failure: { readonly error: unknown } | undefined;
    return async (intake) => {
      if (failure !== undefined) throw failure.error;
      try {
        return await this.#store(intake);
      } catch (error) {
        failure ??= { error };
        throw error;
      }
    };
  }

  async #store(intake: Intake): Promise<AppendResult> {
    const counters = this.#counters;
    counters.rejected += intake.rejectedCount;
    if (intake.validCount === 0) return nothingStored;
    const bytes = intake.byteLength;
    const count = intake.validCount;
    try {
      const result = await this.#engine.append(intake.build());
      this.#noteSuccess();
      counters.accepted += count;
      counters.duplicates += result.duplicates;
      counters.bytes += bytes;
      return result;
    } catch (error) {
      this.#noteFailure(error);
      throw error;
    }
  }

  /** The start of a failure is logged, and its end; not every retry in between. */
  #noteFailure(error: unknown): void {
    if (!(error instanceof EngineError)) return;
    if (this.#failure === undefined) this.#logger?.error({ err: error }, "the log can't be written");
    this.#failure = { message: error.clientMessage, at: Date.now() };
  }

  #noteSuccess(): void {
    if (this.#failure === undefined) return;
    this.#failure = undefined;
    this.#logger?.info("the log can be written again");
  }
}

/** What encoded entries take in a batch, about. */
function weighEncoded(entries: readonly Uint8Array[]): number {
  return entries.reduce((sum, entry) => sum + entry.length + encodedGrowthBytes, 0);
}

function weighRun({ count, ranges }: BatchRun): number {
  const bytes = count === 0 ? 0 : (ranges[2 * count - 1] ?? 0) - (ranges[0] ?? 0);
  return bytes + count * encodedGrowthBytes;
}

function takeRun({ bytes, count, ranges, firstSequence }: BatchRun, intake: Intake): Intake {
  let sequence = Number(firstSequence);
  for (let index = 0; index < count; index++) {
    const from = ranges[2 * index] ?? 0;
    const to = ranges[2 * index + 1] ?? 0;
    takeOne(bytes, from, to, sequence, intake);
    if (sequence !== 0) sequence += 1;
  }
  return intake;
}

function takeEncoded({ entries, firstSequence }: EncodedBatch, intake: Intake): Intake {
  let sequence = Number(firstSequence);
  for (const entry of entries) {
    takeOne(entry, 0, entry.length, sequence, intake);
    if (sequence !== 0) sequence += 1;
  }
  return intake;
}

function takeOne(bytes: Uint8Array, from: number, to: number, sequence: number, intake: Intake): void {
  // As an object, one whose sequence lies behind gets its reason.
  if (!intake.addEncoded(bytes, from, to, sequence)) intake.add(decodeEntry(bytes.subarray(from, to)));
}

/**
 * How many entries a batch may have. wire/entry-count.ts asks before a batch is decoded.
 *
 * @throws RequestError `too_large`.
 */
export function checkEntryCount(count: number): void {
  if (count <= limits.batchEntriesMax) return;
  throw new RequestError("too_large", `entries: at most ${limits.batchEntriesMax} in a batch, got ${count}`);
}

function checkProducerId(producerId: string): void {
  const bytes = Buffer.byteLength(producerId);
  if (bytes <= limits.producerIdBytesMax) return;
  throw new RequestError("invalid", `producer_id: at most ${limits.producerIdBytesMax} bytes, got ${bytes}`);
}

function checkFirstSequence(firstSequence: bigint, count: number, producerId: string): void {
  if (firstSequence === 0n) return;
  if (producerId === "") {
    throw new RequestError(
      "invalid",
      `first_sequence: needs a producer_id, got ${firstSequence} without one`,
    );
  }
  if (firstSequence + BigInt(count) - 1n > BigInt(limits.sequenceMax)) {
    throw new RequestError(
      "invalid",
      `first_sequence: the last entry's sequence is at most ${limits.sequenceMax}, got ${firstSequence} for ${count} entries`,
    );
  }
}
