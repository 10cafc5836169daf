/**
 * A shipper through everything that happens to servers, networks and processes:
 * rounds of faults at random moments under load. In the end every run of the
 * agent is stored exactly once and in order: the one that ended by itself as
 * far as it wrote, one that was killed at least as far as it had come to the
 * spool.
 *
 * LOGSVC_FAULT_ROUNDS rounds (default: each fault once), LOGSVC_FAULT_RATE
 * entries a second (default 2 000), LOGSVC_FAULT_STOP_MS how long processes are
 * stopped (default 1 000). The long form is 100 rounds at 20 000 with 5 000.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type CutProxy, startCutProxy } from "./harness/cut-proxy.ts";
import { type RunningProgram, startProgram } from "./harness/program.ts";
import { connectRpc, type LogRpc, readStats } from "./harness/rpc.ts";
import { type Server, startServer } from "./harness/server.ts";
import { tempFolder } from "./harness/temp-folder.ts";
import { waitFor } from "./harness/wait-for.ts";

const rate = Number(process.env["LOGSVC_FAULT_RATE"] ?? 2_000);
const stopMs = Number(process.env["LOGSVC_FAULT_STOP_MS"] ?? 1_000);
const agentPath = join(import.meta.dirname, "harness/paced-agent.ts");

/** One run of the agent: its name is its number. */
interface AgentRun {
  readonly program: RunningProgram;
  /** True: it was killed, so what it had not spooled may be missing. */
  wasKilled: boolean;
}

/** Everything that takes part. */
interface Stage {
  readonly server: Server;
  readonly proxy: CutProxy;
  readonly runs: AgentRun[];
  startAgent(): Promise<void>;
}

/** What happens in a round. */
type Fault = (stage: Stage) => Promise<void>;

const current = ({ runs }: Stage): AgentRun => {
  const run = runs.at(-1);
  assert.ok(run !== undefined);
  return run;
};

const faults: Readonly<Record<string, Fault>> = {
  "kill the server": async ({ server }) => {
    await server.kill();
    await sleep(Math.random() * stopMs);
    await server.start();
  },
  "stop the server": async ({ server }) => {
    process.kill(server.program.pid, "SIGSTOP");
    await sleep(stopMs);
    process.kill(server.program.pid, "SIGCONT");
  },
  "restart the server": async ({ server }) => {
    await server.stop();
    await server.start();
  },
  "reset the connections": async ({ proxy }) => {
    proxy.reset();
  },
  "forget the connections": async ({ proxy }) => {
    proxy.forget();
  },
  "black hole": async ({ proxy }) => {
    proxy.isBlackHole = true;
    await sleep(Math.random() * stopMs);
    proxy.isBlackHole = false;
  },
  "kill the agent": async (stage) => {
    current(stage).wasKilled = true;
    await current(stage).program.kill("SIGKILL");
    await stage.startAgent();
  },
  "stop the agent": async (stage) => {
    const { pid } = current(stage).program;
    process.kill(pid, "SIGSTOP");
    await sleep(stopMs);
    process.kill(pid, "SIGCONT");
  },
  "restart the agent": async (stage) => {
    await current(stage).program.kill("SIGTERM");
    await stage.startAgent();
  },
};

const rounds = Number(process.env["LOGSVC_FAULT_ROUNDS"] ?? Object.keys(faults).length);

test("whatever happens, every entry is stored exactly once and in order", { timeout: 550_000 }, async (t) => {
  const stage = await setStage(t);
  await stage.startAgent();
  const happened: string[] = [];
  while (happened.length < rounds) {
    for (const [name, fault] of shuffled(Object.entries(faults)).slice(0, rounds - happened.length)) {
      await sleep(100 + Math.random() * 900);
      await fault(stage);
      happened.push(name);
    }
  }
  const last = current(stage).program;
  last.endInput();
  await last.waitUntil("the last flush", () => last.exit !== undefined, 120_000);
  await last.succeeded();
  const rpc = connectRpc(t, stage.server.url);
  const stored = await readRuns(rpc);
  t.diagnostic(`${rounds} rounds at ${rate} entries/s: ${tallyOf(happened)}`);
  for (const [index, run] of stage.runs.entries())
    checkRun(t, index + 1, run, stored.get(`${index + 1}`) ?? 0);
  const strangers = [...stored.keys()].filter((name) => stage.runs[Number(name) - 1] === undefined);
  assert.deepEqual(strangers, []);
  assert.deepEqual(
    stage.runs.map(({ program }) => program.stderr).filter((text) => /dropped|rejected/.test(text)),
    [],
  );
});

async function setStage(t: TestContext): Promise<Stage> {
  const server = await startServer(t);
  const { proxy, url } = await startCutProxy(t, server.port);
  const spool = await tempFolder(t);
  const runs: AgentRun[] = [];
  const startAgent = async (): Promise<void> => {
    const args = [agentPath, url, spool, `${runs.length + 1}`, `${rate}`];
    const program = startProgram(t, process.execPath, args);
    runs.push({ program, wasKilled: false });
    await program.waitForLines(1);
  };
  return { server, proxy, runs, startAgent };
}

/** Reads the log to its end, in its order; returns how many entries of each run it has. Fails where one is missing, repeated or out of order. */
async function readRuns(rpc: LogRpc): Promise<Map<string, number>> {
  const { storage } = await waitFor("the server", () => readStats(rpc));
  const total = Number(storage?.entries ?? 0);
  const runs = new Map<string, number>();
  let count = 0;
  const reading = new AbortController();
  for await (const { entries } of rpc.tailLogs({ since: 1n }, { signal: reading.signal })) {
    for (const { entry } of entries) {
      const [run = "", number = ""] = (entry?.message ?? "").split(" ");
      assert.equal(
        Number(number),
        (runs.get(run) ?? 0) + 1,
        `the entry of run ${run} after ${runs.get(run)}`,
      );
      runs.set(run, Number(number));
    }
    count += entries.length;
    if (count >= total) break;
  }
  reading.abort();
  return runs;
}

function checkRun(t: TestContext, number: number, { program, wasKilled }: AgentRun, stored: number): void {
  const told = program.lines.map((line) => line.split(" "));
  // What an earlier run left comes first, under the producer of that run.
  const own = told.findLast(([word]) => word === "acked" || word === "spooled")?.[2];
  const last = (word: string, producer?: string): number =>
    told
      .filter((line) => line[0] === word && line[2] === producer)
      .reduce((greatest, [, sequence]) => Math.max(greatest, Number(sequence)), 0);
  const [written, spooled, acked] = [last("written"), last("spooled", own), last("acked", own)];
  const ending = wasKilled ? "killed" : "ended by itself";
  t.diagnostic(
    `run ${number}, ${ending}: ${written} written, up to ${spooled} spooled, up to ${acked} acknowledged, ${stored} stored`,
  );
  assert.ok(stored >= Math.max(spooled, acked), `run ${number}: what was spooled or acknowledged is stored`);
  if (!wasKilled) assert.equal(stored, written, `run ${number}: everything that was written is stored`);
}

function shuffled<T>(values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, place: Math.random() }))
    .sort((one, other) => one.place - other.place)
    .map(({ value }) => value);
}

function tallyOf(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => `${name} ${count}`).join(", ");
}
