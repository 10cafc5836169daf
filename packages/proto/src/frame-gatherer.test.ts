/** Runs of frames, however the bytes are cut. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FrameGatherer, type GatheredFrames } from "./frame-gatherer.ts";
import { frameHeaderBytes, PassingRuns, writeFrameHeader } from "./frames.ts";
import { SpareBuffers } from "./spare-buffers.ts";

const endFlag = 2;
const messageBytesMax = 1_000;

function gatherer(buffers?: SpareBuffers): FrameGatherer {
  const tooLarge = (messageBytes: number): Error => new RangeError(`${messageBytes} bytes`);
  return new FrameGatherer({ messageBytesMax, endFlag, tooLarge, ...(buffers && { buffers }) });
}

function frame(flags: number, message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(frameHeaderBytes + message.length);
  writeFrameHeader(bytes, 0, flags, message.length);
  bytes.set(message, frameHeaderBytes);
  return bytes;
}

/** Takes all that can be taken. */
function* takeAll(from: FrameGatherer): Generator<GatheredFrames> {
  for (let taken = from.take(); taken !== undefined; taken = from.take()) yield taken;
}

/** Takes all, giving each back as a reader does who is done with it. */
function* copyAll(from: FrameGatherer): Generator<GatheredFrames> {
  for (const { frames, arePlain } of takeAll(from)) {
    yield { frames: frames.slice(), arePlain };
    from.giveBack(frames.fill(0xee));
  }
}

/** Pushes bytes in chunks of these lengths, again and again, taking after each as a reader may. */
function pushInChunks(
  bytes: Uint8Array,
  lengths: readonly number[],
): { taken: GatheredFrames[]; rest: Uint8Array } {
  const from = gatherer(new SpareBuffers(8 * 1024, 2));
  const taken: GatheredFrames[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const length = lengths[turn % lengths.length] ?? 1;
    from.push(bytes.subarray(at, at + length));
    at += length;
    if (turn % 3 !== 0) taken.push(...copyAll(from));
  }
  taken.push(...copyAll(from));
  return { taken, rest: from.rest() };
}

const joined = (taken: readonly GatheredFrames[]): Buffer => Buffer.concat(taken.map(({ frames }) => frames));

test("whatever the chunks, the frames come out whole, in order and unchanged", () => {
  const messages = fc.array(fc.uint8Array({ maxLength: messageBytesMax, size: "max" }), { maxLength: 30 });
  const chunks = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(messages, chunks, fc.boolean(), (all, lengths, ends) => {
      const last = ends ? [frame(endFlag, Buffer.from("{}"))] : [];
      const bytes = Buffer.concat([...all.map((message) => frame(0, message)), ...last]);
      const { taken, rest } = pushInChunks(bytes, lengths);
      assert.equal(rest.length, 0);
      assert.deepEqual(joined(taken), bytes);
      assert.equal(taken.filter(({ arePlain }) => !arePlain).length, last.length);
      assert.equal(taken.at(-1)?.arePlain ?? true, !ends);
    }),
  );
});

test("runs pass in order, and none is made up", () => {
  const runs = new PassingRuns();
  for (const byte of [1, 2]) assert.deepEqual(runs.pass(Uint8Array.of(byte)), new Uint8Array(5));
  assert.deepEqual([runs.receive(), runs.receive()], [Uint8Array.of(1), Uint8Array.of(2)]);
  assert.throws(() => runs.receive(), /no run/);
});

test("spare buffers are of one size, bounded, and used again", () => {
  const buffers = new SpareBuffers(100, 1);
  const [one, two] = [buffers.take(10), buffers.take(100)];
  assert.deepEqual([one.length, two.length, buffers.take(101).length], [100, 100, 101]);
  buffers.giveBack(new ArrayBuffer(99));
  buffers.giveBack(one.buffer);
  buffers.giveBack(two.buffer);
  assert.equal(buffers.take(1).buffer, one.buffer);
  assert.notEqual(buffers.take(1).buffer, two.buffer);
});

