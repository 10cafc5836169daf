/**
 * The bytes of a followed file, from some place on, plain or packed.
 *
 * A plain file is read together with the last bytes that were read before. When
 * these are no longer there the file was truncated, or is another one, however
 * long it is by then; its length alone would not tell.
 */
import { type FileHandle, open } from "node:fs/promises";
import { unpack } from "../lines/open-source.ts";
import { fileKey } from "./find-files.ts";
import { beginsAs, endsAs, headBytesMax, type Print, printOf, tailBytesMax } from "./print.ts";

/** What a read brought. */
export type SourceRead =
  /** Bytes that follow those of the last read. Theirs until the next read. */
  | { readonly kind: "bytes"; readonly bytes: Buffer }
  /** Nothing more for now; in a packed file, for ever. */
  | { readonly kind: "end" }
  /** The file no longer holds what was read before. */
  | { readonly kind: "changed" };

/** An open file, read forward. */
export interface FileSource {
  /** Packed files and copies are read to their end and are done then. */
  readonly isPacked: boolean;
  /** Device and inode of what was opened, which need not be what the path led to before. */
  readonly key: string;
  /** The first bytes, at most `headBytesMax`, as far as they were there at the last look. */
  readonly head: Buffer;
  /** The last bytes before those that will be read next, at most `tailBytesMax`. */
  readonly before: Buffer;
  /** Reads at most so many bytes. */
  read(bytesMax: number): Promise<SourceRead>;
  /** Looks at the first bytes, so that a file that has to wait for another is known again. */
  look(): Promise<void>;
  close(): Promise<void>;
}

/** What is known of the contents that a source should go on with. */
export interface ReadPlace {
  readonly offset: number;
  readonly head: Print;
  readonly tail: Print;
}

/** The beginning of a log: nothing was read of it. */
export const noPrint: Print = printOf(new Uint8Array(0));

/** Read at once. */
export const readBytesMax = 256 * 1024;

