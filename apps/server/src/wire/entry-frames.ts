/** The entries in a run of StreamLogs' frames. */
import { frameHeaderBytes, messageLengthAt } from "@logsvc/proto";
import type { EncodedRun } from "../ingest/intake.ts";

/** A guess for how many entries some bytes hold; where it is wrong the places grow. */
const entryBytesGuess = 64;

/** Where each entry of a run of whole frames is. */
export function entriesOf(frames: Uint8Array): EncodedRun {
  let ranges = rangesFor(frames.length);
  let count = 0;
  for (let at = 0; at < frames.length; ) {
    const from = at + frameHeaderBytes;
    at = from + messageLengthAt(frames, at);
    if (2 * count === ranges.length) ranges = growRanges(ranges);
    ranges[2 * count] = from;
    ranges[2 * count + 1] = at;
    count += 1;
  }
  return { bytes: frames, count, ranges };
}

/** Room for the places of the entries in so many bytes, two for each. */
export function rangesFor(bytes: number): Uint32Array<ArrayBuffer> {
  return new Uint32Array(2 * Math.ceil(bytes / entryBytesGuess));
}

/** The same places, with room for twice as many. */
export function growRanges(ranges: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const twice = new Uint32Array(Math.max(16, 2 * ranges.length));
  twice.set(ranges);
  return twice;
}
