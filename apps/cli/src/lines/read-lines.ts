/**
 * Cuts a stream of bytes into lines, whatever the bytes are:
 * - lines end with LF or CRLF, the last one also without;
 * - bytes that are not UTF-8 are replaced by U+FFFD; NUL and other control
 *   characters stay as they are; a byte order mark at the start is dropped;
 * - a line longer than the bound is cut into parts, so that memory is bounded
 *   whatever comes, and nothing is lost: each part says which it is.
 */
import { isUtf8 } from "node:buffer";

/** A line, without its end. */
export interface Line {
  readonly text: string;
  /** Which part of an overlong line this is, from 1; absent: a whole line. */
  readonly part?: number;
}

/** Options of readLines. */
export interface ReadLinesOptions {
  /** A line, or part of one, at the most, in bytes of UTF-8. At least 4, the longest character. */
  readonly lineBytesMax: number;
}

/** The lines of a source; those that came together are yielded together. */
export async function* readLines(
  source: AsyncIterable<Uint8Array>,
  options: ReadLinesOptions,
): AsyncGenerator<Line[], void, undefined> {
  const cutter = new LineCutter(options.lineBytesMax);
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

class LineCutter {
  readonly #bytesMax: number;
  /** The beginning of a line whose end has not come yet, in pieces: joining anew with each chunk would be quadratic. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #parts = 0;
  #isFirst = true;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  push(chunk: Uint8Array): Line[] {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, start)) {
      this.#finish(this.#take(chunk.subarray(start, end)), lines);
      start = end + 1;
    }
    if (start < chunk.length) this.#hold(chunk.subarray(start), lines);
    return lines;
  }

  end(): Line[] {
    const lines: Line[] = [];
    // The rest of a line that was cut exactly at its end is no part of its own.
    if (this.#heldBytes > 0) this.#finish(this.#take(new Uint8Array(0)), lines);
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
    const rest = this.#cutParts(this.#take(new Uint8Array(0)), lines);
    this.#held = [rest.subarray()];
    this.#heldBytes = rest.length;
  }

  /** A line is whole: everything up to its end. */
  #finish(bytes: Buffer, lines: Line[]): void {
    const line = bytes.at(-1) === carriageReturn ? bytes.subarray(0, -1) : bytes;
    const rest = this.#cutParts(line, lines);
    if (this.#parts === 0) lines.push({ text: this.#decode(rest) });
    else if (rest.length > 0) lines.push({ text: this.#decode(rest), part: ++this.#parts });
    this.#parts = 0;
  }

  /** Cuts off parts until what remains is within the bound, and returns that. */
  #cutParts(bytes: Buffer, lines: Line[]): Buffer {
    // Nearly every line: short enough, whatever its bytes are.
    if (bytes.length * 3 <= this.#bytesMax) return bytes;
    // What is not UTF-8 may become three times as long.
    const bytesMax =
      isUtf8(bytes) || this.#mayEndInside(bytes) ? this.#bytesMax : Math.floor(this.#bytesMax / 3);
    let rest = bytes;
    while (rest.length > bytesMax) {
      const end = characterStart(rest, bytesMax);
      lines.push({ text: this.#decode(rest.subarray(0, end)), part: ++this.#parts });
      rest = rest.subarray(end);
    }
    return rest;
  }

  /** Whether bytes are UTF-8 but for a character that is cut at the end. */
  #mayEndInside(bytes: Buffer): boolean {
    const end = characterStart(bytes, bytes.length - 1);
    return isUtf8(bytes.subarray(0, end));
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
