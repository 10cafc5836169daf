/**
 * Finds which of many texts may match a condition, without looking at each: a
 * native search over the bytes of all of them for something that every text
 * has which matches (see text-needle.ts). Often its neighbours decide as well.
 *
 * The bytes are read in pieces of some KiB: V8 takes strings of 128 KiB and
 * more from the operating system each time, which costs more than the search.
 */
import type { FieldMatch } from "./filter-node.ts";
import { type Beside, latin1Of, needleOf, type TextNeedle } from "./text-needle.ts";

/** Texts in UTF-8, one after another without separators. */
export interface TextColumn {
  /** Their bytes. A Node.js Buffer is such. */
  readonly bytes: ReadableBytes;
  /** Where each text ends in them. The first begins at 0. */
  readonly ends: Uint32Array;
  /**
   * Whether a text's bytes are all there is between two ends; false: they lie
   * somewhere between them, among others, such as an entry's encoding.
   */
  readonly isText: boolean;
}

/** Bytes that can be read as text. */
export interface ReadableBytes {
  /** Those from `start` to before `end`: decoded, or each as the character of its number. */
  toString(encoding: "utf8" | "latin1", start: number, end: number): string;
}

/** A search for the texts that may match a condition. */
export interface TextSearch {
  /**
   * Calls `take` for texts from index `from` to before `to` that may match, by
   * rising index, each once. No text that matches is left out, and no other
   * text is read.
   *
   * @param take Told the text's index, and whether it certainly matches; if
   *   not, the predicate is to be asked. What it throws ends the search.
   */
  forEachCandidate(column: TextColumn, from: number, to: number, take: TakeCandidate): void;
}

type TakeCandidate = (index: number, isCertain: boolean) => void;

/** Bytes read at once. From 16 to 64 KiB the speed is the same; what is kept of it for a candidate is less. */
const pieceBytes = 16 * 1024;

/**
 * A search for a condition on any field but `level`, whose texts are compared
 * by severity; undefined: there is no way but to test each text.
 */
export function compileSearch(match: FieldMatch): TextSearch | undefined {
  const needle = needleOf(match);
  return needle === undefined ? undefined : new NeedleSearch(needle);
}

const longS = latin1Of("\u017f");
const kelvin = latin1Of("\u212a");

class NeedleSearch implements TextSearch {
  readonly #needle: TextNeedle;
  /** The two RegExps differ: the needle has an `s` or a `k`. */
  readonly #folds: boolean;

  constructor(needle: TextNeedle) {
    this.#needle = needle;
    this.#folds = needle.plain.source !== needle.folding.source;
  }

  forEachCandidate(column: TextColumn, from: number, to: number, take: TakeCandidate): void {
    const { bytes, ends } = column;
    for (let first = from; first < to; ) {
      const start = startOf(ends, first);
      const last = pieceEnd(ends, first, to);
      this.#searchPiece(column, bytes.toString("latin1", start, ends[last - 1] ?? start), start, first, take);
      first = last;
    }
  }

  /** @param piece Whole texts, the first of which has index `first` and begins at `start`. */
  #searchPiece(
    { ends, isText }: TextColumn,
    piece: string,
    start: number,
    first: number,
    take: TakeCandidate,
  ): void {
    const { plain, folding, plainLength } = this.#needle;
    const hasFolding = this.#folds && (piece.includes(longS) || piece.includes(kelvin));
    const regexp = hasFolding ? folding : plain;
    const length = hasFolding ? undefined : plainLength;
    let index = first;
    for (let at = findFrom(regexp, piece, 0, length); at >= 0; ) {
      const end = regexp.lastIndex;
      while ((ends[index] ?? 0) - start <= at) index++;
      const textEnd = (ends[index] ?? 0) - start;
      const verdict = isText
        ? judge(this.#needle, piece, [at, end], [startOf(ends, index) - start, textEnd])
        : "perhaps";
      // Across two texts it is in neither, but another may begin before it ends.
      const isFound = end <= textEnd && verdict !== "no";
      if (isFound) take(index, verdict === "yes");
      at = findFrom(regexp, piece, isFound ? textEnd : at + 1, length);
    }
  }
}

