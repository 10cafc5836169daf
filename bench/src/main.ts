/**
 * `pnpm bench [word]`: runs the cases whose name holds the word and prints
 * their tables. With `--write` the tables in the docs are written anew.
 *
 * Figures are of this machine, now. Only the ratios, taken in one run, may be
 * compared with another run's.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type BenchResult, runCase } from "./bench-case.ts";
import { answer } from "./cases/answer.ts";
import { append } from "./cases/append.ts";
import { write } from "./cases/write.ts";
import { environment, formatResult, writeInto } from "./report.ts";

const cases = [append, answer, write];
const documents = ["README.md"];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { write: { type: "boolean", default: false }, rounds: { type: "string", default: "5" } },
});
const pattern = new RegExp(positionals[0] ?? "");

const results: BenchResult[] = [];
process.stdout.write(`${environment()}\n`);
for (const benchCase of cases.filter(({ name }) => pattern.test(name))) {
  const result = await runCase(benchCase, Number(values.rounds));
  results.push(result);
  process.stdout.write(`\n${formatResult(result)}\n`);
}
if (values.write) {
  for (const document of documents) writeInto(join(import.meta.dirname, "../..", document), results);
}
