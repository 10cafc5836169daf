/**
 * Long text in pieces that a browser can leave out of its layout while they are
 * not in view (`content-visibility`). Pieces end at line ends only: each is a
 * block of its own, and copying must not get a line break that is not there.
 */
import type { AnsiSpan } from "./ansi.ts";

/** A piece: some lines, without the break that ends the last. */
export interface MessageChunk {
  readonly spans: readonly AnsiSpan[];
  /** For the place that it keeps while it is not laid out. */
  readonly lines: number;
}

/** Lines in a piece: a screen or two. */
export const chunkLinesMax = 100;

/** Spans of a text in pieces. */
export function chunkSpans(spans: readonly AnsiSpan[]): readonly MessageChunk[] {
  const chunks: MessageChunk[] = [];
  let pending: AnsiSpan[] = [];
  let lines = 1;
  for (const span of spans) {
    let from = 0;
    for (let at = span.text.indexOf("\n"); at !== -1; at = span.text.indexOf("\n", at + 1)) {
      if (lines < chunkLinesMax) {
        lines++;
        continue;
      }
      if (at > from) pending.push({ ...span, text: span.text.slice(from, at) });
      chunks.push({ spans: pending, lines });
      pending = [];
      lines = 1;
      from = at + 1;
    }
    if (from < span.text.length) pending.push(from === 0 ? span : { ...span, text: span.text.slice(from) });
  }
  if (pending.length > 0 || lines > 1 || chunks.length > 0) chunks.push({ spans: pending, lines });
  return chunks;
}

/** A text's beginning, cut at a line end where one is near, and how much is left out. */
export interface Clipped {
  readonly text: string;
  readonly left: number;
}

/** The first `lengthMax` characters, or fewer, of a text; all of it when that is hardly more. */
export function clipText(text: string, lengthMax: number): Clipped {
  if (text.length <= lengthMax * 1.25) return { text, left: 0 };
  const lineEnd = text.lastIndexOf("\n", lengthMax);
  const end = lineEnd > lengthMax / 2 ? lineEnd : wholeCharacters(text, lengthMax);
  return { text: text.slice(0, end), left: text.length - end };
}

function wholeCharacters(text: string, at: number): number {
  const code = text.charCodeAt(at - 1);
  return code >= 0xd800 && code < 0xdc00 ? at - 1 : at;
}
