/**
 * The messages of StreamLogs out of runs of whole frames, and into them.
 *
 * Answers come by the hundred thousand a second, so a LogResponse is read by
 * hand where it is as servers write it, and else by protobuf.
 */
import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  frameHeaderBytes,
  frameOf,
  type LogEntry,
  LogEntrySchema,
  type LogResponse,
  LogResponseSchema,
  messageLengthAt,
} from "@logsvc/proto";

/**
 * Calls back with each answer of a run of whole frames, in order.
 *
 * @throws ConnectError Internal when one is not a LogResponse, after those before it; what `take` throws.
 */
export function decodeAnswers(frames: Uint8Array, take: (answer: LogResponse) => void): void {
  for (let at = 0; at < frames.length; ) {
    const from = at + frameHeaderBytes;
    at = from + messageLengthAt(frames, at);
    take(readPlain(frames, from, at) ?? parseAnswer(LogResponseSchema, frames.subarray(from, at)));
  }
}

/** The entries of a run of whole frames, for who sends messages and not frames. */
export function* decodeEntries(frames: Uint8Array): Generator<LogEntry, void, undefined> {
  for (let at = 0; at < frames.length; ) {
    const from = at + frameHeaderBytes;
    at = from + messageLengthAt(frames, at);
    yield fromBinary(LogEntrySchema, frames.subarray(from, at));
  }
}

/** An answer as a frame, for who receives messages and not frames. */
export function encodeAnswer(answer: LogResponse): Uint8Array {
  return frameOf(toBinary(LogResponseSchema, answer));
}

/**
 * A message of the server's.
 *
 * @throws ConnectError Internal, in Connect's words, as it would refuse the message itself.
 */
export function parseAnswer<Desc extends DescMessage>(schema: Desc, message: Uint8Array): MessageShape<Desc> {
  try {
    return fromBinary(schema, message);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConnectError(`parse binary: ${reason}`, Code.Internal, undefined, undefined, cause);
  }
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The answer, when all its fields are known, its lengths have one byte and its texts are ASCII. */
function readPlain(bytes: Uint8Array, from: number, to: number): LogResponse | undefined {
  let accepted = false;
  let id = "";
  let reason = "";
  let retryable = false;
  let duplicate = false;
  let sequence = 0n;
  let at = from;
  while (at < to) {
    const tag = bytes[at++];
    if (tag === 0x12 || tag === 0x1a) {
      const start = at + 1;
      at = start + (bytes[at] ?? 0);
      const text = at > to || at - start > 0x7f ? undefined : readAscii(bytes, start, at);
      if (text === undefined) return undefined;
      if (tag === 0x12) id = text;
      else reason = text;
      continue;
    }
    const end = varintEnd(bytes, at);
    const value = readVarint(bytes, at, end);
    at = end;
    if (tag === 0x30 && value <= Number.MAX_SAFE_INTEGER) sequence = BigInt(value);
    else if (value > 1) return undefined;
    else if (tag === 0x08) accepted = value === 1;
    else if (tag === 0x20) retryable = value === 1;
    else if (tag === 0x28) duplicate = value === 1;
    else return undefined;
  }
  if (at !== to) return undefined;
  return { $typeName: "logsvc.LogResponse", accepted, id, reason, retryable, duplicate, sequence };
}

function readAscii(bytes: Uint8Array, from: number, to: number): string | undefined {
  for (let at = from; at < to; at++) if ((bytes[at] ?? 0) > 0x7f) return undefined;
  return decoder.decode(bytes.subarray(from, to));
}

/** Past this a varint may have more than 53 bits, or not end at all. */
const varintBytesMax = 8;

function varintEnd(bytes: Uint8Array, from: number): number {
  let end = from + 1;
  while ((bytes[end - 1] ?? 0) > 0x7f && end - from <= varintBytesMax) end += 1;
  return end;
}

function readVarint(bytes: Uint8Array, from: number, end: number): number {
  let value = (bytes[end - 1] ?? 0) > 0x7f ? Number.POSITIVE_INFINITY : 0;
  for (let at = end - 1; at >= from; at--) value = value * 0x80 + ((bytes[at] ?? 0) & 0x7f);
  return value;
}
