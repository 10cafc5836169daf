/** Searching and writing at one time: what each makes of the other, and how soon a cancelled search stops. */
import { performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { createNodeClient, type NodeLogClient } from "@logsvc/client-node";
import { type BenchCase, type BenchOptions, type Contestant, type Figures, quantile } from "../bench-case.ts";
import { startClient, startPacedWriter } from "../clients.ts";
import { dayStartUs, dayUs } from "../log-generator.ts";
import { scatteredPhrase } from "../log-templates.ts";
import { settle, usageOf } from "../program.ts";
import { type BenchServer, startLogsvc } from "../servers.ts";
import { storeLog } from "../stored-log.ts";

/** Entries that are searched; those that are written come to them. */
const entriesDefault = 1_000_000;

/** How long is written in a round. */
const writeMs = 6_000;
const perSecond = 20_000;
const searchesAtOnce = 20;

/** A regular expression that no block can be skipped for. */
const slowFilter = '~"[3-9][0-9]{3} [km]s"';

/** The generated day: what is written meanwhile lies after it, so that the searches' work stays the same. */
const day = { start: new Date(dayStartUs / 1000), end: new Date((dayStartUs + dayUs) / 1000) };

/** What the twenty ask, in turn: slow ones and quick ones. */
const filters = [slowFilter, `"${scatteredPhrase}"`, "level:error service:=auth", slowFilter];

export const searchUnderLoad: BenchCase = {
  name: "search-under-load",
  title:
    `From writing to the answer, alone and beside ${searchesAtOnce} searches at once, again and again, in a generated day of the log that is written to ` +
    "(a million entries where nothing else is said): half of the searches count by a regular expression over all of it, the others a phrase and the errors of a service. " +
    `The paced writer writes ${perSecond.toLocaleString("en").replace(",", " ")} entries/s and measures each; the other writes as fast as it can and measures each thousand. ` +
    "Searches: from asking to the answer, waiting included; all have to end. " +
    "The cancelled one is a slow count, given up in the middle: the processor time that the server used from then on, and for how long.",
  columns: [
    "written, entries/s",
    "answer p50, ms",
    "answer p99, ms",
    "searches",
    "search p50, ms",
    "longest search, ms",
    "after the cancel, CPU ms",
    "until, ms",
  ],
  rounds: 3,
  warmUp: false,
  onlyByName: true,
  open: async (options) => {
    const server = await startSearched(options);
    const client = createNodeClient({ url: server.url });
    const paced = openPaced(server.url);
    const fast = await openFast(server.url);
    // All share these, so they are closed with one of them.
    const close = async () => {
      client.close();
      await paced.close();
      await fast.close();
      await server.stop();
    };
    const row = (name: string, run: () => Promise<Figures>): Contestant => ({
      name,
      run: async () => {
        const figures = await run();
        await settle(server.pid);
        return figures;
      },
    });
    return [
      row("paced writer, no searches", paced.write),
      row("paced writer, with searches", () => beside(client, paced.write)),
      row("full speed, no searches", fast.write),
      row("full speed, with searches", () => beside(client, fast.write)),
      { ...row("a search that is cancelled", () => cancelSearch(client, server)), close },
    ];
  },
};

function startSearched(options: BenchOptions): Promise<BenchServer> {
  const { entries = entriesDefault } = options;
  return startLogsvc({ ...options, prepare: (folder) => storeLog(folder, { entries }) });
}

/** A writer, and how its answers come. */
interface Writer {
  write(): Promise<Figures>;
  close(): Promise<void>;
}

function openPaced(url: string): Writer {
  const writer = startPacedWriter(url);
  let from = 0;
  return {
    write: async () => {
      const count = (perSecond * writeMs) / 1000;
      const { ms, ackMs } = await writer.write({ from, count, perSecond });
      from += count;
      return answerFigures(count, ms, ackMs);
    },
    close: () => writer.stop(),
  };
}

async function openFast(url: string): Promise<Writer> {
  const writer = await startClient("logsvc", url);
  return {
    write: async () => {
      const { answered, accepted, ms, ackMs = [] } = await writer.stream(writeMs);
      if (accepted === 0 || accepted !== answered) throw new Error(`${accepted} of ${answered} accepted`);
      return answerFigures(answered, ms, ackMs);
    },
    close: () => writer.stop(),
  };
}

function answerFigures(count: number, ms: number, ackMs: readonly number[] | Float64Array): Figures {
  return {
    "written, entries/s": count / (ms / 1000),
    "answer p50, ms": quantile(ackMs, 0.5),
    "answer p99, ms": quantile(ackMs, 0.99),
  };
}

/** Writes while searches run, twenty at once until the writing is over. A search that fails fails the case. */
async function beside(client: NodeLogClient, write: () => Promise<Figures>): Promise<Figures> {
  const times: number[] = [];
  let writing = true;
  const searchOn = async () => {
    while (writing) times.push(...(await searchTogether(client)));
  };
  const searching = searchOn();
  const figures = await write().finally(() => {
    writing = false;
  });
  await searching;
  return {
    ...figures,
    searches: times.length,
    "search p50, ms": quantile(times, 0.5),
    "longest search, ms": quantile(times, 1),
  };
}

/** Asks all at once, and resolves when the last has its answer, with how long each took. */
async function searchTogether(client: NodeLogClient): Promise<number[]> {
  const start = performance.now();
  const searches = Array.from({ length: searchesAtOnce }, async (_, index) => {
    await client.count({ ...day, filter: filters[index % filters.length] ?? "" });
    return performance.now() - start;
  });
  return Promise.all(searches);
}

/** When a search is in the middle of its work. */
const cancelAfterMs = 150;

/** How long the server is watched after that, and how often. */
const watchMs = 1_000;
const lookMs = 10;

async function cancelSearch(client: NodeLogClient, { pid }: BenchServer): Promise<Figures> {
  const cancel = new AbortController();
  const counting = client.count({ ...day, filter: slowFilter, signal: cancel.signal });
  const ended = counting.then(
    () => "counted",
    () => "cancelled",
  );
  await pause(cancelAfterMs);
  cancel.abort();
  const start = performance.now();
  const before = usageOf(pid)?.cpuMs ?? Number.NaN;
  let used = before;
  let untilMs = 0;
  while (performance.now() - start < watchMs) {
    await pause(lookMs);
    const now = usageOf(pid)?.cpuMs ?? Number.NaN;
    if (now > used) untilMs = performance.now() - start;
    used = now;
  }
  if ((await ended) === "counted") throw new Error(`the search was over before ${cancelAfterMs} ms`);
  return { "after the cancel, CPU ms": used - before, "until, ms": untilMs };
}
