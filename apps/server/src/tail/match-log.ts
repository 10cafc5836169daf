/**
 * What of some consecutive blocks matches, encoded one after another as
 * `repeated StoredEntry entries = 2` of TailLogsResponse, so that any stretch
 * of it is part of a response:
 *
 *   chunk  0x12, length, StoredEntry │ 0x12, length, StoredEntry │ …   64 KiB, or one larger entry
 *   mark   block 7, its entry 3 ─────▲           block 9, entry 0 ─────▲  where a response may end
 *
 * A StoredEntry is written by hand, its LogEntry copied as it lies in the block:
 *
 *   0x0A, length, id │ 0x12, length, LogEntry │ 0x18, received_at
 *
 * What is written never changes; it may be sent while more is added.
 */
import type { Block } from "@logsvc/engine";
import { limits } from "@logsvc/proto";

/** A stretch of matches, for one response. */
export interface EncodedMatches {
  /** Each is a whole number of entries, tags and lengths included. */
  readonly slices: readonly Uint8Array[];
  readonly count: number;
  /** The number of the block that the last one is of, and which of its entries it is. */
  readonly blockNumber: number;
  readonly lastIndex: number;
}

/** Encoded matches side by side in one buffer, all of it covered by marks. */
export class MatchChunk {
  bytes: Buffer;
  length = 0;
  count = 0;
  readonly marks: Mark[] = [];

  constructor(capacityBytes: number) {
    this.bytes = Buffer.allocUnsafeSlow(capacityBytes);
  }
}

/** Where an entry ends in a chunk, how many it is of the chunk, and where it comes from. */
interface Mark {
  readonly blockNumber: number;
  readonly lastIndex: number;
  readonly end: number;
  readonly count: number;
}

/** Told of the memory that a log takes. */
export interface ChunkObserver {
  /** The chunk was made (`bytes` is its size), or has grown by so many bytes. */
  grown(chunk: MatchChunk, bytes: number): void;
}

const chunkBytesMin = 1024;
const chunkBytesMax = 64 * 1024;

/** Tags of TailLogsResponse.entries, and of the fields of StoredEntry. */
const entriesTag = 0x12;
const idTag = 0x0a;
const entryTag = 0x12;
const receivedAtTag = 0x18;

/** An id at the most, so that its length takes one byte; and tags, lengths and received_at of a StoredEntry. */
const idBytesMax = 127;
const wrappingBytesMax = idBytesMax + 32;

/** A growing log of matches. Blocks have rising numbers. */
export class MatchLog {
  readonly #observer: ChunkObserver | undefined;
  readonly #chunks: MatchChunk[] = [];
  #capacityBytes = chunkBytesMin;
  #receivedAt: bigint | undefined;
  #receivedAtBytes: Uint8Array = new Uint8Array(0);
  /** Of the last entry's id. */
  #idBytes = 0;

  /** @param observer Absent: nobody counts. */
  constructor(observer?: ChunkObserver) {
    this.#observer = observer;
  }

  /** Its chunks, the oldest first. */
  get chunks(): readonly MatchChunk[] {
    return this.#chunks;
  }

  /** Adds these entries of a block, given by rising index. */
  add(block: Block, blockNumber: number, indexes: readonly number[]): void {
    let previous: { readonly chunk: MatchChunk; readonly index: number } | undefined;
    for (const index of indexes) {
      const chunk = this.#write(block, index);
      if (previous !== undefined && previous.chunk !== chunk)
        mark(previous.chunk, blockNumber, previous.index);
      previous = { chunk, index };
    }
    if (previous !== undefined) mark(previous.chunk, blockNumber, previous.index);
  }

