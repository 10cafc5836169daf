/** Whether memory stays flat: twenty million entries at full speed, beside clients that have stalled. */
import { join } from "node:path";
import type { BenchCase, Figures } from "../bench-case.ts";
import { startClient } from "../clients.ts";
import { Program, peakBytesOf, residentBytesOf } from "../program.ts";
import { startLogsvc } from "../servers.ts";

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
