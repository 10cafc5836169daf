/**
 * From a source of bytes to acknowledged entries: the way that `ship` and
 * `import` share.
 *
 *   source ─▶ lines ─▶ joined ─▶ recognised ─▶ sender ─▶ acknowledged
 *
 * Nothing waits to be sent: the lines that came together go together, and while
 * the sender has no room the source is not read, so the next group is larger.
 * A trickle is prompt and a flood is batched, without a timer. Only lines that
 * may be the beginning of more, such as a stack trace, wait for it, and no longer
 * than a second.
 */
import { limits } from "@logsvc/proto";
import { joinLines, LineJoiner, type Multiline } from "./join-lines.ts";
import type { LineEntry } from "./line-fields.ts";
import type { LogSource } from "./open-source.ts";
import { type Line, readLines } from "./read-lines.ts";
import type { LineKind, LineRecogniser } from "./recognise-line.ts";

/** What was read. */
export interface LineCounts {
  /** Entries, by what their lines were taken for. */
  readonly byKind: Record<LineKind, number>;
  /** Lines with nothing in them, which are not sent: an entry has a message. */
  blank: number;
  /** Lines that were too long for one entry. */
  cutLines: number;
  /** The entries that those became. */
  cutParts: number;
}

/** A line is cut where it would not fit an entry together with labels, service and the rest. */
export const lineBytesMax = limits.entryBytesMax - 64 * 1024;

/** The attribute that says which part of a cut line an entry is. */
const partKey = "line.part";

/** Starts counting. */
export function createLineCounts(): LineCounts {
  return { byKind: { json: 0, logfmt: 0, plain: 0 }, blank: 0, cutLines: 0, cutParts: 0 };
}

/** Where entries go. Resolves when there is room for more. */
export type SendEntries = (entries: readonly LineEntry[]) => Promise<void>;

/** How the lines of a source become entries. */
export interface LineShipping {
  readonly recognise: LineRecogniser;
  readonly counts: LineCounts;
  /** Default: every line is an entry. */
  readonly multiline?: Multiline;
}

/**
 * Sends all lines of a source.
 *
 * @throws What sending throws, SourceError when the source can't be read.
 */
export async function shipLines(
  source: LogSource,
  send: SendEntries,
  { recognise, counts, multiline = "off" }: LineShipping,
): Promise<void> {
  const joiner = new LineJoiner({ multiline, bytesMax: lineBytesMax });
  for await (const lines of joinLines(readLines(source.chunks, { lineBytesMax }), joiner)) {
    const entries: LineEntry[] = [];
    for (const line of lines) {
      const entry = entryOf(line, recognise, counts);
      if (entry !== undefined) entries.push(entry);
    }
    if (entries.length > 0) await send(entries);
  }
}

/** The entry of a line, which is counted; undefined where the line is blank. */
export function entryOf(line: Line, recognise: LineRecogniser, counts: LineCounts): LineEntry | undefined {
  const { text, part } = line;
  if (text.trim() === "") {
    counts.blank++;
    return undefined;
  }
  const { kind, entry } = recognise(text);
  counts.byKind[kind]++;
  if (part !== undefined) {
    entry.attributes[partKey] = String(part);
    counts.cutParts++;
    if (part === 1) counts.cutLines++;
  }
  return entry;
}
