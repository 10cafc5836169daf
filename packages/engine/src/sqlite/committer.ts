/**
 * Makes batches durable: one transaction for all that wait.
 *
 *   batches ─▶ repeats dropped, offsets assigned ─▶ blocks ─▶ rows ─▶ COMMIT (fsync) ─▶ answers
 */
import type { DatabaseSync } from "node:sqlite";
import type { EntryBatch } from "../entry-batch.ts";
import { startIn } from "../entry-bytes.ts";
import { blockValues, encodeBlock, insertBlockSql } from "./block-format.ts";
import { type BlockImage, type BlockOutline, blockViews, createBlockImage } from "./block-image.ts";
import { transaction } from "./log-file.ts";
import type { ProducerLedger } from "./producer-ledger.ts";
import type { AppendAnswer, Commit } from "./thread-messages.ts";

/** A batch that waits for its commit. */
export interface WaitingBatch {
  readonly ticket: number;
  readonly batch: EntryBatch;
}

/**
 * Raw bytes of a block, unless a single entry is larger: enough for compression
 * to be at its best, and little enough that scanning one takes milliseconds.
 */
const blockBytesMax = 1024 * 1024;

/** Entries of a block, so that one of tiny entries takes no longer to scan. */
const blockEntriesMax = 16_384;

/** Consecutive entries of a batch that are stored. */
interface Piece {
  readonly batch: EntryBatch;
  readonly from: number;
  readonly to: number;
}

/** The writer's half of the log: assigns offsets and stores blocks. */
export class Committer {
  readonly #database: DatabaseSync;
  readonly #ledger: ProducerLedger;
  readonly #insertBlock;
  readonly #updateLog;
  #nextOffset: number;
  #lastReceivedAt: bigint;
  /** Where a block is put together that nobody keeps. */
  #scratch = new ArrayBuffer(blockBytesMax);

