/** Many tails of one log: what it takes to bring every entry to all whose filter it matches. */
import { performance } from "node:perf_hooks";
import type { BenchCase, BenchOptions, Contestant, Figures } from "../bench-case.ts";
import { startPacedWriter, startTails } from "../clients.ts";
import { levelAt, pacedServiceAt, pacedServices } from "../entries.ts";
import { coresOf, usageOf } from "../program.ts";
import { startLogsvc } from "../servers.ts";

const perSecond = 2_000;
const seconds = 3;
const connections = 20;

/** A filter, and which paced entries it matches. */
interface Filter {
  readonly text: string;
  matches(n: number): boolean;
}

const oneFilter: readonly Filter[] = [{ text: "level:>=error", matches: (n) => levelAt(n) === "ERROR" }];
const manyFilters: readonly Filter[] = Array.from({ length: pacedServices }, (_, index) => ({
  text: `service:="${pacedServiceAt(index)}"`,
  matches: (n) => n % pacedServices === index,
}));

export const fanOut: BenchCase = {
  name: "fan-out",
  title:
    `Tails over ${connections} connections while ${perSecond.toLocaleString("en").replace(",", " ")} entries/s come in through StreamLogs. ` +
    "With one filter (`level:>=error`) each tail gets one entry in eight, with a hundred (one a service) one in a hundred. " +
    "Latency is from an entry's answer to its arrival, over all deliveries; each tail's entries must come in order, none twice. " +
    "The client looks frames through without decoding them; when it needs a core, the figures are its own.",
  columns: [
    "written, entries/s",
    "deliveries/s",
    "delivered",
    "p50, ms",
    "p99, ms",
    "server cores",
    "client cores",
  ],
  rounds: 3,
  open: async (options) => {
    const contestants: Contestant[] = [];
    for (const filters of [oneFilter, manyFilters]) {
      for (const tails of [1, 100, 1_000]) contestants.push(await openTails(tails, filters, options));
    }
    return contestants;
  },
};

async function openTails(
  tailCount: number,
  filters: readonly Filter[],
  options: BenchOptions,
): Promise<Contestant> {
  const server = await startLogsvc(options);
  const writer = startPacedWriter(server.url);
  const tails = startTails(server.url, "frames");
  const texts = filters.map(({ text }) => text);
  await tails.obey({ order: "open", tails: tailCount, connections, filters: texts });
  let from = 0;
  return {
    name: `${tailCount} ${tailCount === 1 ? "tail" : "tails"}, ${filters.length} ${filters.length === 1 ? "filter" : "filters"}`,
    run: async (): Promise<Figures> => {
      const count = perSecond * seconds;
      const before = { atMs: performance.now(), server: usageOf(server.pid), tails: usageOf(tails.pid) };
      const { ms } = await writer.write({ from, count, perSecond });
      const expected = deliveriesOf(from, count, tailCount, filters);
      const { answersPath } = writer;
      const report = await tails.obey({ order: "report", expected, answersPath, from });
      from += count;
      const elapsedMs = performance.now() - before.atMs;
      return {
        "written, entries/s": count / (ms / 1000),
        "deliveries/s": report.delivered / (elapsedMs / 1000),
        delivered: report.delivered / expected,
        "p50, ms": report.p50Ms,
        "p99, ms": report.p99Ms,
        "server cores": coresOf(before.server, usageOf(server.pid), elapsedMs),
        "client cores": coresOf(before.tails, usageOf(tails.pid), elapsedMs),
      };
    },
    close: async () => {
      await tails.stop();
      await writer.stop();
      await server.stop();
    },
  };
}

/** How many deliveries the entries make: the tails have the filters in turn. */
function deliveriesOf(from: number, count: number, tailCount: number, filters: readonly Filter[]): number {
  let deliveries = 0;
  for (const [index, filter] of filters.entries()) {
    const tails = Math.floor(tailCount / filters.length) + (index < tailCount % filters.length ? 1 : 0);
    if (tails === 0) continue;
    for (let n = from; n < from + count; n++) if (filter.matches(n)) deliveries += tails;
  }
  return deliveries;
}