type Verdict = "yes" | "no" | "perhaps";

type Span = readonly [from: number, to: number];

/** Whether a needle at its place makes the text match. */
function judge(needle: TextNeedle, piece: string, place: Span, text: Span): Verdict {
  const before = besideOf(needle.before, place[0] === text[0] ? edge : piece.charCodeAt(place[0] - 1));
  if (before === "no") return "no";
  const after = besideOf(needle.after, place[1] === text[1] ? edge : piece.charCodeAt(place[1]));
  if (after === "no") return "no";
  return needle.isWhole && before === "yes" && after === "yes" ? "yes" : "perhaps";
}

/** In place of a byte: there is none. */
const edge = -1;

function besideOf(wanted: Beside, byte: number): Verdict {
  if (byte === edge || wanted === "anything") return "yes";
  if (wanted === "edge" || isAsciiWord(byte)) return "no";
  // Some characters outside ASCII are word characters.
  return byte < 0x80 || wanted === "no_ascii_word" ? "yes" : "perhaps";
}

function isAsciiWord(byte: number): boolean {
  const letter = byte | 0x20;
  return (letter >= 0x61 && letter <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || byte === 0x5f;
}

/**
 * Where it is next; `lastIndex` is where that ends.
 *
 * @param length Of the match, where it is known: `test` makes no object.
 */
function findFrom(regexp: RegExp, piece: string, from: number, length: number | undefined): number {
  regexp.lastIndex = from;
  if (length === undefined) return regexp.exec(piece)?.index ?? -1;
  return regexp.test(piece) ? regexp.lastIndex - length : -1;
}

function startOf(ends: Uint32Array, index: number): number {
  return index === 0 ? 0 : (ends[index - 1] ?? 0);
}

/** The index behind the texts that one piece holds, from `first` on: one at least. */
function pieceEnd(ends: Uint32Array, first: number, to: number): number {
  const most = startOf(ends, first) + pieceBytes;
  let last = first + 1;
  while (last < to && (ends[last] ?? 0) <= most) last++;
  return last;
}

/** Texts not farther apart than this are read side by side. */
const nearMax = 8;

/**
 * Reads a column's texts. Where they are asked for in their order, or against
 * it, those of ASCII are decoded many at once.
 */
export class TextReader {
  readonly #column: TextColumn;
  #last = -nearMax;
  /** Decoded, if all is ASCII: then each byte is a character. */
  #piece = "";
  #pieceStart = 0;
  #isAscii = false;
  #pieceStop = 0;

  /** @param column One of texts: `isText` is true. */
  constructor(column: TextColumn) {
    this.#column = column;
  }

  /** The text of this index. */
  textAt(index: number): string {
    const { bytes, ends } = this.#column;
    const start = startOf(ends, index);
    const end = ends[index] ?? start;
    const direction = index - this.#last;
    this.#last = index;
    if (start < this.#pieceStart || end > this.#pieceStop) {
      if (Math.abs(direction) > nearMax) return bytes.toString("utf8", start, end);
      this.#read(start, end, direction);
    }
    if (!this.#isAscii) return bytes.toString("utf8", start, end);
    return this.#piece.slice(start - this.#pieceStart, end - this.#pieceStart);
  }

  #read(start: number, end: number, direction: number): void {
    const { bytes, ends } = this.#column;
    this.#pieceStart = direction < 0 ? Math.min(start, Math.max(0, end - pieceBytes)) : start;
    this.#pieceStop = direction < 0 ? end : Math.max(end, Math.min(ends.at(-1) ?? 0, start + pieceBytes));
    this.#piece = bytes.toString("utf8", this.#pieceStart, this.#pieceStop);
    // A character outside ASCII has more bytes than UTF-16 has units for it; a byte of none is one of both.
    this.#isAscii = this.#piece.length === this.#pieceStop - this.#pieceStart;
  }
}
