/**
 * `logsvc import`: brings the lines of old files into the log, once.
 *
 * A repeat of an import that was broken off goes on where it was: the producer
 * id is a hash of the file's path and contents and of the flags that shape its
 * entries, and an entry's sequence is its place in the file. What was stored
 * before is recognised by the server and not stored again. A file that has
 * grown is another file: storing lines twice is better than taking new ones
 * for old.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { realpath } from "node:fs/promises";
import type { BatchSender, NodeLogClient } from "@logsvc/client-node";
import { Command } from "commander";
import { type ExitCode, exitCodes } from "../exit-code.ts";
import { type ClientFlags, clientFlags, openClient } from "../flags/client-flags.ts";
import { flag } from "../flags/flag.ts";
import { readTimeout } from "../flags/flag-values.ts";
import { type LineFlags, lineFlags, recogniseOptions } from "../flags/line-flags.ts";
import { type LogSource, openSource, SourceError } from "../lines/open-source.ts";
import { createLineRecogniser } from "../lines/recognise-line.ts";
import { createLineCounts, type LineCounts, shipLines } from "../lines/ship-lines.ts";
import { formatBytes, formatCount, formatDuration } from "../output/format-count.ts";
import type { Notices } from "../output/notices.ts";
import { formatProgressBar } from "../output/progress-bar.ts";
import type { Terminal } from "../terminal.ts";
import type { Choose } from "./chosen-command.ts";
import { describeDelivery, openDelivery } from "./delivery.ts";
import { serverFailure } from "./server-trouble.ts";

interface ImportFlags extends ClientFlags, LineFlags {
  readonly dedup: boolean;
  readonly retryTimeout: number;
  readonly quiet?: boolean;
}

/** Long enough for a restart of the server. */
const retryTimeoutDefaultMs = 60_000;

/** Hashed at once. */
const hashedBytes = 1024 * 1024;

/** Between two drawings of the progress. */
const drawIntervalMs = 200;

/** Of a file's name, in the progress: its end says more than its beginning. */
const nameLengthMax = 20;

const examples = `
Files may be packed with gzip or Zstandard. Lines are told as by ship; a line
without a time gets the time of the line before it. The same import again, after
a break, goes on where it was and stores nothing twice.

Examples:
  logsvc import app.log.1.gz app.log
  logsvc import --service api --parse-time old.log
  zcat *.gz | logsvc import -`;

/** The command, which chooses to import as its flags ask for. */
export function importCommand(choose: Choose): Command {
  const command = new Command("import")
    .description("bring old files into the log, once")
    .argument("<file...>", "files, plain, .gz or .zst; - is standard input");
  for (const option of lineFlags()) command.addOption(option);
  command
    .addOption(flag("--no-dedup", "store the lines even if this file was imported before"))
    .addOption(
      flag("--retry-timeout <duration>", "give up when the server is away for so long; 0: never")
        .default(retryTimeoutDefaultMs, "60s")
        .argParser(readTimeout),
    )
    .addOption(flag("-q, --quiet", "no progress and no summary, only rejections and errors"));
  for (const option of clientFlags()) command.addOption(option);
  return command
    .addHelpText("after", examples)
    .action((files: string[], flags: ImportFlags) =>
      choose({ quiet: flags.quiet ?? false, run: (terminal) => runImport(files, flags, terminal) }),
    );
}

async function runImport(
  files: readonly string[],
  flags: ImportFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  const { interruption } = terminal;
  using client = openClient(flags);
  let failed = 0;
  for (const file of files) {
    try {
      failed += await importFile(file, flags, client, terminal);
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      // As `cat` does, it goes on with the files that can be read.
      terminal.notices.warn(`logsvc: ${error.message}`);
      failed++;
    }
    if (interruption.exitCode !== undefined) {
      if (flags.dedup) terminal.notices.notice("interrupted; the same command again goes on where it was");
      return interruption.exitCode;
    }
  }
  return failed > 0 ? exitCodes.failed : exitCodes.ok;
}

