/** `logsvc ship`: sends the lines of standard input, or of files, and sees to it that they arrive. */
import type { BatchSender } from "@logsvc/client-node";
import { Command } from "commander";
import { type ExitCode, exitCodes } from "../exit-code.ts";
import { type ClientFlags, clientFlags, openClient } from "../flags/client-flags.ts";
import { flag } from "../flags/flag.ts";
import { readTimeout } from "../flags/flag-values.ts";
import { type LineFlags, lineFlags, recogniseOptions } from "../flags/line-flags.ts";
import type { Interruption } from "../interruption.ts";
import { openSource, SourceError, standardInputName } from "../lines/open-source.ts";
import { createLineRecogniser } from "../lines/recognise-line.ts";
import { createLineCounts, type LineCounts, shipLines } from "../lines/ship-lines.ts";
import type { Notices } from "../output/notices.ts";
import type { Terminal } from "../terminal.ts";
import type { Choose } from "./chosen-command.ts";
import { describeDelivery, openDelivery } from "./delivery.ts";
import { serverFailure } from "./server-trouble.ts";

interface ShipFlags extends ClientFlags, LineFlags {
  readonly retryTimeout: number;
  readonly quiet?: boolean;
}

/**
 * Ctrl-C reaches the program before us in a pipe as well: its last words are
 * still read, but not for longer than this.
 */
const lastWordsMs = 5_000;

/** How long what was read may take to be acknowledged after a signal. */
const flushMs = 10_000;

const examples = `
Each line is told by itself: JSON (pino, bunyan, winston, zap, zerolog, logrus,
our own --output json, …), logfmt or plain text. Ends with 0 only when every
entry is acknowledged, which means it is on the server's disk.

Examples:
  myapp | logsvc ship --service api
  myapp 2>&1 | logsvc ship --service api --label env=prod,region=eu
  logsvc ship --service nginx access.log error.log`;

/** The command, which chooses to ship as its flags ask for. */
export function shipCommand(choose: Choose): Command {
  const command = new Command("ship")
    .description("send the lines of standard input, or of files, as entries")
    .argument("[file...]", "files, read once from start to end, also packed; - is standard input");
  for (const option of lineFlags()) command.addOption(option);
  command
    .addOption(
      flag("--retry-timeout <duration>", "give up when the server is away for so long; 0: never")
        .default(0, "0")
        .argParser(readTimeout),
    )
    .addOption(flag("-q, --quiet", "no summary on stderr, only rejections and errors"));
  for (const option of clientFlags()) command.addOption(option);
  return command
    .addHelpText("after", examples)
    .action((files: string[], flags: ShipFlags) =>
      choose({ quiet: flags.quiet ?? false, run: (terminal) => runShip(files, flags, terminal) }),
    );
}

async function runShip(files: readonly string[], flags: ShipFlags, terminal: Terminal): Promise<ExitCode> {
  const { notices, interruption } = terminal;
  const names = files.length > 0 ? files : [standardInputName];
  const stop = createStop(interruption, names.includes(standardInputName));
  using client = openClient(flags);
  const sender = openDelivery({
    client,
    url: flags.url,
    notices,
    signal: stop.giveUp,
    retryTimeoutMs: flags.retryTimeout,
  });
  const counts = createLineCounts();
  let unreadable = 0;
  try {
    unreadable = await shipAll(names, flags, { sender, counts, notices, stopReading: stop.reading });
    await sender.close();
  } catch (error) {
    // Given up after a signal: the summary says how much is not acknowledged.
    if (stop.giveUp.aborted && interruption.exitCode !== undefined) return interruption.exitCode;
    throw serverFailure(error, flags.url);
  } finally {
    stop.done();
    notices.notice(describeDelivery("shipped", sender, counts));
  }
  return sender.summary.rejected + unreadable > 0 ? exitCodes.failed : exitCodes.ok;
}

interface Shipping {
  readonly sender: BatchSender;
  readonly counts: LineCounts;
  readonly notices: Notices;
  readonly stopReading: AbortSignal;
}

/** Ships what can be read, as `cat` does; returns how many files could not, each of which is told. */
async function shipAll(names: readonly string[], flags: ShipFlags, shipping: Shipping): Promise<number> {
  const { sender, counts, notices, stopReading } = shipping;
  let unreadable = 0;
  for (const name of names) {
    if (stopReading.aborted) break;
    try {
      const source = await openSource(name, stopReading);
      await shipLines(source, createLineRecogniser(recogniseOptions(flags)), sender, counts);
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      unreadable++;
      notices.warn(`logsvc: ${error.message}`);
    }
  }
  return unreadable;
}

/** What a signal means here: stop reading, later give up what is not acknowledged. */
interface Stop {
  readonly reading: AbortSignal;
  readonly giveUp: AbortSignal;
  done(): void;
}

function createStop(interruption: Interruption, readsStandardInput: boolean): Stop {
  const reading = new AbortController();
  const giveUp = new AbortController();
  const timers: NodeJS.Timeout[] = [];
  interruption.signal.addEventListener("abort", () => {
    const isCtrlC = interruption.exitCode === exitCodes.interrupted;
    const readMs = isCtrlC && readsStandardInput && !process.stdin.isTTY ? lastWordsMs : 0;
    timers.push(setTimeout(() => reading.abort(), readMs));
    timers.push(setTimeout(() => giveUp.abort(), readMs + flushMs));
  });
  return {
    reading: reading.signal,
    giveUp: giveUp.signal,
    done: () => {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
