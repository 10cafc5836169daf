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
import { create, fromBinary, isMessage, toBinary } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import {
  type EncodableEntry,
  EntryEncoder,
  type LogEntry,
  LogEntrySchema,
  limits,
  type WriteLogsRequest,
  WriteLogsRequestSchema,
} from "@logsvc/proto";
import { type LogEntryInit, toLogEntry, toWireTime } from "./log-entry-init.ts";

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

/** Tag of that field, whose items have a length. */
const entriesTag = (entriesField << 3) | WireType.LengthDelimited;

const sequenceMax = BigInt(limits.sequenceMax);

/**
 * Encodes entries, several times faster than as messages.
 *
 * @throws TypeError when a field has a value that can't be encoded.
 */
export function encodeEntries(entries: readonly LogEntryInit[]): EncodedEntries {
  try {
    return encodeAll(entries);
  } catch (reason) {
    throw unencodable(reason);
  }
}

/**
 * The entries of a batch, for `encodedRequest`.
 *
 * @throws RangeError when a timestamp or a sequence is not one; TypeError when
 *   another field has a value that can't be encoded.
 */
export function encodeBatch(entries: readonly LogEntryInit[]): Uint8Array {
  try {
    return encodeAll(entries).bytes;
  } catch (reason) {
    throw reason instanceof RangeError ? reason : unencodable(reason);
  }
}

/**
 * Writes an entry as a frame of StreamLogs; returns the length of its message.
 *
 * @throws As encodeBatch; then nothing was written.
 */
export function encodeFrame(encoder: EntryEncoder, entry: LogEntryInit): number {
  const start = encoder.beginFrame();
  try {
    writeEntry(encoder, entry);
  } catch (reason) {
    encoder.truncate(start);
    throw reason instanceof RangeError ? reason : unencodable(reason);
  }
  return encoder.endFrame(start);
}

/** What an entry has where it says nothing itself. */
export interface EntryDefaults {
  /** As it goes on the wire. */
  timestamp: bigint;
  readonly service: string;
  readonly attributes: Readonly<Record<string, string>> | undefined;
}

/**
 * Writes an entry beside those before it, as `encodeEntries` has them, without
 * a sequence: the batch says the first one's. Returns its length by itself.
 *
 * @throws As encodeBatch; then nothing was written.
 */
export function encodeItem(encoder: EntryEncoder, entry: LogEntryInit, defaults: EntryDefaults): number {
  const before = encoder.length;
  const start = encoder.beginItem(entriesTag);
  try {
    const sent = isMessage(entry, LogEntrySchema) ? entry.timestamp : toWireTime(entry.timestamp);
    const timestamp = sent === 0n ? defaults.timestamp : sent;
    item.level = entry.level;
    item.message = entry.message;
    item.service = entry.service || defaults.service;
    item.attributes = joinAttributes(defaults.attributes, entry.attributes);
    item.traceId = entry.traceId;
    item.spanId = entry.spanId;
    if (!encoder.writeEntry(item, timestamp)) {
      encoder.writeBytes(toBinary(LogEntrySchema, create(LogEntrySchema, plainFields(item, timestamp))));
    }
  } catch (reason) {
    encoder.truncate(before);
    throw reason instanceof RangeError ? reason : unencodable(reason);
  }
  return encoder.endItem(start);
}

/** One for all calls: a million objects a second would have to be collected. */
const item: { -readonly [Field in keyof EncodableEntry]: EncodableEntry[Field] } = { message: "" };

function joinAttributes(
  defaults: Readonly<Record<string, string>> | undefined,
  own: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> | undefined {
  if (defaults === undefined) return own;
  return own === undefined ? defaults : { ...defaults, ...own };
}

/** What is to be told apart by protobuf: values of another type than TypeScript says. */
function plainFields(
  { level, message, service, attributes, traceId, spanId }: EncodableEntry,
  timestamp: bigint,
) {
  const fields = { level, message, service, attributes: { ...attributes }, traceId, spanId };
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(given), timestamp };
}

/** Where each of some encoded entries ends; the bytes behind the last whole one are left out. */
export function* itemEnds(bytes: Uint8Array): Generator<number, void, undefined> {
  for (let at = 0; at < bytes.length; ) {
    const reader = new BinaryReader(bytes.subarray(at, at + itemHeaderBytesMax));
    try {
      reader.uint32();
      const length = reader.uint32();
      at += reader.pos + length;
    } catch {
      // Cut within the header: there is no whole item behind it.
      return;
    }
    if (at > bytes.length) return;
    yield at;
  }
}

/**
 * The encoded entry from `from`, where another ends, to `to`.
 *
 * @throws Error when it is none.
 */
export function decodeItem(bytes: Uint8Array, from: number, to: number): LogEntry {
  const reader = new BinaryReader(bytes.subarray(from, to));
  reader.uint32();
  return fromBinary(LogEntrySchema, reader.bytes());
}

/** A tag and a length. */
const itemHeaderBytesMax = 6;

function unencodable(cause: unknown): TypeError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new TypeError(`An entry can't be encoded: ${reason}`, { cause });
}

/**
 * Where batches are put together before each gets bytes of its own. A buffer
 * that grew anew for each would leave several times a batch in garbage, and V8
 * collects after so many bytes of it.
 */
const scratch = new EntryEncoder();

function encodeAll(entries: readonly LogEntryInit[]): EncodedEntries {
  const ends = new Uint32Array(entries.length);
  const lengths = new Uint32Array(entries.length);
  try {
    for (const [index, entry] of entries.entries()) {
      const start = scratch.beginItem(entriesTag);
      writeEntry(scratch, entry);
      lengths[index] = scratch.endItem(start);
      ends[index] = scratch.length;
    }
    return { bytes: scratch.view().slice(), ends, lengths };
  } finally {
    scratch.clear();
  }
}

function writeEntry(encoder: EntryEncoder, entry: LogEntryInit): void {
  if (!writePlain(encoder, entry)) encoder.writeBytes(toBinary(LogEntrySchema, toLogEntry(entry)));
}

/** Writes an entry that is what its type says: all of TypeScript, most of JavaScript. */
function writePlain(encoder: EntryEncoder, entry: LogEntryInit): boolean {
  if (isMessage(entry, LogEntrySchema)) {
    return entry.$unknown === undefined && encoder.writeEntry(entry, entry.timestamp);
  }
  const { sequence } = entry;
  if (sequence !== undefined && sequence > sequenceMax) return false;
  return encoder.writeEntry(entry, toWireTime(entry.timestamp));
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
