/** `logsvc query`: searches what is stored. */
import type { Query, QueryProgress, StoredEntry } from "@logsvc/client-node";
import { limits } from "@logsvc/proto";
import { Command } from "commander";
import { CommandError, type ExitCode, exitCodes } from "../exit-code.ts";
import { type ClientFlags, clientFlags, openClient } from "../flags/client-flags.ts";
import { readFilter } from "../flags/filter-words.ts";
import { flag } from "../flags/flag.ts";
import { readInteger, readMoment } from "../flags/flag-values.ts";
import { type OutputFlags, openEntryWriter, outputFlags } from "../flags/output-flags.ts";
import type { EntryWriter } from "../output/entry-writer.ts";
import { formatBytes, formatCount } from "../output/format-count.ts";
import type { Terminal } from "../terminal.ts";
import type { Choose } from "./chosen-command.ts";
import { serverFailure } from "./server-trouble.ts";

const orders = ["newest", "oldest"] as const;

interface QueryFlags extends ClientFlags, OutputFlags {
  readonly since?: bigint;
  readonly until?: bigint;
  readonly limit: number;
  readonly order?: (typeof orders)[number];
}

/** Entries printed at once. */
const groupEntries = 500;

/** Characters of entries held to be turned round, at the most: entries may be large. */
const heldLengthMax = 256 * 1024 * 1024;

const examples = `
Without --order it prints the latest entries that match, in the order of time,
like tail: the newest is the last line. With --limit 0 that is everything.

Examples:
  logsvc query --since 1h timeout
  logsvc query 'level:>=error' --since 2026-11-22 --until 2026-11-23 --limit 0
  logsvc query service:checkout --limit 0 --output json > checkout.ndjson`;

/** The command, which chooses the query that its flags ask for. */
export function queryCommand(choose: Choose): Command {
  const command = new Command("query")
    .description("search what is stored")
    .argument("[filter...]", "which entries, in the filter language; words are joined by spaces")
    .addOption(
      flag("--since <time>", "from this time on: 1h (ago), 2026-11-22, 2026-11-22T09:36:40Z").argParser(
        readMoment,
      ),
    )
    .addOption(flag("--until <time>", "before this time").argParser(readMoment))
    .addOption(
      flag("-n, --limit <count>", "how many entries at the most; 0: all")
        .default(limits.pageEntriesDefault)
        .argParser(readInteger(0, Number.MAX_SAFE_INTEGER)),
    )
    .addOption(flag("--order <order>", "by time, from this end on").choices(orders));
  for (const option of [...outputFlags(), ...clientFlags()]) command.addOption(option);
  return command.addHelpText("after", examples).action((words: string[], flags: QueryFlags) => {
    if (flags.order === undefined && flags.limit > limits.pageEntriesMax) {
      const needed = "needs --order newest or oldest, as so many can't be held to be turned round";
      throw new CommandError(`--limit above ${limits.pageEntriesMax} ${needed}`, exitCodes.usage);
    }
    choose({ quiet: flags.quiet ?? false, run: (terminal) => runQuery(words, flags, terminal) });
  });
}

async function runQuery(words: readonly string[], flags: QueryFlags, terminal: Terminal): Promise<ExitCode> {
  const filter = readFilter(words);
  const { notices, output, interruption } = terminal;
  using client = openClient(flags);
  const query = client.query({
    filter,
    ...(flags.since === undefined ? {} : { start: flags.since }),
    ...(flags.until === undefined ? {} : { end: flags.until }),
    order: flags.order ?? (flags.limit === 0 ? "oldest" : "newest"),
    limit: flags.limit === 0 ? Number.POSITIVE_INFINITY : flags.limit,
    signal: AbortSignal.any([interruption.signal, output.closed]),
    onProgress: (progress) => notices.progress(() => describeProgress(progress)),
  });
  const isTurnedRound = flags.order === undefined && flags.limit !== 0;
  try {
    const writer = openEntryWriter(flags, terminal);
    const found = await (isTurnedRound ? printTurnedRound(query, writer) : print(query, writer));
    notices.clearProgress();
    return interruption.exitCode ?? (found > 0 ? exitCodes.ok : exitCodes.nothingFound);
  } catch (error) {
    // Stopped by the user, or by `| head`: no failure.
    if (interruption.exitCode !== undefined) return interruption.exitCode;
    if (output.closed.aborted) return exitCodes.ok;
    throw serverFailure(error, flags.url);
  }
}

async function print(query: Query, writer: EntryWriter): Promise<number> {
  let found = 0;
  for await (const entries of query.batches()) {
    found += entries.length;
    await writer.entries(entries);
  }
  return found;
}

/** @throws CommandError when the entries are too large to be held. */
async function printTurnedRound(query: Query, writer: EntryWriter): Promise<number> {
  const held: StoredEntry[] = [];
  let heldLength = 0;
  for await (const entries of query.batches()) {
    for (const stored of entries) heldLength += lengthOf(stored);
    if (heldLength > heldLengthMax) {
      const needed = "use --order newest or oldest, or a smaller --limit";
      throw new CommandError(
        `these entries have more than ${formatBytes(heldLengthMax)}, too much to be turned round: ${needed}`,
      );
    }
    held.push(...entries);
  }
  held.reverse();
  for (let start = 0; start < held.length; start += groupEntries) {
    await writer.entries(held.slice(start, start + groupEntries));
  }
  return held.length;
}

function lengthOf({ entry }: StoredEntry): number {
  let length = entry?.message.length ?? 0;
  for (const [key, value] of Object.entries(entry?.attributes ?? {})) length += key.length + value.length;
  return length;
}

function describeProgress(progress: QueryProgress): string {
  const bytes = progress.bytesScanned + progress.bytesSkipped;
  return `searched ${formatBytes(bytes)}, found ${formatCount(progress.matches)}`;
}
