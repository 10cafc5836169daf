/**
 * From a source of bytes to acknowledged entries: the way that `ship` and
 * `import` share.
 *
 *   source ─▶ lines ─▶ recognised ─▶ sender ─▶ acknowledged
 *
 * Nothing waits to be sent: the lines that came together go together, and while
 * the sender has no room the source is not read, so the next group is larger.
 * A trickle is prompt and a flood is batched, without a timer.
 */
import type { BatchSender } from "@logsvc/client-node";
import { limits } from "@logsvc/proto";
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
const lineBytesMax = limits.entryBytesMax - 64 * 1024;

/** The attribute that says which part of a cut line an entry is. */
const partKey = "line.part";

/** Starts counting. */
export function createLineCounts(): LineCounts {
  return { byKind: { json: 0, logfmt: 0, plain: 0 }, blank: 0, cutLines: 0, cutParts: 0 };
}

/**
 * Sends all lines of a source; `flush` the sender to know that they arrived.
 *
 * @throws ConnectError when the sender gives up, Error when the source can't be read.
 */
export async function shipLines(
  source: LogSource,
  recognise: LineRecogniser,
  sender: BatchSender,
  counts: LineCounts,
): Promise<void> {
  for await (const lines of readLines(source.chunks, { lineBytesMax })) {
    const entries = entriesOf(lines, recognise, counts);
    if (entries.length > 0) await sender.send(entries);
  }
}

function entriesOf(lines: readonly Line[], recognise: LineRecogniser, counts: LineCounts): LineEntry[] {
  const entries: LineEntry[] = [];
  for (const { text, part } of lines) {
    if (text.trim() === "") {
      counts.blank++;
      continue;
    }
    const { kind, entry } = recognise(text);
    counts.byKind[kind]++;
    if (part !== undefined) {
      entry.attributes[partKey] = String(part);
      counts.cutParts++;
      if (part === 1) counts.cutLines++;
    }
    entries.push(entry);
  }
  return entries;
}
