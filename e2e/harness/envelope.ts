/**
 * The frame that gRPC, gRPC-Web and Connect share for the messages of a stream:
 *
 *   flags (1 byte) │ length (4 bytes, big-endian) │ payload
 *
 * Here by hand, for the clients that must be able to do it wrong.
 */

/** One message of a stream. */
export interface Envelope {
  readonly flags: number;
  readonly payload: Buffer;
}

/** Connect's flag of the last envelope, which carries the error as JSON. */
export const endStreamFlag = 0x02;

const headerBytes = 5;

/** Encodes an envelope; `length` may be a lie. */
export function encodeEnvelope(payload: Uint8Array, flags = 0, length = payload.length): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt8(flags, 0);
  header.writeUInt32BE(length, 1);
  return Buffer.concat([header, payload]);
}

/** The whole envelopes at the beginning of `bytes`. */
export function decodeEnvelopes(bytes: Buffer): Envelope[] {
  const envelopes: Envelope[] = [];
  let start = 0;
  while (bytes.length >= start + headerBytes) {
    const end = start + headerBytes + bytes.readUInt32BE(start + 1);
    if (bytes.length < end) break;
    envelopes.push({ flags: bytes.readUInt8(start), payload: bytes.subarray(start + headerBytes, end) });
    start = end;
  }
  return envelopes;
}
