/**
 * The shipper: what a call costs the application, how fast one process delivers,
 * and what a long absence of the server does to it.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createNodeClient } from "@logsvc/client-node";
import type { BenchCase, BenchOptions, Contestant, Figures } from "../bench-case.ts";
import { startClient } from "../clients.ts";
import { pacedIndexOf } from "../entries.ts";
import { measureSending, sendingColumns, sendingCosts } from "../measure-sending.ts";
import type { PacedReport } from "../peers/shipper-paced.ts";
import { Program } from "../program.ts";
import { statsOf } from "../server-stats.ts";
import { type BenchServer, startLogsvc } from "../servers.ts";

const peers = join(import.meta.dirname, "../peers");

/** Lines of a round: some hundred milliseconds. */
const costLines = 400_000;

export const shipperWrite: BenchCase = {
  name: "shipper-write",
  title:
    "What logging a line costs the application: a message of 55 characters with two attributes, in bursts of 20 000. " +
    "pino writes the same line to /dev/null, so nothing of it arrives anywhere; the shipper's lines are on the server's disk at the end. " +
    "Main thread: its processor time in all, with what it does after the calls.",
  columns: ["call, ns", "main thread, ns"],
  compared: { column: "call, ns", better: "less" },
  open: async (options) => {
    const server = await startLogsvc(options);
    return [
      costOf("the shipper, durable", "shipper", server),
      costOf("pino to /dev/null", "pino"),
      costOf("pino to /dev/null, buffered", "pino-buffered"),
    ];
  },
};

function costOf(name: string, kind: string, server?: BenchServer): Contestant {
  const program = new Program(process.execPath, [join(peers, "write-cost.ts"), server?.url ?? "none", kind]);
  return {
    name,
    run: async () => {
      const { callNs, mainNs } = JSON.parse(await program.ask(String(costLines)));
      return { "call, ns": callNs, "main thread, ns": mainNs };
    },
    close: async () => {
      await program.stop();
      await server?.stop();
    },
  };
}

export const shipperSend: BenchCase = {
  name: "shipper-send",
  title:
    "Entries of about 100 bytes from one Node process to the server's disk: with a shipper, each written by itself, beside StreamLogs, given a thousand at a time. " +
    sendingCosts,
  columns: sendingColumns,
  compared: { column: "entries/s", better: "more" },
  open: async (options) => [
    await openSender("the shipper", "shipper", options),
    await openSender("StreamLogs", "logsvc", options),
  ],
};

async function openSender(
  name: string,
  kind: "shipper" | "logsvc",
  options: BenchOptions,
): Promise<Contestant> {
  const server = await startLogsvc(options);
  const client = await startClient(kind, server.url);
  return {
    name,
    run: () => measureSending(server, client),
    close: async () => {
      await client.stop();
      await server.stop();
    },
  };
}

const liveRate = 50_000;

/** Entries written while the server is away: a fifth of two minutes. `--entries 6e6` is two minutes. */
const awayEntriesDefault = 1_200_000;

/** With the server there, before it goes. */
const steadyMs = 5_000;

/** How often it is looked how far the shipper is, in milliseconds. */
const lookMs = 100;

export const shipperAway: BenchCase = {
  name: "shipper-away",
  title:
    `An application that logs ${liveRate} entries of about 110 bytes a second through a shipper with a spool, 32 MiB of memory at the most; ` +
    "the server goes away, and comes back. Delay: how late the application's timers fire, for one in a hundred. " +
    "Catching up: how fast what has piled up is delivered, beside what comes meanwhile, in multiples of the live rate. " +
    "Afterwards every entry is there once, in order, or the run fails.",
  columns: ["seconds", "delay p99, ms", "delay most, ms", "memory, MiB", "spool, MiB", "catching up, × live"],
  rounds: 1,
  warmUp: false,
  onlyByName: true,
  open: async (options) => {
    const run = new AwayRun(options.entries ?? awayEntriesDefault);
    return [
      { name: "with the server there", run: () => run.steady() },
      { name: "while it is away", run: () => run.away() },
      { name: "when it is back", run: () => run.back(), close: () => run.close() },
    ];
  },
};

