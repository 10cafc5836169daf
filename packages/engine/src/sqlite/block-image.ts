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
  /** When they were accepted, Unix nanoseconds. */
  readonly receivedAt: bigint;
  /** Bytes of its entries. */
  readonly rawBytes: number;
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

/** What is known of a block before it is filled in. */
export type BlockOutline = Omit<BlockImage, "buffer">;

/**
 * A block to be filled in.
 *
 * @param buffer To be used if it is large enough. Absent: a new one.
 */
export function createBlockImage(outline: BlockOutline, buffer?: ArrayBuffer): BlockImage {
  const { firstOffset, count, receivedAt, rawBytes } = outline;
  const bytes = count * fixedBytesPerEntry + rawBytes;
  const used = buffer !== undefined && buffer.byteLength >= bytes ? buffer : new ArrayBuffer(bytes);
  return { firstOffset, count, receivedAt, rawBytes, buffer: used };
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