test("a frame that breaks off is what is left", () => {
  const bytes = Buffer.concat([frame(0, Buffer.from("whole")), frame(0, Buffer.from("broken"))]);
  for (let cut = frameHeaderBytes + 5; cut < bytes.length; cut++) {
    const { taken, rest } = pushInChunks(bytes.subarray(0, cut), [3]);
    assert.deepEqual(joined(taken).toString("latin1", frameHeaderBytes), "whole");
    assert.deepEqual(Buffer.from(rest), bytes.subarray(frameHeaderBytes + 5, cut));
  }
});

test("a message that is too long is refused by its header, after those before it", () => {
  const from = gatherer();
  const header = new Uint8Array(frameHeaderBytes);
  writeFrameHeader(header, 0, 0, messageBytesMax + 1);
  from.push(frame(0, Buffer.from("before")));
  from.push(header);
  assert.equal(from.take()?.frames.length, frameHeaderBytes + 6);
  assert.throws(() => from.take(), { message: "1001 bytes" });

  const allowed = gatherer();
  allowed.push(frame(0, new Uint8Array(messageBytesMax)));
  assert.equal(allowed.take()?.frames.length, frameHeaderBytes + messageBytesMax);
});

test("a compressed message is passed on by itself, as it is", () => {
  const compressed = frame(1, Buffer.from("compressed"));
  const { taken } = pushInChunks(Buffer.concat([frame(0, Buffer.from("before")), compressed]), [4]);
  assert.equal(taken.length, 2);
  assert.deepEqual(taken[1], { frames: compressed, arePlain: false });
});

/** How many bytes of buffers a task takes from `buffers` that are new. */
function bytesTaken(task: (buffers: SpareBuffers) => void): number {
  let taken = 0;
  class CountingBuffers extends SpareBuffers {
    override take(bytes: number): Uint8Array<ArrayBuffer> {
      const buffer = super.take(bytes);
      taken += buffer.length;
      return buffer;
    }
  }
  task(new CountingBuffers(8 * 1024, 0));
  return taken;
}

test("frames that alternate in kind cost no more than their bytes", () => {
  const pair = Buffer.concat([frame(endFlag, new Uint8Array()), frame(0, new Uint8Array())]);
  const bytes = Buffer.alloc(pair.length * 10_000, pair);
  const taken = bytesTaken((buffers) => {
    const from = gatherer(buffers);
    from.push(bytes);
    assert.equal([...takeAll(from)].length, 20_000);
    assert.equal(from.rest().length, 0);
  });
  assert(taken < 4 * bytes.length, `${taken} bytes of buffers for ${bytes.length}`);
});

test("a long message in short chunks costs no more than its bytes, few times", () => {
  const message = frame(0, new Uint8Array(1024 * 1024));
  const taken = bytesTaken((buffers) => {
    const from = new FrameGatherer({
      messageBytesMax: message.length,
      endFlag,
      tooLarge: () => new RangeError("too large"),
      buffers,
    });
    for (let at = 0; at < message.length; at += 1_000) from.push(message.subarray(at, at + 1_000));
    assert.equal(from.take()?.frames.length, message.length);
  });
  assert(taken < 4 * message.length, `${taken} bytes of buffers for ${message.length}`);
});

test("messages that end in the next chunk never make the buffer grow", () => {
  const from = new FrameGatherer({
    messageBytesMax: 10_000,
    endFlag,
    tooLarge: () => new RangeError("too large"),
  });
  const message = frame(0, new Uint8Array(10_000));
  const run = Buffer.concat([message, message]);
  from.push(run.subarray(0, 15_000));
  for (let turn = 0; turn < 30; turn++) {
    const taken = from.take()?.frames;
    assert((taken?.buffer.byteLength ?? 0) <= 64 * 1024, `turn ${turn}`);
    from.push(run.subarray(15_000 - 10_005));
    from.push(run.subarray(0, 15_000 - 10_005));
  }
});
