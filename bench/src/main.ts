/**
 * `pnpm bench [pattern]`: runs the cases whose name matches the regular
 * expression and prints their tables. Without one, all but those that take
 * minutes.
 *
 *   --rounds 5       rounds that count
 *   --entries 1e6    entries of the generated log, for the cases that search one
 *   --seconds 60     how long the load lasts, for the cases that follow it in a browser
 *   --write          writes the tables into the docs
 *   --profile DIR    our servers write CPU profiles there
 *
 * Figures are of this machine, now. Only how contestants compare, taken in one
 * run, may be compared with another run.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type BenchResult, runCase } from "./bench-case.ts";
import { answer } from "./cases/answer.ts";
import { append } from "./cases/append.ts";
import { shipLogs, writeLogs } from "./cases/batches.ts";
import { bundleSize } from "./cases/bundle-size.ts";
import { dashboardLive, dashboardOpen, dashboardScroll } from "./cases/dashboard.ts";
import { disk } from "./cases/disk.ts";
import { fanOut } from "./cases/fan-out.ts";
import { idleTails } from "./cases/idle-tails.ts";
import { memory } from "./cases/memory.ts";
import { oneTail } from "./cases/one-tail.ts";
import { retention } from "./cases/retention.ts";
import { search, searchSmall } from "./cases/search.ts";
import { searchUnderLoad } from "./cases/search-under-load.ts";
import { shipperAway, shipperSend, shipperWrite } from "./cases/shipper.ts";
import { start } from "./cases/start.ts";
import { streamLogsGo, streamLogsNode } from "./cases/stream-logs.ts";
import { tailLatency } from "./cases/tail-latency.ts";
import { environment, formatResult, writeInto } from "./report.ts";

const cases = [
  ...[streamLogsGo, streamLogsNode, shipLogs, writeLogs, answer, append],
  ...[tailLatency, oneTail, fanOut, start, memory, idleTails],
  ...[shipperWrite, shipperSend, shipperAway],
  ...[searchSmall, search, disk, searchUnderLoad, retention],
  ...[bundleSize, dashboardOpen, dashboardLive, dashboardScroll],
];
const documents = ["README.md", "docs/performance.md"];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    write: { type: "boolean", default: false },
    rounds: { type: "string" },
    entries: { type: "string" },
    seconds: { type: "string" },
    profile: { type: "string" },
  },
});
const [pattern] = positionals;
const options = {
  ...(values.rounds === undefined ? {} : { rounds: readCount("rounds", values.rounds) }),
  ...(values.entries === undefined ? {} : { entries: readCount("entries", values.entries) }),
  ...(values.seconds === undefined ? {} : { seconds: readCount("seconds", values.seconds) }),
  ...(values.profile === undefined ? {} : { profileFolder: values.profile }),
};

const results: BenchResult[] = [];
const machine = await environment();
process.stdout.write(`${machine}\n`);
const selected = cases.filter(isSelected);
if (selected.length === 0) {
  const names = cases.map(({ name }) => name).join(", ");
  throw new RangeError(`Expected the pattern to match one of ${names}; got ${pattern}`);
}
for (const benchCase of selected) {
  const result = await runCase(benchCase, options);
  results.push(result);
  process.stdout.write(`\n${benchCase.name}. ${formatResult(result)}\n`);
}
if (values.write) {
  for (const document of documents) {
    writeInto(join(import.meta.dirname, "../..", document), results, machine);
  }
}

function readCount(flag: string, text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1)
    throw new RangeError(`Expected --${flag} to be an integer from 1, got ${text}`);
  return count;
}

function isSelected({ name, onlyByName = false }: { name: string; onlyByName?: boolean }): boolean {
  return pattern === undefined ? !onlyByName : new RegExp(pattern).test(name);
}
