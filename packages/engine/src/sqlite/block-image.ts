/**
 * A block between threads: one ArrayBuffer, so that handing it over is one
 * transfer, whatever its number of entries.
 *
 *   timestamps  8 × count │ ends  4 × count │ severities  count │ bytes  rawBytes │ unused
 */

/** A block as one buffer. */
export interface BlockImage {
  /** The offset of its first entry. */
  readonly firstOffset: number;
  /** How many entries it holds. */
  readonly count: number;
  /** When the newest of them was accepted, Unix nanoseconds. */
  readonly receivedAt: bigint;
  /** When each was accepted, where that differs. Absent: all at `receivedAt`. */
  readonly received?: ReceivedRuns;
  /** Bytes of its entries. */
  readonly rawBytes: number;
  readonly buffer: ArrayBuffer;
}

/** Runs of entries that were accepted at the same time, in the order of the entries. */
export interface ReceivedRuns {
  /** The index behind each run's last entry. */
  readonly ends: Uint32Array;
  /** When each run was accepted, Unix nanoseconds. */
  readonly times: BigInt64Array;
}

/** The parts of a block's buffer, see EntryBatch. */
export interface BlockViews {
  readonly timestamps: BigInt64Array;
  readonly ends: Uint32Array;
  readonly severities: Uint8Array;
  readonly bytes: Uint8Array;
}

const fixedBytesPerEntry = 13;

/** What is known of a block before it is filled in. */
export type BlockOutline = Omit<BlockImage, "buffer">;

/**
 * A block to be filled in.
 *
 * @param buffer To be used if it is large enough. Absent: a new one.
 */
export function createBlockImage(outline: BlockOutline, buffer?: ArrayBuffer): BlockImage {
  const { firstOffset, count, receivedAt, received, rawBytes } = outline;
  const bytes = count * fixedBytesPerEntry + rawBytes;
  const used = buffer !== undefined && buffer.byteLength >= bytes ? buffer : new ArrayBuffer(bytes);
  const image = { firstOffset, count, receivedAt, rawBytes, buffer: used };
  return received === undefined ? image : { ...image, received };
}

/** When entry `index` was accepted. */
export function receivedAtOf(runs: ReceivedRuns, index: number): bigint {
  // The first run that ends behind the entry, by halving: a block may have a run an entry.
  let low = 0;
  let high = runs.ends.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((runs.ends[middle] ?? 0) > index) high = middle;
    else low = middle + 1;
  }
  return runs.times[low] ?? 0n;
}

/** The parts of a block. */
export function blockViews({ count, rawBytes, buffer }: BlockImage): BlockViews {
  return {
    timestamps: new BigInt64Array(buffer, 0, count),
    ends: new Uint32Array(buffer, count * 8, count),
    severities: new Uint8Array(buffer, count * 12, count),
    bytes: new Uint8Array(buffer, count * fixedBytesPerEntry, rawBytes),
  };
}
