/** The entries in a run of StreamLogs' frames. */
import { frameHeaderBytes, messageLengthAt } from "@logsvc/proto";
import type { EncodedRun } from "../ingest/intake.ts";

/** No frame is shorter: a guess for how many entries a run has, to be mended where it is wrong. */
const entryBytesGuess = 64;

/** Where each entry of a run of whole frames is. */
export function entriesOf(frames: Uint8Array): EncodedRun {
  let ranges = new Uint32Array(2 * Math.ceil(frames.length / entryBytesGuess));
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

/** The same places, with room for twice as many. */
export function growRanges(ranges: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const twice = new Uint32Array(Math.max(16, 2 * ranges.length));
  twice.set(ranges);
  return twice;
}
