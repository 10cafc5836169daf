/** Runs of frames, however the bytes are cut. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { FrameGatherer } from "./frame-gatherer.ts";
import { frameHeaderBytes, messageLengthAt, unwrapFrames, writeFrameHeader } from "./frames.ts";
import { FrameRunSchema } from "./gen/logsvc/internal/encoded_pb.ts";

const endFlag = 2;
const messageBytesMax = 1_000;

function gatherer(): FrameGatherer {
  const tooLarge = (messageBytes: number): Error => new RangeError(`${messageBytes} bytes`);
  return new FrameGatherer({ messageBytesMax, endFlag, tooLarge });
}

function frame(flags: number, message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(frameHeaderBytes + message.length);
  writeFrameHeader(bytes, 0, flags, message.length);
  bytes.set(message, frameHeaderBytes);
  return bytes;
}

/** Takes all that can be taken. */
function* takeAll(from: FrameGatherer): Generator<Uint8Array> {
  for (let taken = from.take(); taken !== undefined; taken = from.take()) yield taken;
}

/** Pushes bytes in chunks of these lengths, again and again, taking after each as a reader may. */
function pushInChunks(
  bytes: Uint8Array,
  lengths: readonly number[],
): { taken: Uint8Array[]; rest: Uint8Array } {
  const from = gatherer();
  const taken: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const length = lengths[turn % lengths.length] ?? 1;
    from.push(bytes.subarray(at, at + length));
    at += length;
    if (turn % 3 !== 0) taken.push(...takeAll(from));
  }
  taken.push(...takeAll(from));
  return { taken, rest: from.rest() };
}

/** What was taken, with its wrapping off. */
function unwrapped(taken: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(taken.map((bytes) => ((bytes[0] ?? 0) === 0 ? unwrapFrames(bytes) : bytes)));
}

test("whatever the chunks, the frames come out whole, in order and unchanged", () => {
  const messages = fc.array(fc.uint8Array({ maxLength: messageBytesMax, size: "max" }), { maxLength: 30 });
  const chunks = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(messages, chunks, fc.boolean(), (all, lengths, ends) => {
      const last = ends ? [frame(endFlag, Buffer.from("{}"))] : [];
      const bytes = Buffer.concat([...all.map((message) => frame(0, message)), ...last]);
      const { taken, rest } = pushInChunks(bytes, lengths);
      assert.equal(rest.length, 0);
      assert.deepEqual(Buffer.from(unwrapped(taken)), bytes);
      // What Connect sees are frames whose messages are FrameRuns.
      for (const each of taken.slice(0, taken.length - last.length)) {
        assert.equal(messageLengthAt(each, 0), each.length - frameHeaderBytes);
        const { frames } = fromBinary(FrameRunSchema, each.subarray(frameHeaderBytes));
        assert.deepEqual(frames, unwrapFrames(each));
      }
    }),
  );
});

test("what protobuf writes is unwrapped as well, also when it is nothing", () => {
  for (const length of [0, 1, 127, 128, 20_000]) {
    const frames = new Uint8Array(length).fill(7);
    const run = frame(0, toBinary(FrameRunSchema, create(FrameRunSchema, { frames })));
    assert.deepEqual(unwrapFrames(run), frames);
  }
});

test("a frame that breaks off is what is left", () => {
  const bytes = Buffer.concat([frame(0, Buffer.from("whole")), frame(0, Buffer.from("broken"))]);
  for (let cut = frameHeaderBytes + 5; cut < bytes.length; cut++) {
    const { taken, rest } = pushInChunks(bytes.subarray(0, cut), [3]);
    assert.deepEqual(Buffer.from(unwrapped(taken)).toString("latin1", frameHeaderBytes), "whole");
    assert.deepEqual(Buffer.from(rest), bytes.subarray(frameHeaderBytes + 5, cut));
  }
});

test("a message that is too long is refused by its header, after those before it", () => {
  const from = gatherer();
  const header = new Uint8Array(frameHeaderBytes);
  writeFrameHeader(header, 0, 0, messageBytesMax + 1);
  from.push(frame(0, Buffer.from("before")));
  from.push(header);
  assert.equal(unwrapFrames(from.take() ?? header).length, frameHeaderBytes + 6);
  assert.throws(() => from.take(), { message: "1001 bytes" });

  const allowed = gatherer();
  allowed.push(frame(0, new Uint8Array(messageBytesMax)));
  assert.equal(unwrapFrames(allowed.take() ?? header).length, frameHeaderBytes + messageBytesMax);
});

test("a compressed message is passed on by itself, as it is", () => {
  const compressed = frame(1, Buffer.from("compressed"));
  const { taken } = pushInChunks(Buffer.concat([frame(0, Buffer.from("before")), compressed]), [4]);
  assert.equal(taken.length, 2);
  assert.deepEqual(Buffer.from(taken[1] ?? []), Buffer.from(compressed));
});
