/** How long after its answer an entry is with a reader that follows the log, while many come in. */
import type { BenchCase, Figures } from "../bench-case.ts";
import { startPacedWriter, startTails } from "../clients.ts";
import { coresOf, usageOf } from "../program.ts";
import { startLogsvc } from "../servers.ts";

const perSecond = 50_000;
const seconds = 3;

export const tailLatency: BenchCase = {
  name: "tail-latency",
  title:
    `From an entry's answer to a tail having it, at ${perSecond.toLocaleString("en").replace(",", " ")} entries/s through StreamLogs. ` +
    "Writer and reader are our Node client, each in a process of its own; all of the entries are measured, and all must arrive. " +
    "Below zero: the reader had it first.",
  columns: [
    "written, entries/s",
    "p50, ms",
    "p99, ms",
    "delivered",
    "server cores",
    "writer cores",
    "reader cores",
  ],
  rounds: 3,
  open: async (options) => {
    const server = await startLogsvc(options);
    const writer = startPacedWriter(server.url);
    const tails = startTails(server.url, "client");
    await tails.obey({ order: "open", tails: 1, connections: 1, filters: [""] });
    let from = 0;
    const run = async (): Promise<Figures> => {
      const count = perSecond * seconds;
      const programs = [server, writer, tails];
      const before = programs.map(({ pid }) => usageOf(pid));
      const { ms } = await writer.write({ from, count, perSecond });
      const cores = programs.map(({ pid }, index) => coresOf(before[index], usageOf(pid), ms));
      const [serverCores = Number.NaN, writerCores = Number.NaN, readerCores = Number.NaN] = cores;
      const { answersPath } = writer;
      const report = await tails.obey({ order: "report", expected: count, answersPath, from });
      from += count;
      return {
        "written, entries/s": count / (ms / 1000),
        "p50, ms": report.p50Ms,
        "p99, ms": report.p99Ms,
        delivered: report.delivered / count,
        "server cores": serverCores,
        "writer cores": writerCores,
        "reader cores": readerCores,
      };
    };
    const close = async () => {
      await tails.stop();
      await writer.stop();
      await server.stop();
    };
    return [{ name: "logsvc, durable", run, close }];
  },
};
