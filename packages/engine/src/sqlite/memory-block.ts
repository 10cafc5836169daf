/** A block in the main thread's memory: what readers of the log get. */
import { fromBinary } from "@bufbuild/protobuf";
import type { FilterableEntry } from "@logsvc/filter";
import { type LogEntry, LogEntrySchema } from "@logsvc/proto";
import type { Block } from "../engine.ts";
import { entryBytesAt, startIn } from "../entry-bytes.ts";
import { type BlockImage, blockViews, type ReceivedRuns, receivedAtOf } from "./block-image.ts";
import { EntryView } from "./entry-view.ts";
import type { Positions } from "./positions.ts";

/** What a block takes besides its buffer: its views and the object itself, measured at about 700 bytes, and its EntryView. */
const overheadBytes = 1536;

/** Of a run of entries that were accepted at one time: see ReceivedRuns. */
const runBytes = 12;

/** An immutable block, made of what another thread has handed over. */
export class MemoryBlock implements Block {
  readonly headNumber?: number;
  readonly firstOffset: number;
  readonly count: number;
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
  readonly timestamps: BigInt64Array;
  readonly severities: Uint8Array;
  /** What the block takes in memory, decoded entries not counted. */
  readonly memoryBytes: number;
  readonly #receivedAt: bigint;
  readonly #received: ReceivedRuns | undefined;
  readonly #positions: Positions;
  #decoded: (LogEntry | undefined)[] = [];
  /** Blocks that are shared do. A reader who is behind looks at each entry once, and may hold the block for long. */
  #keepsDecoded: boolean;
  #view: EntryView | undefined;

  /** @param headNumber See Block; absent for a block that was loaded for a reader who is behind. */
  constructor(image: BlockImage, positions: Positions, headNumber?: number) {
    if (headNumber !== undefined) this.headNumber = headNumber;
    const { timestamps, ends, severities, bytes } = blockViews(image);
    this.firstOffset = image.firstOffset;
    this.count = image.count;
    this.timestamps = timestamps;
    this.ends = ends;
    this.severities = severities;
    this.bytes = bytes;
    this.memoryBytes =
      image.buffer.byteLength + (image.received?.ends.length ?? 0) * runBytes + overheadBytes;
    this.#keepsDecoded = headNumber !== undefined;
    this.#receivedAt = image.receivedAt;
    this.#received = image.received;
    this.#positions = positions;
  }

  /** The offset of the last entry. */
  get lastOffset(): number {
    return this.firstOffset + this.count - 1;
  }

  receivedAt(index: number): bigint {
    this.#offsetAt(index);
    return this.#received === undefined ? this.#receivedAt : receivedAtOf(this.#received, index);
  }

  idAt(index: number): string {
    return this.#positions.id(this.#offsetAt(index));
  }

  writeIdAt(index: number, into: Uint8Array, at: number): number {
    return this.#positions.writeId(this.#offsetAt(index), into, at);
  }

  cursorAt(index: number): string {
    return this.#positions.cursor(this.#offsetAt(index));
  }

  entryAt(index: number): LogEntry {
    const known = this.#decoded[index];
    if (known !== undefined) return known;
    const entry = fromBinary(LogEntrySchema, entryBytesAt(this, index));
    if (this.#keepsDecoded) this.#decoded[index] = entry;
    return entry;
  }

  viewAt(index: number): FilterableEntry {
    this.#offsetAt(index);
    this.#view ??= new EntryView(this.bytes, this.#keepsDecoded);
    return this.#view.moveTo(startIn(this.ends, index), this.ends[index] ?? 0, this.severities[index]);
  }

  /** Lets go of decoded entries, and keeps none from now on: they take several times the block's bytes. */
  forgetDecoded(): void {
    this.#decoded = [];
    this.#keepsDecoded = false;
    this.#view = undefined;
  }

  #offsetAt(index: number): number {
    if (index >= 0 && index < this.count) return this.firstOffset + index;
    throw new RangeError(`entry ${index} of a block of ${this.count}`);
  }
}