/** Imports one file; returns how many of its entries were rejected. */
async function importFile(
  file: string,
  flags: ImportFlags,
  client: NodeLogClient,
  { notices, interruption }: Terminal,
): Promise<number> {
  const source = await openSource(file, interruption.signal);
  // A pipe can be read only once, so only a file that has a size is recognised.
  const producerId =
    flags.dedup && source.bytesTotal !== undefined
      ? await producerIdOf(file, flags, {
          notices,
          signal: interruption.signal,
          bytesTotal: source.bytesTotal,
        })
      : undefined;
  const sender = openDelivery({
    client,
    url: flags.url,
    notices,
    signal: interruption.signal,
    retryTimeoutMs: flags.retryTimeout,
    ...(producerId === undefined ? {} : { producerId }),
  });
  const counts = createLineCounts();
  const startedAt = performance.now();
  const drawing = setInterval(() => drawProgress(notices, source, sender, startedAt), drawIntervalMs);
  try {
    const recognise = createLineRecogniser({ ...recogniseOptions(flags), carryTime: true });
    try {
      await shipLines(source, (entries) => sender.send(entries), { recognise, counts });
    } finally {
      // What was read before a damaged place is delivered all the same.
      await sender.close();
    }
  } catch (error) {
    // Interrupted, what is not acknowledged stays so: the summary says how much.
    if (interruption.exitCode === undefined) throw serverFailure(error, flags.url);
  } finally {
    clearInterval(drawing);
    notices.clearProgress();
    notices.notice(describeImport(source, sender, counts, performance.now() - startedAt));
  }
  return sender.summary.rejected;
}

interface Hashing {
  readonly notices: Notices;
  readonly signal: AbortSignal;
  readonly bytesTotal: number;
}

/** Reads the whole file, which takes a while where it is large. */
async function producerIdOf(file: string, flags: ImportFlags, hashing: Hashing): Promise<string> {
  const { service, level, label, format, parseTime } = flags;
  const { notices, signal, bytesTotal } = hashing;
  const hash = createHash("sha256");
  let bytesHashed = 0;
  try {
    const shape = [await realpath(file), service, level, [...(label ?? [])], format, parseTime];
    hash.update(JSON.stringify(shape));
    for await (const chunk of createReadStream(file, { highWaterMark: hashedBytes })) {
      // Nothing will be sent any more: what the id is no longer matters.
      if (signal.aborted) break;
      hash.update(chunk);
      bytesHashed += chunk.length;
      notices.progress((columns) => {
        const head = `${shortName(file)}  looking whether it was imported before  `;
        return head + formatProgressBar(bytesHashed / bytesTotal, columns - head.length);
      });
    }
  } catch (error) {
    throw new SourceError(file, error);
  }
  return `import-${hash.digest("hex")}`;
}

function drawProgress(notices: Notices, source: LogSource, sender: BatchSender, startedAt: number): void {
  notices.progress((columns) => {
    const elapsedMs = performance.now() - startedAt;
    const { name, bytesTotal } = source;
    const bytesRead = source.bytesRead();
    const rate = `${formatCount(entriesPerSecond(sender, elapsedMs))} entries/s`;
    if (bytesTotal === undefined) {
      const entries = `${formatCount(sender.summary.accepted)} entries`;
      return `${shortName(name)}  ${formatBytes(bytesRead)}  ${entries}  ${rate}`;
    }
    const part = bytesRead / Math.max(bytesTotal, 1);
    const bytes = `${formatBytes(bytesRead)} of ${formatBytes(bytesTotal)}`;
    const texts = [shortName(name), bytes, rate];
    // The first moments say nothing of those to come.
    if (elapsedMs > 1000 && part > 0 && part < 1) {
      texts.push(`${formatDuration((elapsedMs / part) * (1 - part))} left`);
    }
    const room = columns - texts.join("  ").length - 2;
    return texts.toSpliced(1, 0, formatProgressBar(part, room)).join("  ");
  });
}

function shortName(name: string): string {
  const characters = [...name];
  return characters.length <= nameLengthMax ? name : `…${characters.slice(1 - nameLengthMax).join("")}`;
}

const entriesPerSecond = (sender: BatchSender, elapsedMs: number): number =>
  (sender.summary.accepted / Math.max(elapsedMs, 1)) * 1000;

function describeImport(
  source: LogSource,
  sender: BatchSender,
  counts: LineCounts,
  elapsedMs: number,
): string {
  const { name, bytesTotal } = source;
  const bytesRead = source.bytesRead();
  const summary = describeDelivery("imported", sender.summary, counts);
  // Broken off: how far it came.
  const isWhole = bytesTotal === undefined || bytesRead >= bytesTotal;
  const far = isWhole ? "" : `; ${formatBytes(bytesRead)} of ${formatBytes(bytesTotal)} read`;
  const rate = `${formatCount(entriesPerSecond(sender, elapsedMs))} entries/s`;
  return `${name}: ${summary}${far}; ${formatDuration(elapsedMs)}, ${rate}`;
}