  constructor(database: DatabaseSync, ledger: ProducerLedger) {
    this.#database = database;
    this.#ledger = ledger;
    this.#insertBlock = database.prepare(insertBlockSql);
    this.#updateLog = database.prepare(
      `UPDATE log SET next_offset = ?, last_received_at = ?, blocks = blocks + ?, raw_bytes = raw_bytes + ?`,
    );
    const read = database.prepare("SELECT next_offset, last_received_at FROM log");
    read.setReadBigInts(true);
    const log = read.get() ?? {};
    this.#nextOffset = Number(log["next_offset"]);
    this.#lastReceivedAt = BigInt(String(log["last_received_at"]));
  }

  /** The offset that the next entry gets. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  /**
   * Stores what is new in these batches. When it throws, nothing is stored and
   * nothing is changed.
   *
   * @param keepsBlocks Whether the commit comes with its blocks.
   */
  commit(
    waiting: readonly WaitingBatch[],
    keepsBlocks: boolean,
  ): { answers: AppendAnswer[]; commit: Commit } {
    const startedAt = performance.now();
    const receivedAt = this.#receivedAt();
    try {
      const { answers, stored } = transaction(this.#database, () =>
        this.#store(waiting, receivedAt, keepsBlocks),
      );
      this.#ledger.committed();
      this.#nextOffset += stored.entries;
      if (stored.entries > 0) this.#lastReceivedAt = receivedAt;
      const durationUs = Math.round((performance.now() - startedAt) * 1000);
      return { answers, commit: { ...stored, durationUs, nextOffset: this.#nextOffset } };
    } catch (error) {
      this.#ledger.forget();
      throw error;
    }
  }

  #store(waiting: readonly WaitingBatch[], receivedAt: bigint, keepsBlocks: boolean) {
    const answers: AppendAnswer[] = [];
    const pieces: Piece[] = [];
    let next = this.#nextOffset;
    for (const { ticket, batch } of waiting) {
      const answer = this.#place(ticket, batch, { next, receivedAt, pieces });
      next += answer.stored;
      answers.push(answer);
    }
    const blocks: BlockImage[] = [];
    let count = 0;
    let bytes = 0;
    for (const outline of cutBlocks(pieces, this.#nextOffset, receivedAt)) {
      const block = joinPieces(outline, keepsBlocks ? undefined : this.#scratch);
      this.#insert(block);
      if (keepsBlocks) blocks.push(block);
      else this.#scratch = block.buffer;
      count += 1;
      bytes += block.rawBytes;
    }
    if (count > 0) this.#updateLog.run(next, receivedAt, count, bytes);
    this.#ledger.flush();
    return { answers, stored: { blocks, entries: next - this.#nextOffset, bytes } };
  }

  /** Decides for each entry of a batch whether it is new, and where it goes. */
  #place(
    ticket: number,
    batch: EntryBatch,
    { next, receivedAt, pieces }: { next: number; receivedAt: bigint; pieces: Piece[] },
  ): AppendAnswer {
    const { count, producerId, sequences } = batch;
    if (producerId === undefined || sequences === undefined) {
      pieces.push({ batch, from: 0, to: count });
      return { ticket, firstOffset: next, stored: count };
    }
    const offsets = new Float64Array(count);
    const flags = new Uint8Array(count);
    const producer = this.#ledger.producer(producerId, Number(receivedAt / 1_000_000n));
    let stored = 0;
    let from = 0;
    for (let index = 0; index < count; index++) {
      const sequence = sequences[index] ?? 0;
      const known = sequence === 0 ? undefined : this.#ledger.find(producer, sequence);
      if (known === undefined) {
        offsets[index] = next + stored++;
        if (sequence !== 0) this.#ledger.add(producer, sequence, offsets[index] ?? 0);
      } else {
        offsets[index] = known;
        flags[index] = 1;
        if (from < index) pieces.push({ batch, from, to: index });
        from = index + 1;
      }
    }
    if (from < count) pieces.push({ batch, from, to: count });
    const answer = { ticket, firstOffset: stored === 0 ? 0 : next, stored };
    return stored === count ? answer : { ...answer, repeats: { offsets, flags } };
  }

  #insert(block: BlockImage): void {
    this.#insertBlock.run(...blockValues(encodeBlock(block)));
  }

  /** Now, but never before the last block: clocks are set back. */
  #receivedAt(): bigint {
    const now = BigInt(Date.now()) * 1_000_000n;
    return now > this.#lastReceivedAt ? now : this.#lastReceivedAt;
  }
}

/** A block before it is put together. */
interface CutBlock extends BlockOutline {
  readonly pieces: readonly Piece[];
}

/** Cuts entries into blocks that are full, but for the last. */
function* cutBlocks(
  pieces: readonly Piece[],
  firstOffset: number,
  receivedAt: bigint,
): Generator<CutBlock, void, undefined> {
  let block = { firstOffset, receivedAt, pieces: [] as Piece[], count: 0, rawBytes: 0 };
  for (const { batch, from, to } of pieces) {
    for (let start = from; start < to; ) {
      const range = { from: start, to };
      const end = fitting(batch, range, blockBytesMax - block.rawBytes, blockEntriesMax - block.count);
      if (end === start && block.count > 0) {
        yield block;
        block = { ...block, firstOffset: block.firstOffset + block.count, pieces: [], count: 0, rawBytes: 0 };
        continue;
      }
      // An entry that is larger than a block has a block of its own.
      const taken = Math.max(end, start + 1);
      block.pieces.push({ batch, from: start, to: taken });
      block.count += taken - start;
      block.rawBytes += startIn(batch.ends, taken) - startIn(batch.ends, start);
      start = taken;
    }
  }
  if (block.count > 0) yield block;
}

/** The greatest `end` so that the entries from `from` to `end` fit, by halving. */
function fitting(batch: EntryBatch, range: { from: number; to: number }, bytesMax: number, countMax: number) {
  const limit = startIn(batch.ends, range.from) + bytesMax;
  let low = range.from;
  let high = Math.min(range.to, range.from + countMax);
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (startIn(batch.ends, middle) <= limit) low = middle;
    else high = middle - 1;
  }
  return low;
}

function joinPieces({ pieces, ...outline }: CutBlock, buffer: ArrayBuffer | undefined): BlockImage {
  const block = createBlockImage(outline, buffer);
  const { timestamps, ends, severities, bytes } = blockViews(block);
  let count = 0;
  let length = 0;
  for (const { batch, from, to } of pieces) {
    const start = startIn(batch.ends, from);
    bytes.set(batch.bytes.subarray(start, startIn(batch.ends, to)), length);
    timestamps.set(batch.timestamps.subarray(from, to), count);
    severities.set(batch.severities.subarray(from, to), count);
    for (let index = from; index < to; index++) ends[count++] = (batch.ends[index] ?? 0) - start + length;
    length = ends[count - 1] ?? 0;
  }
  return block;
}
