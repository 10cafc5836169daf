/**
 * Tables of results, with the machine and the versions they were taken on, and
 * their place in the docs: between `<!-- bench:NAME -->` and
 * `<!-- /bench:NAME -->`, which only this script writes.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import type { BenchResult } from "./bench-case.ts";

/** The machine and the versions, in a line. */
export function environment(): string {
  const cpu = cpus()[0]?.model.trim() ?? "unknown processor";
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${availableParallelism()} cores (${cpu}), ${memory} GiB, ${process.platform}, Node ${process.version}, SQLite ${process.versions["sqlite"]}`;
}

/** A result as a table in Markdown. */
export function formatResult({ benchCase, rows }: BenchResult): string {
  const lines = rows.map(
    ({ name, median, ratio }) => `| ${name} | ${formatFigure(median)} | ${ratio.toFixed(2)} |`,
  );
  return [
    `${benchCase.title}`,
    "",
    `| | ${benchCase.unit}, ${benchCase.better} is better | ratio |`,
    "| --- | --: | --: |",
    ...lines,
  ].join("\n");
}

/** Writes the tables into a document, each at its place; those without one are left out. */
export function writeInto(path: string, results: readonly BenchResult[]): void {
  const before = readFileSync(path, "utf8");
  const after = results.reduce((text, result) => {
    const { name } = result.benchCase;
    const place = new RegExp(`(<!-- bench:${name} -->\n)[^]*?(<!-- /bench:${name} -->)`);
    return text.replace(place, (_all, start: string, end: string) => {
      return `${start}${formatResult(result)}\n\n*${environment()}; median of the rounds, contestants in turn.*\n${end}`;
    });
  }, before);
  if (after !== before) writeFileSync(path, after);
}

function formatFigure(figure: number): string {
  return figure >= 1000
    ? Math.round(figure).toLocaleString("en").replaceAll(",", " ")
    : figure.toPrecision(3).replace(/\.?0+$/, "");
}
