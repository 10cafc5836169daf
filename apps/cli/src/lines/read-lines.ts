/**
 * Cuts a stream of bytes into lines, whatever the bytes are:
 * - lines end with LF or CRLF, the last one also without;
 * - bytes that are not UTF-8 are replaced by U+FFFD; NUL and other control
 *   characters stay as they are; a byte order mark at the start is dropped;
 * - a line longer than the bound is cut into parts, so that memory is bounded
 *   whatever comes, and nothing is lost: each part says which it is.
 *
 * Where a line is cut depends on its bytes alone, not on the chunks in which
 * they come, and each line says where it ends. So who reads a file again from
 * such a place finds the same lines again: `ship --follow` counts on it.
 */
import { isUtf8 } from "node:buffer";

/** A line, without its end. */
export interface Line {
  readonly text: string;
  /** Which part of an overlong line this is, from 1; absent: a whole line. */
  readonly part?: number;
  /** Where the next line begins: bytes from the beginning of the source. */
  readonly end: number;
}

/** Options of readLines. */
export interface ReadLinesOptions {
  /** A line, or part of one, at the most, in bytes of UTF-8. At least 4, the longest character. */
  readonly lineBytesMax: number;
  /** Where the source begins, in bytes, when it is the rest of one. Default: 0. */
  readonly start?: number;
}

/** The lines of a source; those that came together are yielded together. */
export async function* readLines(
  source: AsyncIterable<Uint8Array>,
  options: ReadLinesOptions,
): AsyncGenerator<Line[], void, undefined> {
  const cutter = new LineCutter(options);
  for await (const chunk of source) {
    const lines = cutter.push(chunk);
    if (lines.length > 0) yield lines;
  }
  const lines = cutter.end();
  if (lines.length > 0) yield lines;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const byteOrderMark = "\uFEFF";

/** Cuts what it is given into lines; `readLines` for who has an iterable. */
export class LineCutter {
  readonly #bytesMax: number;
  /** The beginning of a line whose end has not come yet, in pieces: joining anew with each chunk would be quadratic. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #parts = 0;
  #isFirst: boolean;
  /** Where what is held begins. */
  #at: number;

  constructor(options: ReadLinesOptions) {
    const { lineBytesMax, start = 0 } = options;
    this.#bytesMax = lineBytesMax;
    this.#at = start;
    this.#isFirst = start === 0;
  }

  /** Bytes of a line whose end has not come yet. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** The lines that end in this chunk, which may be used again afterwards. */
  push(chunk: Uint8Array): Line[] {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, start)) {
      this.#finish(this.#take(chunk.subarray(start, end)), 1, lines);
      start = end + 1;
    }
    if (start < chunk.length) this.#hold(chunk.subarray(start), lines);
    return lines;
  }

  /** The last line, where nothing ended it. What is pushed after that begins a new one. */
  end(): Line[] {
    const lines: Line[] = [];
    // The rest of a line that was cut exactly at its end is no part of its own.
    if (this.#heldBytes > 0) this.#finish(this.#take(new Uint8Array(0)), 0, lines);
    this.#parts = 0;
    return lines;
  }

  #take(tail: Uint8Array): Buffer {
    const line =
      this.#held.length === 0
        ? Buffer.from(tail.buffer, tail.byteOffset, tail.length)
        : Buffer.concat([...this.#held, tail]);
    this.#held = [];
    this.#heldBytes = 0;
    return line;
  }

  #hold(piece: Uint8Array, lines: Line[]): void {
    // A copy: the source may use the chunk's memory again.
    this.#held.push(Buffer.from(piece));
    this.#heldBytes += piece.length;
    if (this.#heldBytes <= this.#bytesMax) return;
    let rest = this.#take(new Uint8Array(0));
    while (rest.length > this.#bytesMax) rest = this.#cutPart(rest, lines);
    this.#held = [rest.subarray()];
    this.#heldBytes = rest.length;
  }

  /** A line is whole: everything up to its end, which takes so many bytes. */
  #finish(bytes: Buffer, endBytes: number, lines: Line[]): void {
    const hasReturn = bytes.at(-1) === carriageReturn;
    let rest = hasReturn ? bytes.subarray(0, -1) : bytes;
    while (!this.#fits(rest)) rest = this.#cutPart(rest, lines);
    this.#at += rest.length + (hasReturn ? 1 : 0) + endBytes;
    if (this.#parts === 0) lines.push({ text: this.#decode(rest), end: this.#at });
    else if (rest.length > 0) lines.push({ text: this.#decode(rest), part: ++this.#parts, end: this.#at });
    this.#parts = 0;
  }

  /** What is not UTF-8 may become three times as long. */
  #fits(bytes: Buffer): boolean {
    // Nearly every line: short enough, whatever its bytes are.
    if (bytes.length * 3 <= this.#bytesMax) return true;
    return bytes.length <= this.#bytesMax && isUtf8(bytes);
  }

  /** Cuts off the first part and returns the rest. Looks at no more bytes than a part has at the most, and one. */
  #cutPart(bytes: Buffer, lines: Line[]): Buffer {
    const whole = bytes.length > this.#bytesMax ? characterStart(bytes, this.#bytesMax) : bytes.length;
    const end = isUtf8(bytes.subarray(0, whole))
      ? whole
      : characterStart(bytes, Math.floor(this.#bytesMax / 3));
    this.#at += end;
    lines.push({ text: this.#decode(bytes.subarray(0, end)), part: ++this.#parts, end: this.#at });
    return bytes.subarray(end);
  }

  #decode(bytes: Buffer): string {
    const text = bytes.toString("utf8");
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    return isFirst && text.startsWith(byteOrderMark) ? text.slice(1) : text;
  }
}

/** Where the character begins that the byte at `index` belongs to; `index` itself where the bytes are not UTF-8. */
function characterStart(bytes: Uint8Array, index: number): number {
  for (let start = index; start > 0 && start > index - 4; start--) {
    if (((bytes[start] ?? 0) & 0b1100_0000) !== 0b1000_0000) return start;
  }
  return index;
}
