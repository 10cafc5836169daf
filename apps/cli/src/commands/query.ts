/** `logsvc query`: searches what is stored, or counts it. */
import { Command } from "commander";
import { type ExitCode, exitCodes } from "../exit-code.ts";
import { clientFlags, openClient } from "../flags/client-flags.ts";
import { readFilter } from "../flags/filter-words.ts";
import { outputFlags } from "../flags/output-flags.ts";
import { type QueryFlags, type QueryKind, queryFlags, queryKindOf } from "../flags/query-flags.ts";
import type { Terminal } from "../terminal.ts";
import type { Choose } from "./chosen-command.ts";
import { printCount, printHistogram, printValues } from "./query-counts.ts";
import { printAround, printEntries } from "./query-entries.ts";
import type { QueryRun } from "./query-run.ts";
import { serverFailure } from "./server-trouble.ts";

const examples = `
Without --order it prints the latest entries that match, in the order of time,
like tail: the newest is the last line. With --limit 0 that is everything.

Examples:
  logsvc query --since 1h timeout
  logsvc query 'level:>=error' --since 2026-11-22 --until 2026-11-23 --limit 0
  logsvc query service:checkout --limit 0 --output json > checkout.ndjson
  logsvc query --count --since 1d level:error
  logsvc query --histogram --since 1d            by level, a row for each hour
  logsvc query --histogram --group-by service --interval 5m timeout
  logsvc query --values status service:api
  logsvc query --around 2cy0i7ap-17 --before 50  ids are in --output json`;

/** The command, which chooses the query that its flags ask for. */
export function queryCommand(choose: Choose): Command {
  const command = new Command("query")
    .description("search what is stored")
    .argument("[filter...]", "which entries, in the filter language; words are joined by spaces");
  for (const option of [...queryFlags(), ...outputFlags(), ...clientFlags()]) command.addOption(option);
  return command.addHelpText("after", examples).action((words: string[], flags: QueryFlags) => {
    const kind = queryKindOf(flags, words, (name) => command.getOptionValueSource(name) === "cli");
    choose({
      quiet: flags.quiet ?? false,
      run: (terminal) => runQuery(kind, words, flags, terminal),
    });
  });
}

async function runQuery(
  kind: QueryKind,
  words: readonly string[],
  flags: QueryFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  const filter = readFilter(words);
  const { notices, output, interruption } = terminal;
  using client = openClient(flags);
  const signal = AbortSignal.any([interruption.signal, output.closed]);
  try {
    const found = await printAnswer(kind, { filter, flags, terminal, client, signal });
    notices.clearProgress();
    return interruption.exitCode ?? (found > 0 ? exitCodes.ok : exitCodes.nothingFound);
  } catch (error) {
    // Stopped by the user, or by `| head`: no failure.
    if (interruption.exitCode !== undefined) return interruption.exitCode;
    if (output.closed.aborted) return exitCodes.ok;
    throw serverFailure(error, flags.url);
  }
}

/** Prints what was asked for, and returns how much was found. */
function printAnswer(kind: QueryKind, run: QueryRun): Promise<number> {
  switch (kind) {
    case "entries":
      return printEntries(run);
    case "around":
      return printAround(run);
    case "count":
      return printCount(run);
    case "histogram":
      return printHistogram(run);
    case "values":
    case "fields":
      return printValues(run);
    default:
      return kind satisfies never;
  }
}
