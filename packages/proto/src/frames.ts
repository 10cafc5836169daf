/**
 * The framing of streams, and how runs of frames pass beside Connect.
 *
 *   frame      flags: 1 byte │ length: 4 bytes, big-endian │ message
 *
 * gRPC, gRPC-Web and Connect frame the messages of a stream alike. Flags are 0
 * for a plain message; 1 tells that the message is compressed, others mark the
 * end of a stream (Connect 2, gRPC-Web 128).
 *
 * Connect's cost is one of messages, not of bytes: 30 to 40 µs each. So where a
 * stream's messages are many and short, client and server give Connect one
 * empty message for each run of them, and hand the run over beside it:
 *
 *   on the wire          0 len message │ 0 len message │ 0 len message │ 0 len me
 *   beside Connect       └──────────── a run of whole frames ──────────┘
 *   what Connect sees    0 0
 *
 * What it decides about its message (to deliver it, or to end the stream before
 * it) is decided about the run. No byte of a frame changes.
 */

/** Bytes before each message of a stream. */
export const frameHeaderBytes = 5;

/** Flag of a frame whose message is compressed. */
export const compressedFlag = 1;

/** Writes a frame's header for a message of `length` bytes. */
export function writeFrameHeader(bytes: Uint8Array, at: number, flags: number, length: number): void {
  bytes[at] = flags;
  bytes[at + 1] = length >>> 24;
  bytes[at + 2] = length >>> 16;
  bytes[at + 3] = length >>> 8;
  bytes[at + 4] = length;
}

/** A plain message as a frame. */
export function frameOf(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(frameHeaderBytes + message.length);
  writeFrameHeader(frame, 0, 0, message.length);
  frame.set(message, frameHeaderBytes);
  return frame;
}

/** The length of the message whose frame begins at `at`. */
export function messageLengthAt(bytes: Uint8Array, at: number): number {
  const high = (bytes[at + 1] ?? 0) * 0x1000000;
  return high + (((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 8) | (bytes[at + 4] ?? 0));
}

/** Runs of frames on their way past Connect, in one direction of one stream, in order. */
export class PassingRuns {
  #runs: Uint8Array[] = [];

  /** Hands a run over. Returns the frame for Connect to see. */
  pass(frames: Uint8Array): Uint8Array {
    this.#runs.push(frames);
    return new Uint8Array(frameHeaderBytes);
  }

  /** The run of the message that Connect has let through. To be called once for each. */
  receive(): Uint8Array {
    const frames = this.#runs.shift();
    if (frames === undefined) throw new Error("Connect brought a message that stands for no run");
    return frames;
  }
}
