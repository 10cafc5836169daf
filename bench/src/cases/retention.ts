/** Whether an answer waits while retention deletes gigabytes. */
import { type BenchCase, type BenchOptions, type Figures, quantile } from "../bench-case.ts";
import { type PacedOutcome, startPacedWriter } from "../clients.ts";
import { statsOf } from "../server-stats.ts";
import { startLogsvc } from "../servers.ts";
import { storeLog } from "../stored-log.ts";

/** About 3 GB of text; `--entries 60000000` for 10 GB. */
const entriesDefault = 20_000_000;

/** Nearly everything has to go. */
const keptBytes = 16 * 1024 * 1024;

const perSecond = 2_000;

/** Is written at a time; between two pieces the server is asked how far it is. */
const pieceMs = 2_500;

/** Retention looks every ten seconds: that it looked and found nothing is known after so many pieces. */
const piecesWithout = 8;

/** What has not been deleted by then never will. */
const piecesMax = 80;

export const retention: BenchCase = {
  name: "retention",
  title:
    `From writing an entry to its answer, at ${perSecond.toLocaleString("en").replace(",", " ")} entries/s through StreamLogs, each measured, in a log of several gigabytes of text: ` +
    "without retention, and while retention by size deletes nearly all of it.",
  columns: ["deleted, million entries", "deleted, GB of text", "p50, ms", "p99, ms", "longest, ms"],
  rounds: 1,
  warmUp: false,
  onlyByName: true,
  open: async (options) => [
    { name: "retention off", run: () => writeBesideRetention(0, options) },
    { name: "retention deletes", run: () => writeBesideRetention(keptBytes, options) },
  ],
};

/** @param bytes What retention leaves; 0: everything. */
async function writeBesideRetention(bytes: number, options: BenchOptions): Promise<Figures> {
  const { entries = entriesDefault } = options;
  const server = await startLogsvc({
    ...options,
    prepare: (folder) => storeLog(folder, { entries }),
    flags: ["--retention-bytes", String(bytes)],
  });
  const writer = startPacedWriter(server.url);
  try {
    const count = (perSecond * pieceMs) / 1000;
    const pieces: PacedOutcome[] = [];
    let deleted = 0;
    /** How many pieces there were when the last many went at once: as new ones come, a few old ones go. */
    let piecesUntilGone = 0;
    while (pieces.length < piecesUntilGone + piecesWithout) {
      if (pieces.length === piecesMax) throw new Error(`retention was not done with ${entries} entries`);
      pieces.push(await writer.write({ from: pieces.length * count, count, perSecond }));
      const before = deleted;
      deleted = (await statsOf(server.url)).deleted;
      if (deleted - before > entries / 20) piecesUntilGone = pieces.length;
    }
    if (bytes > 0 && deleted < entries / 2) throw new Error(`only ${deleted} of ${entries} were deleted`);
    return figuresOf(bytes === 0 ? pieces : pieces.slice(0, piecesUntilGone), deleted);
  } finally {
    await writer.stop();
    await server.stop();
  }
}

/** Bytes of a generated entry as NDJSON, about. */
const textBytes = 171;

function figuresOf(pieces: readonly PacedOutcome[], deleted: number): Figures {
  const ackMs = pieces.flatMap((piece) => [...piece.ackMs]);
  return {
    "deleted, million entries": deleted / 1e6,
    "deleted, GB of text": (deleted * textBytes) / 1e9,
    "p50, ms": quantile(ackMs, 0.5),
    "p99, ms": quantile(ackMs, 0.99),
    "longest, ms": quantile(ackMs, 1),
  };
}
