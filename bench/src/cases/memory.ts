/** Whether memory stays flat: twenty million entries at full speed, beside clients that have stalled. */
import { join } from "node:path";
import type { BenchCase, Figures } from "../bench-case.ts";
import { startClient } from "../clients.ts";
import type { StalledReport } from "../peers/stalled.ts";
import { Program, peakBytesOf, residentBytesOf } from "../program.ts";
import { statsOf } from "../server-stats.ts";
import { startLogsvc } from "../servers.ts";

/** The reader may have been sent so many entries: what fits into its window and the buffers before it. */
const readerEntriesMax = 200_000;

/** Where the memory is looked at, in million entries. */
const looks = [1, 5, 10, 20];

/** The writer sends in such pieces; between them is nothing but the next one's first entry. */
const pieceMs = 250;

export const memory: BenchCase = {
  name: "memory",
  title:
    "The server's resident memory, in MB, while our Node client writes 20 million entries of about 100 bytes at full speed " +
    "through StreamLogs, one reader has asked for the whole log and reads nothing, and one writer sends and never reads its answers.",
  columns: ["at the start", ...looks.map((million) => `${million} M`), "peak", "entries/s"],
  rounds: 1,
  warmUp: false,
  onlyByName: true,
  open: async (options) => {
    const server = await startLogsvc(options);
    const stalled = new Program(process.execPath, [
      join(import.meta.dirname, "../peers/stalled.ts"),
      server.url,
    ]);
    await stalled.line();
    const client = await startClient("logsvc", server.url);
    const run = async (): Promise<Figures> => {
      const figures: Record<string, number> = { "at the start": residentBytesOf(server.pid) / 1e6 };
      let entries = 0;
      let ms = 0;
      for (const million of looks) {
        while (entries < million * 1e6) {
          const outcome = await client.stream(pieceMs);
          if (outcome.accepted !== outcome.answered) throw new Error("an entry was rejected");
          entries += outcome.accepted;
          ms += outcome.ms;
        }
        figures[`${million} M`] = residentBytesOf(server.pid) / 1e6;
      }
      await checkStalled(server.url, { stalled, entries });
      return { ...figures, peak: peakBytesOf(server.pid) / 1e6, "entries/s": entries / (ms / 1000) };
    };
    const close = async () => {
      await client.stop();
      await stalled.stop();
      await server.stop();
    };
    return [{ name: "logsvc, durable", run, close }];
  },
};

/**
 * Asserts that both bad clients are connected and stall: else the memory was
 * measured without what should have taken it.
 */
async function checkStalled(
  url: string,
  { stalled, entries }: { readonly stalled: Program; readonly entries: number },
): Promise<void> {
  const before: StalledReport = JSON.parse(await stalled.ask("report"));
  const { openTails, openStreams, lagMax } = await statsOf(url);
  const after: StalledReport = JSON.parse(await stalled.ask("report"));
  if (openTails !== 1)
    throw new Error(`expected the stalled reader's tail to be open, got ${openTails} tails`);
  if (lagMax < entries - readerEntriesMax) {
    throw new Error(`expected the stalled reader to be ${entries} entries behind, got ${lagMax}`);
  }
  if (openStreams !== 1)
    throw new Error(`expected the stalled writer's stream to be open, got ${openStreams}`);
  if (!before.writerWaits || !after.writerWaits || after.written !== before.written) {
    throw new Error(
      `expected the stalled writer to wait, but it wrote ${after.written - before.written} more`,
    );
  }
}