  /** What was added of the blocks `first` to `last`, cut into responses of about `limits.responseBytesMax`. */
  matchesOf(first: number, last: number): EncodedMatches[] {
    const found: EncodedMatches[] = [];
    let bytes = 0;
    // Readers are near the end, and a log may have hundreds of chunks.
    let place = this.#chunks.length;
    while (place > 0 && lastBlockOf(this.#chunks[place - 1]) >= first) place -= 1;
    for (const chunk of this.#chunks.slice(place)) {
      const stretch = stretchOf(chunk, first, last);
      if (stretch === undefined) continue;
      const length = stretch.slices[0]?.length ?? 0;
      const before = found.at(-1);
      if (before === undefined || bytes + length > limits.responseBytesMax) {
        found.push(stretch);
        bytes = length;
      } else {
        found[found.length - 1] = joined(before, stretch);
        bytes += length;
      }
    }
    return found;
  }

  /** Lets go of the oldest chunk, and returns the number of the last block in it. */
  forgetOldest(): number {
    return lastBlockOf(this.#chunks.shift());
  }

  #write(block: Block, index: number): MatchChunk {
    const start = index === 0 ? 0 : (block.ends[index - 1] ?? 0);
    const end = block.ends[index] ?? 0;
    const received = this.#encodedTime(block.receivedAt(index));
    const chunk = this.#reserve(end - start + received.length + wrappingBytesMax);
    const { bytes } = chunk;
    bytes[chunk.length] = entriesTag;
    let at = this.#writeStart(block, index, {
      bytes,
      at: chunk.length + 1,
      rest: end - start + received.length,
    });
    // In the block the entry has a tag and its length before it as here; only the tag is another.
    bytes.set(block.bytes.subarray(start, end), at);
    bytes[at] = entryTag;
    at += end - start;
    bytes.set(received, at);
    chunk.length = at + received.length;
    chunk.count += 1;
    return chunk;
  }

  /** Writes a StoredEntry's length and id, and returns where they end. Behind them come `rest` bytes. */
  #writeStart(
    block: Block,
    index: number,
    { bytes, at, rest }: { bytes: Uint8Array; at: number; rest: number },
  ): number {
    for (;;) {
      // The length stands before the id, and both may have another length than those of the entry before: then once more.
      const idBytes = this.#idBytes;
      const idAt = writeVarint(bytes, at, 2 + idBytes + rest) + 2;
      const end = block.writeIdAt(index, bytes, idAt);
      this.#idBytes = end - idAt;
      if (this.#idBytes !== idBytes) continue;
      bytes[idAt - 2] = idTag;
      bytes[idAt - 1] = idBytes;
      return end;
    }
  }

  /** The chunk to write to, with room for so many bytes. */
  #reserve(bytes: number): MatchChunk {
    const open = this.#chunks.at(-1);
    if (open !== undefined && open.length + bytes <= open.bytes.length) return open;
    if (open !== undefined && open.length + bytes <= chunkBytesMax) {
      const larger = Buffer.allocUnsafeSlow(Math.min(chunkBytesMax, 2 * (open.length + bytes)));
      open.bytes.copy(larger, 0, 0, open.length);
      this.#observer?.grown(open, larger.length - open.bytes.length);
      open.bytes = larger;
      this.#capacityBytes = larger.length;
      return open;
    }
    const chunk = new MatchChunk(Math.max(this.#capacityBytes, bytes));
    this.#chunks.push(chunk);
    this.#observer?.grown(chunk, chunk.bytes.length);
    return chunk;
  }

  /** All entries of a commit were received at one time. */
  #encodedTime(receivedAt: bigint): Uint8Array {
    if (receivedAt !== this.#receivedAt) {
      this.#receivedAt = receivedAt;
      this.#receivedAtBytes = Uint8Array.from([receivedAtTag, ...bigVarint(receivedAt)]);
    }
    return this.#receivedAtBytes;
  }
}

function mark(chunk: MatchChunk, blockNumber: number, lastIndex: number): void {
  chunk.marks.push({ blockNumber, lastIndex, end: chunk.length, count: chunk.count });
}

/** The number of the last block that a chunk has entries of. */
function lastBlockOf(chunk: MatchChunk | undefined): number {
  return chunk?.marks.at(-1)?.blockNumber ?? 0;
}

/** The part of a chunk that is of the blocks `first` to `last`. */
function stretchOf({ bytes, marks }: MatchChunk, first: number, last: number): EncodedMatches | undefined {
  const before = marks[firstMarkFrom(marks, first) - 1];
  const final = marks[firstMarkFrom(marks, last + 1) - 1];
  if (final === undefined || final === before) return undefined;
  const { blockNumber, lastIndex } = final;
  const slice = bytes.subarray(before?.end ?? 0, final.end);
  return { slices: [slice], count: final.count - (before?.count ?? 0), blockNumber, lastIndex };
}

/** The place of the first mark whose block has this number or a higher one. */
function firstMarkFrom(marks: readonly Mark[], blockNumber: number): number {
  let low = 0;
  let high = marks.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((marks[middle]?.blockNumber ?? 0) < blockNumber) low = middle + 1;
    else high = middle;
  }
  return low;
}

function joined(left: EncodedMatches, right: EncodedMatches): EncodedMatches {
  return { ...right, slices: [...left.slices, ...right.slices], count: left.count + right.count };
}

function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let position = at;
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes[position++] = (rest & 0x7f) | 0x80;
  bytes[position++] = rest;
  return position;
}

function bigVarint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
}
