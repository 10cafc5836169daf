/**
 * The batches in a run of ShipLogs' frames: each frame is a WriteLogsRequest
 * (proto/logsvc/ingest.proto), of which only the entries' places are noted.
 *
 *   0A length LogEntry │ 0A length LogEntry │ … │ 12 length producer_id │ 18 varint first_sequence
 *
 * A request that is written otherwise, or is none, is decoded by protobuf, if
 * it has no more entries than it may have.
 */
import { toBinary } from "@bufbuild/protobuf";
import {
  type EncodedBatch,
  EncodedBatchSchema,
  frameHeaderBytes,
  frameOf,
  messageLengthAt,
  type WriteLogsResponse,
  WriteLogsResponseSchema,
} from "@logsvc/proto";
import type { ReceivedBatch } from "../ingest/ingest.ts";
import { decodeMessage } from "../ingest/intake.ts";
import { checkEntries } from "./entry-count.ts";
import { growRanges, rangesFor } from "./entry-frames.ts";

const tags = { entries: 0x0a, producerId: 0x12, firstSequence: 0x18 } as const;

/** What a varint here may have: lengths within a frame, sequences up to 2^53. */
const varintBytesMax = 8;

/**
 * Each batch of a run of whole frames.
 *
 * @throws RequestError `invalid`, after those before it: one is not protobuf;
 *   ConnectError ResourceExhausted likewise: it has too many entries to be decoded.
 */
export function* batchesIn(frames: Uint8Array): Generator<ReceivedBatch, void, undefined> {
  for (let at = 0; at < frames.length; ) {
    const from = at + frameHeaderBytes;
    at = from + messageLengthAt(frames, at);
    yield readBatch(frames, from, at) ?? decodeBatch(frames.subarray(from, at));
  }
}

function decodeBatch(message: Uint8Array): EncodedBatch {
  checkEntries(message, "binary");
  return decodeMessage(EncodedBatchSchema, message);
}

/** An answer as a frame. */
export function answerFrame(answer: WriteLogsResponse): Uint8Array {
  return frameOf(toBinary(WriteLogsResponseSchema, answer));
}

/** Undefined: it is not written as usual. */
function readBatch(bytes: Uint8Array, from: number, to: number): ReceivedBatch | undefined {
  const cursor = { at: from };
  let ranges = rangesFor(to - from);
  let count = 0;
  while (cursor.at < to && bytes[cursor.at] === tags.entries) {
    cursor.at += 1;
    const length = readVarint(bytes, cursor, to);
    const end = cursor.at + length;
    if (!(end <= to)) return undefined;
    if (2 * count === ranges.length) ranges = growRanges(ranges);
    ranges[2 * count] = cursor.at;
    ranges[2 * count + 1] = end;
    count += 1;
    cursor.at = end;
  }
  let producerId = "";
  if (cursor.at < to && bytes[cursor.at] === tags.producerId) {
    cursor.at += 1;
    const length = readVarint(bytes, cursor, to);
    const end = cursor.at + length;
    if (!(end <= to)) return undefined;
    const text = asciiText(bytes, cursor.at, end);
    if (text === undefined) return undefined;
    producerId = text;
    cursor.at = end;
  }
  let firstSequence = 0n;
  if (cursor.at < to && bytes[cursor.at] === tags.firstSequence) {
    cursor.at += 1;
    const sequence = readVarint(bytes, cursor, to);
    if (!(sequence <= Number.MAX_SAFE_INTEGER)) return undefined;
    firstSequence = BigInt(sequence);
  }
  if (cursor.at !== to) return undefined;
  return { bytes, count, ranges, producerId, firstSequence };
}

/** Undefined: not ASCII. */
function asciiText(bytes: Uint8Array, from: number, to: number): string | undefined {
  let bits = 0;
  for (let at = from; at < to; at++) bits |= bytes[at] ?? 0;
  return bits > 0x7f
    ? undefined
    : Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString("latin1");
}

/** NaN: too long, or broken off. */
function readVarint(bytes: Uint8Array, cursor: { at: number }, to: number): number {
  let value = 0;
  let scale = 1;
  for (let index = 0; index < varintBytesMax && cursor.at < to; index++) {
    const byte = bytes[cursor.at++] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
    scale *= 128;
  }
  return Number.NaN;
}
