/** What `logsvc query` prints when it is asked for counts: of all, by time, or by a field's values. */
import type { ListValuesResponse } from "@logsvc/client-node";
import { limits } from "@logsvc/proto";
import { formatCount, formatNoun } from "../output/format-count.ts";
import { bucketsToJson, formatHistogram } from "../output/histogram.ts";
import { neutraliseJson, neutraliseLine } from "../output/neutralise.ts";
import { useColor } from "../output/use-color.ts";
import { showWaiting } from "../output/waiting.ts";
import { type QueryRun, selectionOf, tellTime } from "./query-run.ts";

/** Rows of a histogram when nothing else is said: they fit a screen. */
const rowsDefault = 30;

/** Lines written at once. */
const groupLines = 500;

/** Prints how many entries match, in digits alone: for scripts as well. */
export async function printCount(run: QueryRun): Promise<number> {
  const { terminal, client, signal } = run;
  const startedAt = performance.now();
  const answer = client.count({ ...selectionOf(run), buckets: 1, signal });
  const { total } = await showWaiting(terminal.notices, "counting", answer);
  await terminal.output.write(`${total}\n`);
  tellTime(run, "counted", startedAt);
  return Number(total);
}

/** Prints how many entries match by time, and by level or another field; returns how many in all. */
export async function printHistogram(run: QueryRun): Promise<number> {
  const { flags, terminal, client, signal } = run;
  const { interval, groupBy = "level" } = flags;
  const startedAt = performance.now();
  const answer = client.count({
    ...selectionOf(run),
    groupBy,
    ...(interval === undefined ? { buckets: rowsDefault } : { interval, buckets: limits.bucketsMax }),
    signal,
  });
  const histogram = await showWaiting(terminal.notices, "counting", answer);
  const total = Number(histogram.total);
  if (total > 0 && flags.output === "pretty") {
    const { outputColumns: columns, outputIsTerminal } = terminal;
    const text = formatHistogram(histogram, {
      groupBy,
      color: useColor(flags.color, outputIsTerminal, process.env),
      utc: flags.utc ?? false,
      ...(columns === undefined ? {} : { columns }),
    });
    await terminal.output.write(text);
  } else if (total > 0) {
    const buckets = bucketsToJson(histogram);
    const lineOf = flags.output === "json" ? JSON.stringify : rawBucket;
    await printLines(
      run,
      buckets.map((bucket) => lineOf(bucket)),
    );
  }
  tellTime(run, `counted ${formatNoun(total, "entry", "entries")}`, startedAt);
  return total;
}

const rawBucket = ({ start, total }: { readonly start: string; readonly total: number }): string =>
  `${start}\t${total}`;

/** Prints a field's most frequent values, or the fields' names; returns how many there are. */
export async function printValues(run: QueryRun): Promise<number> {
  const { flags, terminal, client, signal } = run;
  const { values: field, limit = limits.valuesDefault } = flags;
  const startedAt = performance.now();
  const answer = client.values({
    ...selectionOf(run),
    ...(field === undefined ? {} : { field }),
    // A variable that asks entries for all, or for more, asks values for as many as there may be.
    limit: Math.min(limit === 0 ? limits.valuesMax : limit, limits.valuesMax),
    signal,
  });
  const found = await showWaiting(terminal.notices, "counting", answer);
  await printLines(run, valueLines(found, run));
  tellMissing(found, run);
  tellTime(run, `counted ${formatNoun(found.values.length, "value", "values")}`, startedAt);
  return found.values.length;
}

function valueLines({ values }: ListValuesResponse, { flags, terminal }: QueryRun): string[] {
  switch (flags.output) {
    case "json":
      return values.map(({ value, count }) => JSON.stringify({ value, count: Number(count) }));
    case "raw":
      return values.map(({ value }) => (terminal.outputIsTerminal ? neutraliseLine(value) : value));
    case "pretty": {
      const width = formatCount(Number(values[0]?.count ?? 0n)).length;
      return values.map(
        ({ value, count }) => `${formatCount(Number(count)).padStart(width)}  ${neutraliseLine(value)}`,
      );
    }
    default:
      return flags.output satisfies never;
  }
}

/** A list that is cut looks like a whole one: so it says what it is. */
function tellMissing({ values, distinct, truncated }: ListValuesResponse, { terminal }: QueryRun): void {
  const shown = formatCount(values.length);
  if (truncated) {
    const counted = `the server counted the first ${formatCount(Number(distinct))} different values it came upon`;
    terminal.notices.notice(`${shown} shown; ${counted}, and there are more`);
  } else if (distinct > values.length) {
    terminal.notices.notice(`${shown} of ${formatCount(Number(distinct))} shown; --limit shows more`);
  }
}

async function printLines({ flags, terminal }: QueryRun, lines: readonly string[]): Promise<void> {
  const { output, outputIsTerminal } = terminal;
  const isJson = flags.output === "json";
  for (let start = 0; start < lines.length; start += groupLines) {
    const text = lines
      .slice(start, start + groupLines)
      .map((line) => `${isJson && outputIsTerminal ? neutraliseJson(line) : line}\n`)
      .join("");
    await output.write(text);
  }
}
