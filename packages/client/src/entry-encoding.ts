/**
 * Entries as bytes before they are sent: whoever keeps batches until they are
 * acknowledged keeps bytes. They have an exact size, can't change meanwhile,
 * cost nothing to send again, and what can't be encoded is found at once.
 *
 *   0x0A, varint length, LogEntry │ 0x0A, varint length, LogEntry │ …
 *                                 ▲ ends[0]                       ▲ ends[1]
 *
 * This is field 1 of WriteLogsRequest, `repeated LogEntry entries`, and any
 * whole number of entries cut out of it is again.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import { type WriteLogsRequest, WriteLogsRequestSchema } from "@logsvc/proto";
import { type LogEntryInit, toLogEntry } from "./log-entry-init.ts";

/** Encoded entries, side by side. */
export interface EncodedEntries {
  readonly bytes: Uint8Array;
  /** Where each entry ends in `bytes`. */
  readonly ends: Uint32Array;
  /** How long each is by itself, without tag and length: what limits.entryBytesMax limits. */
  readonly lengths: Uint32Array;
}

/** Number of the field `entries` in WriteLogsRequest. */
const entriesField = 1;

/**
 * Encodes entries in one go, which is several times faster than one by one.
 *
 * @throws TypeError when a field has a value that can't be encoded.
 */
export function encodeEntries(entries: readonly LogEntryInit[]): EncodedEntries {
  const bytes = encode(entries);
  const ends = new Uint32Array(entries.length);
  const lengths = new Uint32Array(entries.length);
  let position = 0;
  for (let index = 0; index < entries.length; index++) {
    position++;
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[position++] ?? 0;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    position += length;
    ends[index] = position;
    lengths[index] = length;
  }
  return { bytes, ends, lengths };
}

function encode(entries: readonly LogEntryInit[]): Uint8Array {
  try {
    const request = create(WriteLogsRequestSchema, { entries: entries.map(toLogEntry) });
    return toBinary(WriteLogsRequestSchema, request);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TypeError(`An entry can't be encoded: ${reason}`, { cause });
  }
}

/**
 * A request whose entries are encoded already. Only for binary formats: JSON
 * does not write unknown fields.
 *
 * @param bytes Some of `EncodedEntries.bytes`, from an entry's beginning to an entry's end.
 */
export function encodedRequest(
  bytes: Uint8Array,
  producerId: string,
  firstSequence: number,
): WriteLogsRequest {
  const request = create(WriteLogsRequestSchema, { producerId, firstSequence: BigInt(firstSequence) });
  // An unknown field's bytes are written as they are, after its tag: so the
  // first entry's tag is left out, and the others' come along.
  const unknown = { no: entriesField, wireType: WireType.LengthDelimited, data: bytes.subarray(1) };
  if (bytes.length > 0) request.$unknown = [unknown];
  return request;
}
