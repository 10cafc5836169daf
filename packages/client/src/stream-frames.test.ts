import assert from "node:assert/strict";
import test from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import {
  EntryEncoder,
  frameHeaderBytes,
  LogEntrySchema,
  type LogResponse,
  LogResponseSchema,
  writeFrameHeader,
} from "@logsvc/proto";
import fc from "fast-check";
import { encodeFrame } from "./entry-encoding.ts";
import { decodeAnswers, decodeEntries, encodeAnswer } from "./stream-frames.ts";

function decodeAll(frames: Uint8Array): LogResponse[] {
  const answers: LogResponse[] = [];
  decodeAnswers(frames, (answer) => answers.push(answer));
  return answers;
}

function frame(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(frameHeaderBytes + message.length);
  writeFrameHeader(bytes, 0, 0, message.length);
  bytes.set(message, frameHeaderBytes);
  return bytes;
}

const answer = fc
  .record({
    accepted: fc.boolean(),
    id: fc.oneof(fc.string(), fc.string({ unit: "grapheme" })),
    reason: fc.oneof(fc.string(), fc.string({ unit: "grapheme", minLength: 100, maxLength: 200 })),
    retryable: fc.boolean(),
    duplicate: fc.boolean(),
    sequence: fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 2n ** 53n })),
  })
  .map((fields) => create(LogResponseSchema, fields));

test("answers out of frames are what protobuf reads", () => {
  fc.assert(
    fc.property(fc.array(answer), (answers) => {
      assert.deepEqual(decodeAll(Buffer.concat(answers.map(encodeAnswer))), answers);
    }),
  );
});

/** Bytes of which many are tags, lengths and varints that an answer might have. */
const nearly = fc.oneof(
  fc.uint8Array({ maxLength: 30 }),
  fc
    .array(fc.constantFrom(0x08, 0x12, 0x1a, 0x20, 0x28, 0x30, 0x32, 0x38, 0, 1, 2, 0x41, 0x7f, 0x80, 0xff), {
      maxLength: 24,
    })
    .map((bytes) => Uint8Array.from(bytes)),
);

test("whatever a frame holds, it is read or refused as protobuf does it", () => {
  fc.assert(
    fc.property(nearly, nearly, (message, next) => {
      // What follows must not be taken for a part of the message.
      const frames = Uint8Array.from(Buffer.concat([frame(message), frame(next)]));
      const [ours, theirs] = [
        outcome(() => decodeAll(frames)),
        outcome(() => [message, next].map((bytes) => fromBinary(LogResponseSchema, bytes))),
      ];
      if (theirs instanceof Error) {
        assert.ok(ours instanceof Error, `read, though protobuf says ${theirs.message}`);
        assert.equal(ours.message, `[internal] parse binary: ${theirs.message}`);
      } else {
        assert.deepEqual(ours, theirs);
      }
    }),
    { numRuns: 3_000 },
  );
});

function outcome(decode: () => LogResponse[]): Error | LogResponse[] {
  try {
    return decode();
  } catch (reason) {
    assert.ok(reason instanceof Error);
    return reason;
  }
}

test("answers before one that can't be read are handed out", () => {
  const frames = Buffer.concat([
    encodeAnswer(create(LogResponseSchema, { accepted: true, id: "a" })),
    frame(Uint8Array.of(0x12, 9, 65)),
  ]);
  const ids: string[] = [];
  assert.throws(() => decodeAnswers(frames, ({ id }) => ids.push(id)), { code: Code.Internal });
  assert.deepEqual(ids, ["a"]);
});

test("entries come out of their frames again", () => {
  const entries = ["a", "", "ä".repeat(200)].map((message) =>
    create(LogEntrySchema, { message, level: "warn" }),
  );
  const encoder = new EntryEncoder();
  for (const entry of entries) encodeFrame(encoder, entry);
  assert.deepEqual([...decodeEntries(encoder.view())], entries);
  assert.deepEqual(toBinary(LogEntrySchema, entries[0] ?? assert.fail()), encoder.view().slice(5, 5 + 9));
});