/** One absence, phase by phase. */
class AwayRun {
  readonly #awayMs: number;
  #folder = "";
  readonly #port = 20_000 + Math.floor(Math.random() * 12_000);
  #server: Program | undefined;
  #application: Program | undefined;

  constructor(awayEntries: number) {
    this.#awayMs = (awayEntries / liveRate) * 1000;
  }

  get #url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async steady(): Promise<Figures> {
    // Every round on a log of its own.
    await this.close();
    this.#folder = mkdtempSync(join(tmpdir(), "logsvc-bench-"));
    await this.#serve();
    const spool = join(this.#folder, "spool");
    this.#application = new Program(process.execPath, [join(peers, "shipper-paced.ts"), this.#url, spool]);
    await this.#go();
    // The first second is of starting up.
    await pause(1_000);
    await this.#go();
    await pause(steadyMs);
    return this.#figures(await this.#go(), steadyMs);
  }

  async away(): Promise<Figures> {
    await this.#server?.stop();
    await pause(this.#awayMs);
    return this.#figures(await this.#go(), this.#awayMs);
  }

  async back(): Promise<Figures> {
    await this.#serve();
    let report = await this.#go();
    const { pending, accepted } = report;
    if (pending < (this.#awayMs / 1000) * liveRate * 0.9)
      throw new Error(`only ${pending} entries were waiting`);
    while (report.accepted === accepted) report = await this.#look();
    const startedAt = performance.now();
    while (report.pending > liveRate) report = await this.#look();
    const elapsedMs = performance.now() - startedAt;
    const rate = (report.accepted - accepted) / (elapsedMs / 1000);
    await this.#check(await this.#go(0));
    return { ...this.#figures(report, elapsedMs), "catching up, × live": rate / liveRate };
  }

  async close(): Promise<void> {
    await this.#application?.stop();
    await this.#server?.stop();
    if (this.#folder !== "") rmSync(this.#folder, { recursive: true });
  }

  async #serve(): Promise<void> {
    const cli = join(import.meta.dirname, "../../../apps/cli/logsvc.js");
    const place = ["--port", String(this.#port), "--data", join(this.#folder, "data")];
    this.#server = new Program(process.execPath, [cli, "serve", ...place, "--log-level", "warn"]);
    await this.#server.line();
  }

  async #look(): Promise<PacedReport> {
    await pause(lookMs);
    return this.#ask("look");
  }

  async #go(rate = liveRate): Promise<PacedReport> {
    return this.#ask(String(rate));
  }

  async #ask(order: string): Promise<PacedReport> {
    if (this.#application === undefined) throw new Error("the application was not started");
    return JSON.parse(await this.#application.ask(order));
  }

  #figures(report: PacedReport, elapsedMs: number): Figures {
    if (report.memoryBytesMost > report.memoryBytesMax) {
      throw new Error(`${report.memoryBytesMost} bytes in memory, at most ${report.memoryBytesMax} may be`);
    }
    return {
      seconds: elapsedMs / 1000,
      "delay p99, ms": report.delayP99Ms,
      "delay most, ms": report.delayMaxMs,
      "memory, MiB": report.memoryBytesMost / 2 ** 20,
      "spool, MiB": report.spooledBytesMost / 2 ** 20,
    };
  }

  /** Every entry that was written is in the log, once and in order. */
  async #check({ written, dropped, rejected }: PacedReport): Promise<void> {
    if (dropped + rejected > 0) throw new Error(`${dropped} entries were dropped, ${rejected} rejected`);
    const { entries } = await statsOf(this.#url);
    if (entries !== written) throw new Error(`${entries} of ${written} entries are in the log`);
    const client = createNodeClient({ url: this.#url });
    const stop = new AbortController();
    let next = 0;
    for await (const response of client.rpc.tailLogs({ since: 1n }, { signal: stop.signal })) {
      for (const { entry } of response.entries) {
        const index = pacedIndexOf(entry?.timestamp ?? 0n);
        if (index !== next++) throw new Error(`entry ${index} in the place of entry ${next - 1}`);
      }
      if (next >= written) break;
    }
    stop.abort();
    client.close();
  }
}
