/**
 * Where lines come from: a file or standard input, packed or not. What it is
 * packed with shows in its first bytes, whatever its name says:
 *
 *   1f 8b        gzip
 *   28 b5 2f fd  Zstandard
 *   ff fe        UTF-16, little-endian, as PowerShell writes
 *
 * A source is opened when it is read, so that whoever looks at the file before
 * that finds it untouched.
 */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline, Readable, type Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";

/** An open source of bytes. */
export interface LogSource {
  /** The file's name as given, or `stdin`. */
  readonly name: string;
  /** How many bytes the file has on disk; absent where that is not known. */
  readonly bytesTotal?: number;
  /** How many of those bytes were read so far. */
  readonly bytesRead: () => number;
  /** The unpacked bytes. Ends, without an error, when the signal aborts. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** What stands for standard input where a file is expected. */
export const standardInputName = "-";

/** A file that is not there, may not be read or is damaged. The message begins with its name. */
export class SourceError extends Error {
  override readonly name = "SourceError";

  constructor(source: string, cause: unknown) {
    super(`${source}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Enough for a few reads ahead of the unpacking, and small enough to show progress. */
const readBytes = 256 * 1024;

/** Unpacked at once: lines that come together are sent together. */
const unpackBytes = 256 * 1024;

/**
 * A file, or standard input for `-`. Reading stops when the signal aborts.
 *
 * @throws SourceError when there is no such file. Reading throws it too.
 */
export async function openSource(name: string, signal: AbortSignal): Promise<LogSource> {
  if (name === standardInputName) return createSource("stdin", () => process.stdin, signal);
  const status = await stat(name).catch((error: unknown) => {
    throw new SourceError(name, error);
  });
  if (status.isDirectory()) throw new SourceError(name, "expected a file, got a folder");
  const open = (): Readable => createReadStream(name, { highWaterMark: readBytes });
  return createSource(name, open, signal, status.isFile() ? status.size : undefined);
}

function createSource(
  name: string,
  open: () => Readable,
  signal: AbortSignal,
  bytesTotal?: number,
): LogSource {
  let bytesRead = 0;
  async function* read(): AsyncGenerator<Uint8Array, void, undefined> {
    if (signal.aborted) return;
    const stream = open();
    const stop = (): unknown => stream.destroy();
    signal.addEventListener("abort", stop, { once: true });
    try {
      for await (const chunk of stream) {
        bytesRead += chunk.length;
        yield chunk;
      }
    } catch (error) {
      // Being stopped looks like a premature close.
      if (!signal.aborted) throw error;
    } finally {
      signal.removeEventListener("abort", stop);
      stream.destroy();
    }
  }
  return {
    name,
    ...(bytesTotal === undefined ? {} : { bytesTotal }),
    bytesRead: () => bytesRead,
    chunks: naming(name, unpack(read(), signal)),
  };
}

/** Says which file it was that can't be read, or is damaged. */
async function* naming(name: string, chunks: AsyncIterable<Uint8Array>): Bytes {
  try {
    yield* chunks;
  } catch (error) {
    throw new SourceError(name, error);
  }
}

type Bytes = AsyncGenerator<Uint8Array, void, undefined>;

const zstdMagic = Buffer.of(0x28, 0xb5, 0x2f, 0xfd);

const packings: readonly {
  readonly magic: ArrayLike<number>;
  readonly unpack: (packed: Bytes) => AsyncIterable<Uint8Array>;
}[] = [
  { magic: [0x1f, 0x8b], unpack: (packed) => through(packed, createGunzip({ chunkSize: unpackBytes })) },
  { magic: zstdMagic, unpack: fromZstd },
  { magic: [0xff, 0xfe], unpack: fromUtf16 },
];

/** The bytes as they were before packing; as they are when they are not packed. */
export async function* unpack(packed: AsyncIterable<Uint8Array>, signal: AbortSignal): Bytes {
  const source = packed[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array(0);
  // Waits for more only while what came may still be the beginning of a magic
  // number: the first short line of a pipe must not wait for the second.
  while (packings.some(({ magic }) => head.length < magic.length && beginsWith(magic, head))) {
    const step = await source.next();
    if (step.done) break;
    head = Buffer.concat([head, step.value]);
  }
  const whole = prepend(head, { [Symbol.asyncIterator]: () => source });
  const packing = packings.find(({ magic }) => beginsWith(head, magic));
  try {
    yield* packing === undefined ? whole : packing.unpack(whole);
  } catch (error) {
    // Stopped in the middle, a packed stream misses its end.
    if (!signal.aborted) throw error;
  }
}

function beginsWith(bytes: ArrayLike<number>, beginning: ArrayLike<number>): boolean {
  return (
    bytes.length >= beginning.length && Array.from(beginning).every((byte, index) => bytes[index] === byte)
  );
}

async function* prepend(head: Uint8Array, rest: AsyncIterable<Uint8Array>): Bytes {
  if (head.length > 0) yield head;
  yield* rest;
}

function through(packed: Bytes, unpacker: Transform): AsyncIterable<Uint8Array> {
  // The error, if any, is thrown by whoever reads the unpacker.
  return pipeline(Readable.from(packed), unpacker, () => undefined);
}

/**
 * Zstandard, frame after frame, as `cat a.zst b.zst` makes them. Node's
 * decompressor drops without a word what follows a frame in the same chunk, but
 * goes on with the next chunk: so no chunk has a frame's beginning in its middle.
 */
async function* fromZstd(packed: Bytes): Bytes {
  let givenBytes = 0;
  async function* give(): Bytes {
    for await (const piece of cutBefore(packed, zstdMagic)) {
      givenBytes += piece.length;
      yield piece;
    }
  }
  const unpacker = createZstdDecompress({ chunkSize: unpackBytes });
  yield* through(give(), unpacker);
  if (unpacker.bytesWritten < givenBytes) throw new Error("what follows a Zstandard frame is not one");
}

/** The same bytes, with each occurrence of the mark at the beginning of a chunk. */
async function* cutBefore(chunks: Bytes, mark: Buffer): Bytes {
  let held: Uint8Array = new Uint8Array(0);
  for await (const chunk of chunks) {
    const bytes = Buffer.concat([held, chunk]);
    let start = 0;
    for (let at = bytes.indexOf(mark, 1); at !== -1; at = bytes.indexOf(mark, at + 1)) {
      yield bytes.subarray(start, at);
      start = at;
    }
    const end = bytes.length - heldLength(bytes, mark);
    if (end > start) yield bytes.subarray(start, end);
    held = bytes.subarray(end);
  }
  if (held.length > 0) yield held;
}

/** How many bytes at the end may be the beginning of a mark. */
function heldLength(bytes: Uint8Array, mark: Uint8Array): number {
  for (let length = Math.min(mark.length - 1, bytes.length); length > 0; length--) {
    if (beginsWith(mark, bytes.subarray(-length))) return length;
  }
  return 0;
}

async function* fromUtf16(packed: Bytes): Bytes {
  const decoder = new TextDecoder("utf-16le");
  const encoder = new TextEncoder();
  for await (const chunk of packed) yield encoder.encode(decoder.decode(chunk, { stream: true }));
  yield encoder.encode(decoder.decode());
}
