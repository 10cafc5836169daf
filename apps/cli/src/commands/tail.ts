/** `logsvc tail`: follows the log, over any number of disconnects. */
import type { Tail, TailState } from "@logsvc/client-node";
import { limits } from "@logsvc/proto";
import { Command } from "commander";
import { CommandError, type ExitCode, exitCodes } from "../exit-code.ts";
import { type ClientFlags, clientFlags, openClient } from "../flags/client-flags.ts";
import { readFilter } from "../flags/filter-words.ts";
import { flag } from "../flags/flag.ts";
import { readInteger, readMoment, readTimeout } from "../flags/flag-values.ts";
import { type OutputFlags, openEntryWriter, outputFlags } from "../flags/output-flags.ts";
import type { EntryWriter } from "../output/entry-writer.ts";
import type { Notices } from "../output/notices.ts";
import type { Terminal } from "../terminal.ts";
import type { Choose } from "./chosen-command.ts";
import { connectionTrouble, serverFailure } from "./server-trouble.ts";

interface TailFlags extends ClientFlags, OutputFlags {
  readonly last?: number;
  readonly since?: bigint;
  readonly cursor?: string;
  readonly showCursor?: boolean;
  readonly retryTimeout: number;
}

/** Entries to begin with when nothing else is said: enough to see that it works. */
const lastDefault = 10;

const examples = `
Examples:
  logsvc tail
  logsvc tail 'level:>=warn' --last 100
  logsvc tail service:checkout timeout --since 15m
  logsvc tail --output json | jq .message
  logsvc tail -- -debug                 a filter that begins with a minus`;

/** The command, which chooses the tail that its flags ask for. */
export function tailCommand(choose: Choose): Command {
  const command = new Command("tail")
    .description("follow the log live: stored entries first, then each as it is accepted")
    .argument("[filter...]", "which entries, in the filter language; words are joined by spaces")
    .addOption(
      flag(
        "-n, --last <count>",
        `begin with the last entries that match (default: ${lastDefault})`,
      ).argParser(readInteger(0, limits.pageEntriesMax)),
    )
    .addOption(
      flag("--since <time>", "begin with this time: 15m (ago), 2026-11-22T09:36:40Z").argParser(readMoment),
    )
    .addOption(flag("--cursor <cursor>", "go on after this position").conflicts("last"))
    .addOption(flag("--show-cursor", "print the position on stderr at the end, for --cursor"))
    .addOption(
      flag("--retry-timeout <duration>", "give up when the server is away for so long; 0: never")
        .default(0, "0")
        .argParser(readTimeout),
    );
  for (const option of [...outputFlags(), ...clientFlags()]) command.addOption(option);
  return command
    .addHelpText("after", examples)
    .action((words: string[], flags: TailFlags) =>
      choose({ quiet: flags.quiet ?? false, run: (terminal) => runTail(words, flags, terminal) }),
    );
}

async function runTail(words: readonly string[], flags: TailFlags, terminal: Terminal): Promise<ExitCode> {
  const filter = readFilter(words);
  const { notices, output, interruption } = terminal;
  const watch = createOutageWatch(flags, notices);
  using client = openClient(flags);
  const tail = client.tail({
    filter,
    ...whereToBegin(flags),
    signal: AbortSignal.any([interruption.signal, output.closed, watch.expired]),
    onState: watch.onState,
  });
  try {
    await follow(tail, openEntryWriter(flags, terminal));
  } catch (error) {
    throw serverFailure(error, flags.url);
  }
  if (flags.showCursor && tail.cursor !== "") notices.warn(`cursor: ${tail.cursor}`);
  if (watch.expired.aborted) {
    throw new CommandError(`gave up: ${watch.trouble()}`, exitCodes.unreachable);
  }
  return interruption.exitCode ?? exitCodes.ok;
}

function whereToBegin({ cursor, since, last }: TailFlags): {
  cursor?: string;
  since?: bigint;
  last?: number;
} {
  return {
    ...(cursor === undefined ? {} : { cursor }),
    ...(since === undefined ? {} : { since }),
    ...(cursor === undefined && since === undefined ? { last: last ?? lastDefault } : {}),
    ...(last === undefined ? {} : { last }),
  };
}

async function follow(tail: Tail, writer: EntryWriter): Promise<void> {
  for await (const event of tail) {
    if (event.kind === "entries") await writer.entries(event.entries);
    else await writer.gap(event);
  }
}

/** Tells of the server's absence once each time, and ends it all when it lasts too long. */
interface OutageWatch {
  readonly onState: (state: TailState) => void;
  readonly expired: AbortSignal;
  readonly trouble: () => string;
}

function createOutageWatch(flags: TailFlags, notices: Notices): OutageWatch {
  const expiry = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let trouble = "";
  const onState = (state: TailState): void => {
    if (state.kind === "retrying") {
      if (trouble === "") notices.notice(`${connectionTrouble(flags.url, state.error)}; trying again`);
      trouble = connectionTrouble(flags.url, state.error);
      if (flags.retryTimeout > 0) timer ??= setTimeout(() => expiry.abort(), flags.retryTimeout);
    } else if (state.kind === "live" || state.kind === "behind") {
      if (trouble !== "") notices.notice(`connected to ${flags.url} again`);
      trouble = "";
      clearTimeout(timer);
      timer = undefined;
    }
  };
  return { onState, expired: expiry.signal, trouble: () => trouble };
}