/** A plain file at a place. Undefined when the file does not hold what was read before that place. */
export async function openPlain(path: string, place: ReadPlace): Promise<FileSource | undefined> {
  const handle = await open(path, "r");
  try {
    const before = await readFully(handle, Math.max(0, place.offset - tailBytesMax), place.offset);
    const head = await readFully(handle, 0, headBytesMax);
    const reaches = before.length === Math.min(place.offset, tailBytesMax);
    if (reaches && beginsAs(head, place.head) && endsAs(before, place.tail)) {
      return new PlainSource({ handle, head, key: await keyOf(handle) }, place.offset, before);
    }
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
  return undefined;
}

/** The first bytes of a plain file, at most `headBytesMax`. */
export async function readHead(path: string): Promise<Buffer> {
  await using handle = await open(path, "r");
  return await readFully(handle, 0, headBytesMax);
}

/** The bytes from `start` to `end`, fewer where the file ends before. */
async function readFully(handle: FileHandle, start: number, end: number): Promise<Buffer> {
  const buffer = Buffer.alloc(end - start);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, start + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

async function keyOf(handle: FileHandle): Promise<string> {
  return fileKey(await handle.stat({ bigint: true }));
}

interface OpenedFile {
  readonly handle: FileHandle;
  readonly head: Buffer;
  readonly key: string;
}

class PlainSource implements FileSource {
  readonly isPacked = false;
  readonly key: string;
  head: Buffer;
  readonly #handle: FileHandle;
  #offset: number;
  /** The last bytes that were read. */
  #before: Buffer;

  constructor({ handle, head, key }: OpenedFile, offset: number, before: Buffer) {
    this.#handle = handle;
    this.key = key;
    this.head = head;
    this.#offset = offset;
    this.#before = before;
  }

  get before(): Buffer {
    return this.#before;
  }

  async read(bytesMax: number): Promise<SourceRead> {
    const { length } = this.#before;
    const buffer = Buffer.allocUnsafe(length + bytesMax);
    const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, this.#offset - length);
    if (this.#offset === 0 && !beginsWith(buffer.subarray(0, bytesRead), this.head))
      return { kind: "changed" };
    if (bytesRead < length || !buffer.subarray(0, length).equals(this.#before)) return { kind: "changed" };
    if (bytesRead === length) return { kind: "end" };
    this.#offset += bytesRead - length;
    // A copy: the buffer is large, and these bytes may be kept for long.
    this.#before = Buffer.from(buffer.subarray(Math.max(0, bytesRead - tailBytesMax), bytesRead));
    return { kind: "bytes", bytes: buffer.subarray(length, bytesRead) };
  }

  async look(): Promise<void> {
    if (this.head.length === headBytesMax) return;
    const head = await readFully(this.#handle, 0, headBytesMax);
    if (beginsWith(head, this.head)) this.head = head;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** Whether bytes begin with others; those are the beginning of a file, of which a read may bring less. */
function beginsWith(bytes: Buffer, beginning: Buffer): boolean {
  const { length } = beginning;
  return bytes.length >= length && bytes.subarray(0, length).equals(beginning);
}

/** The unpacked bytes of a packed file at a place. Undefined when they are not those that were read before it. */
export async function openPacked(path: string, place: ReadPlace): Promise<FileSource | undefined> {
  const source = new PackedSource(path);
  const holds = await source.skip(place).catch(async (error: unknown) => {
    await source.close();
    throw error;
  });
  if (holds) return source;
  await source.close();
  return undefined;
}

/** The first unpacked bytes of a packed file. */
export async function readPackedHead(path: string): Promise<Buffer> {
  const source = new PackedSource(path);
  try {
    return await source.take(headBytesMax);
  } finally {
    await source.close();
  }
}

class PackedSource implements FileSource {
  readonly isPacked = true;
  key = "";
  head: Buffer = Buffer.alloc(0);
  before: Buffer = Buffer.alloc(0);
  readonly #stop = new AbortController();
  readonly #chunks: AsyncGenerator<Uint8Array, void, undefined>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(path: string) {
    this.#chunks = unpack(this.#readPacked(path), this.#stop.signal);
  }

  async read(bytesMax: number): Promise<SourceRead> {
    while (this.#rest.length === 0) {
      const step = await this.#chunks.next();
      if (step.done) return { kind: "end" };
      this.#rest = Buffer.from(step.value);
    }
    const bytes = this.#rest.subarray(0, bytesMax);
    this.#rest = this.#rest.subarray(bytes.length);
    return { kind: "bytes", bytes };
  }

  /** So many bytes, fewer at the end. */
  async take(bytesMax: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for (let left = bytesMax; left > 0; ) {
      const step = await this.read(left);
      if (step.kind !== "bytes") break;
      pieces.push(step.bytes);
      left -= step.bytes.length;
    }
    return Buffer.concat(pieces);
  }

  /** Reads up to the place and tells whether that was what was read before. */
  async skip({ offset, head, tail }: ReadPlace): Promise<boolean> {
    const begin = await this.take(headBytesMax);
    this.head = begin;
    if (!beginsAs(begin, head)) return false;
    let before = begin.subarray(0, offset);
    this.#rest = Buffer.concat([begin.subarray(before.length), this.#rest]);
    for (let left = offset - before.length; left > 0; ) {
      const step = await this.read(left);
      if (step.kind !== "bytes") return false;
      before = Buffer.concat([before, step.bytes]).subarray(-tailBytesMax);
      left -= step.bytes.length;
    }
    this.before = before.subarray(-tailBytesMax);
    return endsAs(before, tail);
  }

  async look(): Promise<void> {
    // It does not change any more.
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#chunks.return();
  }

  async *#readPacked(path: string): AsyncGenerator<Uint8Array, void, undefined> {
    await using handle = await open(path, "r");
    this.key = await keyOf(handle);
    while (!this.#stop.signal.aborted) {
      const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(readBytesMax), 0, readBytesMax);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  }
}

/** Whether bytes begin a gzip or Zstandard file: one that is packed is not written to any more. */
export function isPacked(head: Uint8Array): boolean {
  return (
    (head[0] === 0x1f && head[1] === 0x8b) ||
    (head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd)
  );
}
