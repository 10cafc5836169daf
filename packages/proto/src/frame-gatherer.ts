/**
 * Gathers a stream's bytes, however they are cut, into runs of whole frames,
 * each wrapped as one frame that holds a FrameRun (see frames.ts). It copies
 * each byte once and looks at nothing but headers.
 *
 *   push(chunk) … push(chunk) ─▶ take(): the frames that are whole, wrapped
 *                              ─▶ take(): a frame that is no plain message (compressed, a stream's end), as it is
 *                              ─▶ rest(): at the end, what is no whole frame
 */
import { compressedFlag, frameHeaderBytes, messageLengthAt, wrapBytesMax, wrapInPlace } from "./frames.ts";

/** Options of FrameGatherer. */
export interface FrameGathererOptions {
  /** A longer message is refused as soon as its header is here. */
  readonly messageBytesMax: number;
  /** The flag that marks a stream's last frame, which is passed on as it is: Connect 2, gRPC-Web 128, gRPC none: 0. */
  readonly endFlag: number;
  /** The error for a message of so many bytes, which is too long. */
  readonly tooLarge: (messageBytes: number) => Error;
}

/** What is gathered before its reader should stop: some thousand short messages. */
const fullBytes = 256 * 1024;

/** A new buffer's size, until it is known how much comes in a turn. */
const capacityBytesMin = 4 * 1024;

/** For one direction of one stream. */
export class FrameGatherer {
  readonly #options: FrameGathererOptions;
  #bytes = new Uint8Array(capacityBytesMin);
  /** Where the first byte begins that was not yet taken: before it is room for the wrapping. */
  #start = wrapBytesMax;
  /** Where the first frame begins that is not whole, or not a plain message. */
  #next = wrapBytesMax;
  #end = wrapBytesMax;

  constructor(options: FrameGathererOptions) {
    this.#options = options;
  }

  /** Whether there is enough for a run: what comes now should wait where it is. */
  get isFull(): boolean {
    return this.#end - this.#start >= fullBytes;
  }

  /** Adds bytes as they come; they are copied. */
  push(chunk: Uint8Array): void {
    const end = this.#end + chunk.length;
    if (end > this.#bytes.length) this.#grow(end);
    this.#bytes.set(chunk, this.#end);
    this.#end = end;
    this.#scan();
  }

  /**
   * What to pass on next; undefined: nothing before more is pushed. Bytes that
   * were passed on are not touched again.
   *
   * @throws What `tooLarge` made, after everything before that message was taken.
   */
  take(): Uint8Array | undefined {
    if (this.#next > this.#start) {
      const run = this.#bytes.subarray(wrapInPlace(this.#bytes, this.#start, this.#next), this.#next);
      this.#moveTo(this.#next);
      return run;
    }
    return this.#takeSpecial();
  }

  /** What is left: nothing, or a frame that has broken off. */
  rest(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  /** A frame that is not a plain message, or too long, if one begins here. */
  #takeSpecial(): Uint8Array | undefined {
    const at = this.#start;
    if (this.#end - at < frameHeaderBytes) return undefined;
    const flags = this.#bytes[at] ?? 0;
    const length = messageLengthAt(this.#bytes, at);
    if (length > this.#options.messageBytesMax) throw this.#options.tooLarge(length);
    const end = at + frameHeaderBytes + length;
    if (end > this.#end || !this.#isSpecial(flags)) return undefined;
    const frame = this.#bytes.subarray(at, end);
    this.#moveTo(end);
    return frame;
  }

  /** Moves over the plain messages that are whole. */
  #scan(): void {
    const { messageBytesMax } = this.#options;
    while (this.#end - this.#next >= frameHeaderBytes) {
      const flags = this.#bytes[this.#next] ?? 0;
      if (this.#isSpecial(flags)) return;
      const length = messageLengthAt(this.#bytes, this.#next);
      const end = this.#next + frameHeaderBytes + length;
      if (length > messageBytesMax || end > this.#end) return;
      this.#next = end;
    }
  }

  /** Whether a frame is none of a plain message: Connect must see it as it is. */
  #isSpecial(flags: number): boolean {
    return (flags & (compressedFlag | this.#options.endFlag)) !== 0;
  }

  /** Goes on in a buffer of its own: what is passed on is its receiver's. */
  #moveTo(start: number): void {
    const rest = this.#bytes.subarray(start, this.#end);
    const capacity = Math.max(
      capacityBytesMin,
      Math.min(this.#end - this.#start, fullBytes),
      2 * rest.length,
    );
    this.#bytes = new Uint8Array(wrapBytesMax + capacity);
    this.#bytes.set(rest, wrapBytesMax);
    this.#start = wrapBytesMax;
    this.#next = wrapBytesMax;
    this.#end = wrapBytesMax + rest.length;
    this.#scan();
  }

  #grow(bytes: number): void {
    const grown = new Uint8Array(Math.max(bytes, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(this.#start, this.#end), this.#start);
    this.#bytes = grown;
  }
}
