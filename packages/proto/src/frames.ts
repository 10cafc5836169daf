/**
 * The framing of streams, and how a run of frames becomes one message and a
 * run of frames again.
 *
 *   frame      flags: 1 byte │ length: 4 bytes, big-endian │ message
 *
 * gRPC, gRPC-Web and Connect frame the messages of a stream alike. Flags are 0
 * for a plain message; 1 tells that the message is compressed, others mark the
 * end of a stream (Connect 2, gRPC-Web 128).
 *
 * Connect's cost is one of messages, not of bytes: 30 to 40 µs each. So on both
 * sides a run of frames is wrapped into one frame that holds a FrameRun
 * (proto/logsvc/internal/encoded.proto) before Connect sees it, and unwrapped
 * after Connect has written it. The bytes between client and server are the
 * same as ever:
 *
 *   on the wire          0 len message │ 0 len message │ 0 len message
 *   what Connect sees    0 len  0x0A varint [ 0 len message 0 len message 0 len message ]
 *                               └ field 1 of FrameRun, bytes
 *
 * Here are the pure parts, which client and server share.
 */

/** Bytes before each message of a stream. */
export const frameHeaderBytes = 5;

/** Flag of a frame whose message is compressed. */
export const compressedFlag = 1;

/** Tag of `FrameRun.frames`. */
const framesTag = 0x0a;

/** What a wrapped run takes besides its frames, at the most. */
export const wrapBytesMax = frameHeaderBytes + 1 + 5;

/** Writes a frame's header for a message of `length` bytes. */
export function writeFrameHeader(bytes: Uint8Array, at: number, flags: number, length: number): void {
  bytes[at] = flags;
  bytes[at + 1] = length >>> 24;
  bytes[at + 2] = length >>> 16;
  bytes[at + 3] = length >>> 8;
  bytes[at + 4] = length;
}

/** The length of the message whose frame begins at `at`. */
export function messageLengthAt(bytes: Uint8Array, at: number): number {
  const high = (bytes[at + 1] ?? 0) * 0x1000000;
  return high + (((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 8) | (bytes[at + 4] ?? 0));
}

/**
 * Wraps the frames at `from` … `to` in place: the wrapping is written before
 * them.
 *
 * @param from At least `wrapBytesMax`, all of which may be overwritten.
 * @param flags The outer frame's, for Connect to judge by.
 * @returns Where the wrapped frame begins; it ends at `to`.
 */
export function wrapInPlace(bytes: Uint8Array, from: number, to: number, flags = 0): number {
  let size = 1;
  for (let rest = to - from; rest > 0x7f; rest >>>= 7) size += 1;
  let at = from - size;
  for (let index = at, rest = to - from; index < from; index++, rest >>>= 7) {
    bytes[index] = index < from - 1 ? (rest & 0x7f) | 0x80 : rest;
  }
  bytes[--at] = framesTag;
  at -= frameHeaderBytes;
  writeFrameHeader(bytes, at, flags, to - at - frameHeaderBytes);
  return at;
}

/** The frames of a frame that holds an encoded FrameRun, as wrapInPlace and protobuf write it: a view. */
export function unwrapFrames(frame: Uint8Array): Uint8Array {
  let at = frameHeaderBytes;
  // A FrameRun without frames is empty.
  if (frame.length === at) return frame.subarray(at);
  if (frame[at] !== framesTag)
    throw new TypeError(`Expected a FrameRun, got a field with the tag ${frame[at]}`);
  at += 1;
  while ((frame[at] ?? 0) > 0x7f) at += 1;
  return frame.subarray(at + 1);
}
