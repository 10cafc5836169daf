/**
 * A block between threads: one ArrayBuffer, so that handing it over is one
 * transfer, whatever its number of entries.
 *
 *   timestamps  8 × count │ ends  4 × count │ severities  count │ bytes  rawBytes
 */

/** A block as one buffer. */
export interface BlockImage {
  /** The offset of its first entry. */
  readonly firstOffset: number;
  /** How many entries it holds. */
  readonly count: number;
  /** When they were accepted, Unix nanoseconds. */
  readonly receivedAt: bigint;
  readonly buffer: ArrayBuffer;
}

/** The parts of a block's buffer, see EntryBatch. */
export interface BlockViews {
  readonly timestamps: BigInt64Array;
  readonly ends: Uint32Array;
  readonly severities: Uint8Array;
  readonly bytes: Uint8Array;
}

const fixedBytesPerEntry = 13;

/** A block to be filled in. */
export function createBlockImage(head: {
  readonly firstOffset: number;
  readonly count: number;
  readonly receivedAt: bigint;
  readonly rawBytes: number;
}): BlockImage {
  const { firstOffset, count, receivedAt, rawBytes } = head;
  return { firstOffset, count, receivedAt, buffer: new ArrayBuffer(count * fixedBytesPerEntry + rawBytes) };
}

/** The parts of a block. */
export function blockViews({ count, buffer }: BlockImage): BlockViews {
  return {
    timestamps: new BigInt64Array(buffer, 0, count),
    ends: new Uint32Array(buffer, count * 8, count),
    severities: new Uint8Array(buffer, count * 12, count),
    bytes: new Uint8Array(buffer, count * fixedBytesPerEntry),
  };
}
