/**
 * Gathers a stream's bytes, however they are cut, into runs of whole frames. It
 * copies each byte once, or twice, and looks at nothing but headers.
 *
 *   push(chunk) … push(chunk) ─▶ take(): the plain messages that are whole, as one run
 *                              ─▶ take(): a frame that is no plain message (compressed, a stream's end)
 *                              ─▶ rest(): at the end, what is no whole frame
 */
import { compressedFlag, frameHeaderBytes, messageLengthAt } from "./frames.ts";
import type { SpareBuffers } from "./spare-buffers.ts";

/** What a gatherer passes on. */
export interface GatheredFrames {
  /** Whole frames: any number of plain messages, or one of another kind. */
  readonly frames: Uint8Array;
  readonly arePlain: boolean;
}

/** Options of FrameGatherer. */
export interface FrameGathererOptions {
  /** A longer message is refused as soon as its header is here. */
  readonly messageBytesMax: number;
  /** The flag that marks a stream's last frame, which is passed on as it is: Connect 2, gRPC-Web 128, gRPC none: 0. */
  readonly endFlag: number;
  /** The error for a message of so many bytes, which is too long. */
  readonly tooLarge: (messageBytes: number) => Error;
  /** Where buffers come from that are worth using again. Absent: each is new. */
  readonly buffers?: SpareBuffers;
}

/** What is gathered before its reader should stop: some thousand short messages. */
const fullBytes = 256 * 1024;

/** A stream's first buffer: enough for who sends one message at a time. */
const smallBytes = 4 * 1024;

/** What a buffer of `buffers` should hold: enough for a run, and for what comes in the turn in which it is full. */
export const gatheringBytes: number = fullBytes + 64 * 1024;

/** For one direction of one stream. */
export class FrameGatherer {
  readonly #options: FrameGathererOptions;
  /** Empty when nothing is gathered: an idle stream holds no buffer. */
  #bytes: Uint8Array = new Uint8Array();
  /** Where in it what is gathered begins. */
  #from = 0;
  /** Where the first frame begins that is not whole, or not a plain message. */
  #next = 0;
  #end = 0;

  constructor(options: FrameGathererOptions) {
    this.#options = options;
  }

  /** Whether there is enough for a run: what comes now should wait where it is. */
  get isFull(): boolean {
    return this.#end - this.#from >= fullBytes;
  }

  /** Adds bytes as they come; they are copied. */
  push(chunk: Uint8Array): void {
    if (this.#end + chunk.length > this.#bytes.length) this.#makeRoom(chunk.length);
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
    this.#scan();
  }

  /**
   * What to pass on next; undefined: nothing before more is pushed. What was
   * passed on is not touched again before it is given back.
   *
   * @throws What `tooLarge` made, after everything before that message was taken.
   */
  take(): GatheredFrames | undefined {
    if (this.#next > this.#from) return { frames: this.#cut(this.#next), arePlain: true };
    if (this.#end - this.#from < frameHeaderBytes) return undefined;
    const length = messageLengthAt(this.#bytes, this.#from);
    if (length > this.#options.messageBytesMax) throw this.#options.tooLarge(length);
    const end = this.#from + frameHeaderBytes + length;
    if (end > this.#end || !this.#isSpecial(this.#bytes[this.#from] ?? 0)) return undefined;
    return { frames: this.#cut(end), arePlain: false };
  }

  /** Takes frames back that were passed on: nobody may use them any more. */
  giveBack(frames: Uint8Array): void {
    this.#options.buffers?.giveBack(frames.buffer);
  }

  /** What is left: nothing, or a frame that has broken off. */
  rest(): Uint8Array {
    return this.#bytes.subarray(this.#from, this.#end);
  }

  /** Moves over the plain messages that are whole. */
  #scan(): void {
    const { messageBytesMax } = this.#options;
    while (this.#end - this.#next >= frameHeaderBytes) {
      if (this.#isSpecial(this.#bytes[this.#next] ?? 0)) return;
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

  /**
   * Passes the bytes before `end` on. They or those behind them are copied,
   * whichever are fewer: however many pieces there are, each byte is copied
   * once more at the most.
   */
  #cut(end: number): Uint8Array {
    const from = this.#from;
    const bytes = this.#bytes;
    const restBytes = this.#end - end;
    if (end - from < restBytes) {
      this.#from = end;
    } else {
      this.#bytes = restBytes === 0 ? new Uint8Array() : this.#allocate(restBytes);
      this.#bytes.set(bytes.subarray(end, this.#end));
      this.#from = 0;
      this.#end = restBytes;
    }
    this.#next = this.#from;
    this.#scan();
    return bytes === this.#bytes ? bytes.slice(from, end) : bytes.subarray(from, end);
  }

  /** At least doubles the buffer, so that a long message is not copied again for each chunk of it. */
  #makeRoom(moreBytes: number): void {
    const outgrown = this.#bytes;
    const gathered = this.rest();
    this.#bytes = this.#allocate(Math.max(gathered.length + moreBytes, 2 * gathered.length));
    this.#bytes.set(gathered);
    this.#options.buffers?.giveBack(outgrown.buffer);
    this.#next -= this.#from;
    this.#end -= this.#from;
    this.#from = 0;
  }

  #allocate(bytes: number): Uint8Array {
    if (bytes <= smallBytes) return new Uint8Array(smallBytes);
    const { buffers } = this.#options;
    return buffers === undefined ? new Uint8Array(bytes) : buffers.take(bytes);
  }
}
