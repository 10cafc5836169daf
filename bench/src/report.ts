/**
 * Tables of results, with the machine and the versions they were taken on, and
 * their place in the docs: between `<!-- bench:NAME -->` and
 * `<!-- /bench:NAME -->`, which only this script writes.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { availableParallelism, cpus, totalmem } from "node:os";
import type { BenchResult, Comparison, Figures } from "./bench-case.ts";
import { goVersions } from "./go-peer.ts";

/** The machine and the versions, in a line. */
export async function environment(): Promise<string> {
  const cpu = cpus()[0]?.model.trim() ?? "unknown processor";
  const memory = Math.round(totalmem() / 2 ** 30);
  return [
    `${availableParallelism()} cores (${cpu}), ${memory} GiB, ${process.platform}`,
    `Node ${process.version}, SQLite ${process.versions["sqlite"]}`,
    `grpc-js ${versionOf("@grpc/grpc-js")}, Connect ${versionOf("@connectrpc/connect")}`,
    await goVersions(),
  ]
    .filter((part) => part !== undefined)
    .join(", ");
}

/** A result as a table in Markdown; below it what is to be known of the run, and who could not take part. */
export function formatResult({ benchCase, rows, leftOut, notes }: BenchResult): string {
  const { columns, compared } = benchCase;
  const ours = rows[0]?.medians ?? {};
  const ratioHeading = compared === undefined ? [] : [compared.each ?? "ours is better"];
  const cells = rows.map(({ name, medians }, index) => [
    name,
    ...(compared === undefined ? [] : [index === 0 ? "" : formatRatio(compared, ours, medians)]),
    ...columns.map((column) => formatFigure(medians[column])),
  ]);
  return [
    benchCase.title,
    "",
    `| | ${[...ratioHeading, ...columns].join(" | ")} |`,
    `| --- |${" --: |".repeat(ratioHeading.length + columns.length)}`,
    ...cells.map((row) => `| ${row.join(" | ")} |`),
    ...notes.flatMap((note) => ["", note]),
    ...leftOut.flatMap((reason) => ["", `Left out: ${reason}.`]),
  ].join("\n");
}

/** Writes the tables into a document, each at its place, where it has one. A table that nobody could take stays as it was. */
export function writeInto(path: string, results: readonly BenchResult[], machine: string): void {
  if (!existsSync(path)) return;
  const before = readFileSync(path, "utf8");
  const taken = results.filter(({ rows }) => rows.length > 0);
  const after = taken.reduce((text, result) => {
    const { name } = result.benchCase;
    const place = new RegExp(`(<!-- bench:${name} -->\n)[^]*?(<!-- /bench:${name} -->)`);
    return text.replace(place, (_all, start: string, end: string) => {
      const rounds = result.rounds === 1 ? "one round" : `median of ${result.rounds} rounds, in turn`;
      return `${start}${formatResult(result)}\n\n*${machine}; ${rounds}.*\n${end}`;
    });
  }, before);
  if (after !== before) writeFileSync(path, after);
}

/** Of a package as it is installed. */
function versionOf(name: string): string {
  const manifest = findPackageJSON(name, import.meta.url);
  return manifest === undefined ? "unknown" : JSON.parse(readFileSync(manifest, "utf8")).version;
}

function formatRatio({ column, better, each }: Comparison, ours: Figures, theirs: Figures): string {
  const more = (ours[column] ?? Number.NaN) / (theirs[column] ?? Number.NaN);
  return `${formatFigure((better === "more") === (each === undefined) ? more : 1 / more)} ×`;
}

/** A figure as the tables have it: three digits that count, thousands apart. */
export function formatFigure(figure: number | undefined): string {
  if (figure === undefined || Number.isNaN(figure)) return "–";
  if (figure >= 1000) return Math.round(figure).toLocaleString("en").replaceAll(",", " ");
  return figure >= 100 ? figure.toFixed(0) : String(Number(figure.toPrecision(3)));
}
