import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { openSource, unpack } from "./open-source.ts";

async function makeFile(t: TestContext, bytes: Uint8Array): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "logsvc-source-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "app.log");
  await writeFile(file, bytes);
  return file;
}

async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts).toString();
}

const never = new AbortController().signal;
const text = "first\nsecond é\n".repeat(1000);

test("a file is unpacked by its first bytes, whatever its name", async (t) => {
  const forms: Record<string, Uint8Array> = {
    plain: Buffer.from(text),
    gzip: gzipSync(text),
    "gzip, two members": Buffer.concat([gzipSync(text.slice(0, 100)), gzipSync(text.slice(100))]),
    zstd: zstdCompressSync(text),
    "zstd, two frames": Buffer.concat([
      zstdCompressSync(text.slice(0, 100)),
      zstdCompressSync(text.slice(100)),
    ]),
    "UTF-16": Buffer.from(`\uFEFF${text}`, "utf16le"),
  };
  for (const [form, bytes] of Object.entries(forms)) {
    const source = await openSource(await makeFile(t, bytes), never);
    assert.equal((await textOf(source.chunks)).replace("\uFEFF", ""), text, form);
    assert.equal(source.bytesRead(), bytes.length, form);
    assert.equal(source.bytesTotal, bytes.length, form);
  }
});

test("an empty file, a short one and a cut packed one", async (t) => {
  assert.equal(await textOf((await openSource(await makeFile(t, Buffer.alloc(0)), never)).chunks), "");
  assert.equal(await textOf((await openSource(await makeFile(t, Buffer.from("(")), never)).chunks), "(");
  const cut = await openSource(await makeFile(t, gzipSync(text).subarray(0, 40)), never);
  await assert.rejects(textOf(cut.chunks), /app\.log: unexpected end of file/);
  const followed = await openSource(
    await makeFile(t, Buffer.concat([zstdCompressSync(text), Buffer.from("x")])),
    never,
  );
  await assert.rejects(textOf(followed.chunks), /app\.log: what follows a Zstandard frame/);
});

test("what can't be read says so", async () => {
  await assert.rejects(openSource("/nowhere/at-all.log", never), /ENOENT/);
  await assert.rejects(openSource(tmpdir(), never), /expected a file, got a folder/);
});

test("the first short line does not wait for the second", async () => {
  async function* trickle(): AsyncGenerator<Uint8Array, void, undefined> {
    yield Buffer.from("a\n");
    await new Promise(() => undefined);
  }
  const chunks = unpack(trickle(), never)[Symbol.asyncIterator]();
  const first = await chunks.next();
  assert.equal(Buffer.from(first.value ?? []).toString(), "a\n");
});

test("stopping ends the reading without an error", async (t) => {
  const stop = new AbortController();
  const source = await openSource(await makeFile(t, gzipSync(Buffer.alloc(3_000_000, "x\n"))), stop.signal);
  const chunks = source.chunks[Symbol.asyncIterator]();
  await chunks.next();
  stop.abort();
  while (!(await chunks.next()).done);
});

test("frames are found however the chunks are cut", async () => {
  const packed = Buffer.concat(["a\n", "b\n", "c\n"].map((line) => zstdCompressSync(line)));
  for (let size = 1; size <= packed.length; size++) {
    async function* chunks(): AsyncGenerator<Uint8Array, void, undefined> {
      for (let start = 0; start < packed.length; start += size) yield packed.subarray(start, start + size);
    }
    assert.equal(await textOf(unpack(chunks(), never)), "a\nb\nc\n", `${size} bytes at once`);
  }
});

test("what can't be opened says so when it is read", async (t) => {
  const file = await makeFile(t, Buffer.from(text));
  const source = await openSource(file, never);
  await rm(file);
  // Nothing listens to an open file before it is read: its error must not end the process.
  await new Promise(setImmediate);
  await assert.rejects(textOf(source.chunks), { name: "SourceError", message: /app\.log: ENOENT/ });
});

test("members of gzip are found however the chunks are cut", async () => {
  const packed = Buffer.concat(["a\n", "", "b\n", "c\n"].map((line) => gzipSync(line)));
  for (let size = 1; size <= packed.length; size++) {
    async function* chunks(): AsyncGenerator<Uint8Array, void, undefined> {
      for (let start = 0; start < packed.length; start += size) yield packed.subarray(start, start + size);
    }
    assert.equal(await textOf(unpack(chunks(), never)), "a\nb\nc\n", `${size} bytes at once`);
  }
});
