/**
 * Where lines come from: a file or standard input, packed or not. What it is
 * packed with shows in its first bytes, whatever its name says:
 *
 *   1f 8b        gzip
 *   28 b5 2f fd  Zstandard
 *   ff fe        UTF-16, little-endian, as PowerShell writes
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

/** Enough for a few reads ahead of the unpacking, and small enough to show progress. */
const readBytes = 256 * 1024;

/**
 * Opens a file, or standard input for `-`. Reading stops when the signal aborts.
 *
 * @throws Error of node:fs when the file can't be read.
 */
export async function openSource(name: string, signal: AbortSignal): Promise<LogSource> {
  if (name === standardInputName) return createSource("stdin", process.stdin, signal);
  const status = await stat(name);
  if (status.isDirectory()) throw new Error(`${name}: expected a file, got a folder`);
  const file = createReadStream(name, { highWaterMark: readBytes });
  return createSource(name, file, signal, status.isFile() ? status.size : undefined);
}

function createSource(name: string, stream: Readable, signal: AbortSignal, bytesTotal?: number): LogSource {
  let bytesRead = 0;
  async function* read(): AsyncGenerator<Uint8Array, void, undefined> {
    const stop = (): unknown => stream.destroy();
    signal.addEventListener("abort", stop, { once: true });
    try {
      if (signal.aborted) return;
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

/** Says which file it was that is damaged. */
async function* naming(name: string, chunks: AsyncIterable<Uint8Array>): Bytes {
  try {
    yield* chunks;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${name}: ${reason}`, { cause: error });
  }
}

type Bytes = AsyncGenerator<Uint8Array, void, undefined>;

const packings: readonly {
  readonly magic: readonly number[];
  readonly unpack: (packed: Bytes) => AsyncIterable<Uint8Array>;
}[] = [
  { magic: [0x1f, 0x8b], unpack: (packed) => through(packed, createGunzip()) },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], unpack: (packed) => through(packed, createZstdDecompress()) },
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

async function* fromUtf16(packed: Bytes): Bytes {
  const decoder = new TextDecoder("utf-16le");
  const encoder = new TextEncoder();
  for await (const chunk of packed) yield encoder.encode(decoder.decode(chunk, { stream: true }));
  yield encoder.encode(decoder.decode());
}
