/** What `logsvc query` prints when it is asked for entries: those that match, or those around one. */
import type { Query, StoredEntry } from "@logsvc/client-node";
import { limits } from "@logsvc/proto";
import { CommandError } from "../exit-code.ts";
import { openEntryWriter } from "../flags/output-flags.ts";
import { neighboursDefault } from "../flags/query-flags.ts";
import type { EntryWriter } from "../output/entry-writer.ts";
import { formatBytes, formatNoun } from "../output/format-count.ts";
import { formatProgress, formatStats } from "../output/search-cost.ts";
import { showWaiting } from "../output/waiting.ts";
import { type QueryRun, selectionOf, tellTime } from "./query-run.ts";

/** Entries printed at once. */
const groupEntries = 500;

/** Characters of entries held to be turned round, at the most: entries may be large. */
const heldLengthMax = 256 * 1024 * 1024;

/** Prints the entries that match; returns how many. */
export async function printEntries(run: QueryRun): Promise<number> {
  const { flags, terminal, client, signal } = run;
  const { notices } = terminal;
  const limit = flags.limit ?? limits.pageEntriesDefault;
  const startedAt = performance.now();
  const query = client.query({
    ...selectionOf(run),
    order: flags.order ?? (limit === 0 ? "oldest" : "newest"),
    limit: limit === 0 ? Number.POSITIVE_INFINITY : limit,
    signal,
    onProgress: (progress) => notices.progress(() => formatProgress(progress, performance.now() - startedAt)),
  });
  const isTurnedRound = flags.order === undefined && limit !== 0;
  const writer = openEntryWriter(flags, terminal);
  const found = await (isTurnedRound ? printTurnedRound(query, writer) : print(query, writer));
  if (flags.stats) notices.warn(formatStats(query.progress, performance.now() - startedAt));
  return found;
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
  await printGroups(held, writer);
  return held.length;
}

async function printGroups(entries: readonly StoredEntry[], writer: EntryWriter): Promise<void> {
  for (let start = 0; start < entries.length; start += groupEntries) {
    await writer.entries(entries.slice(start, start + groupEntries));
  }
}

function lengthOf({ entry }: StoredEntry): number {
  let length = entry?.message.length ?? 0;
  for (const [key, value] of Object.entries(entry?.attributes ?? {})) length += key.length + value.length;
  return length;
}

/** Prints an entry with its neighbours, in the order of the log; returns how many. */
export async function printAround(run: QueryRun): Promise<number> {
  const { flags, terminal, client, signal } = run;
  const { around: id = "", before = neighboursDefault, after = neighboursDefault } = flags;
  const startedAt = performance.now();
  // The API takes as many of either side: what is too many of one is left out here.
  const answer = client.around(id, { limit: 2 * Math.max(before, after) + 1, signal });
  const found = await showWaiting(terminal.notices, "looking for it", answer);
  const at = found.findIndex((stored) => stored.id === id);
  const shown = found.slice(Math.max(0, at - before), at + after + 1);
  await printGroups(shown, openEntryWriter(flags, terminal, id));
  tellTime(run, `read ${formatNoun(shown.length, "entry", "entries")}`, startedAt);
  return shown.length;
}
