/**
 * The answers of StreamLogs as bytes: a frame of LogResponse for each entry
 * (proto/logsvc/entry.proto), without an object for each.
 *
 *   accepted   08 01 │ 12 length id │ 28 01 when it is a duplicate │ 30 varint sequence, when it has one
 *   rejected   an encoded LogResponse; these are few
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { idBytesMax } from "@logsvc/engine";
import { frameHeaderBytes, LogResponseSchema, writeFrameHeader } from "@logsvc/proto";
import type { RunAnswers } from "../ingest/intake.ts";

/** Header, `accepted`, the id with tag and length, `duplicate`, and a sequence of 53 bits. */
const acceptedBytesMax = frameHeaderBytes + 2 + 2 + idBytesMax + 2 + 9;

/** Where runs of answers are written, one at a time: most need a third of what they might. */
let scratch = new Uint8Array(0);

/** The frames that answer a run, in its order. */
export function encodeAnswers(answers: RunAnswers): Uint8Array {
  const rejected = answers.rejections.map((rejection) => {
    const { reason, retryable, sequence } = rejection;
    return toBinary(LogResponseSchema, create(LogResponseSchema, { reason, retryable, sequence }));
  });
  const rejectedBytes = rejected.reduce((sum, { length }) => sum + frameHeaderBytes + length, 0);
  const accepted = answers.count - rejected.length;
  const bytesMax = accepted * acceptedBytesMax + rejectedBytes;
  if (scratch.length < bytesMax) scratch = new Uint8Array(bytesMax);
  const bytes = scratch;
  let at = 0;
  let rejections = 0;
  for (let index = 0; index < answers.count; index++) {
    const message = rejected[rejections];
    if (message !== undefined && answers.rejections[rejections]?.index === index) {
      rejections += 1;
      writeFrameHeader(bytes, at, 0, message.length);
      bytes.set(message, at + frameHeaderBytes);
      at += frameHeaderBytes + message.length;
    } else {
      at = writeAccepted(answers, index, index - rejections, bytes, at);
    }
  }
  return bytes.slice(0, at);
}

function writeAccepted(
  { result, sequences }: RunAnswers,
  index: number,
  stored: number,
  bytes: Uint8Array,
  start: number,
): number {
  let at = start + frameHeaderBytes;
  bytes[at++] = 0x08;
  bytes[at++] = 1;
  const idEnd = result.writeIdAt(stored, bytes, at + 2);
  if (idEnd > at + 2) {
    bytes[at] = 0x12;
    // An id has less than 128 bytes: its length is one of them.
    bytes[at + 1] = idEnd - at - 2;
    at = idEnd;
  }
  if (result.isDuplicate(stored)) {
    bytes[at++] = 0x28;
    bytes[at++] = 1;
  }
  const sequence = sequences?.[index] ?? 0;
  if (sequence !== 0) {
    bytes[at++] = 0x30;
    at = writeVarint(sequence, bytes, at);
  }
  writeFrameHeader(bytes, start, 0, at - start - frameHeaderBytes);
  return at;
}

function writeVarint(value: number, bytes: Uint8Array, start: number): number {
  let at = start;
  let rest = value;
  while (rest > 0x7f) {
    bytes[at++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  bytes[at++] = rest;
  return at;
}
