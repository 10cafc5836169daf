/** `logsvc ship` without --follow: standard input, or files, read once from start to end. */
import {
  ConnectError,
  createShipper,
  isRetryable,
  type LogShipper,
  type ShipperState,
} from "@logsvc/client-node";
import { CommandError, type ExitCode, exitCodes } from "../exit-code.ts";
import { connectionOptions } from "../flags/client-flags.ts";
import { recogniseOptions } from "../flags/line-flags.ts";
import type { ShipFlags } from "../flags/ship-flags.ts";
import type { LineEntry } from "../lines/line-fields.ts";
import { openSource, SourceError, standardInputName } from "../lines/open-source.ts";
import { createLineRecogniser } from "../lines/recognise-line.ts";
import { createLineCounts, type LineCounts, shipLines } from "../lines/ship-lines.ts";
import { formatCount } from "../output/format-count.ts";
import type { Notices } from "../output/notices.ts";
import type { Terminal } from "../terminal.ts";
import { createOutageTeller, createRejectionTeller, describeDelivery } from "./delivery.ts";
import { serverFailure } from "./server-trouble.ts";
import { startRates } from "./ship-rates.ts";
import { createStop } from "./stop.ts";

/** A line waits so long for others, in milliseconds: not to be seen, and enough for those that come together. */
const batchAgeMsMax = 10;

/** Ships standard input, or files. */
export async function shipInput(
  files: readonly string[],
  flags: ShipFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  const { notices, interruption } = terminal;
  const names = files.length > 0 ? files : [standardInputName];
  const readsPipe = names.includes(standardInputName) && !process.stdin.isTTY;
  const stop = createStop(interruption, readsPipe);
  const shipping = openShipping(flags, notices, stop.giveUp);
  const { shipper, counts } = shipping;
  const rates = startRates(notices, () => ({ entries: shipper.summary.accepted, more: [] }));
  let unreadable = 0;
  try {
    unreadable = await shipAll(names, flags, shipping, { notices, stopReading: stop.reading });
    await shipping.flush();
  } catch (error) {
    // Given up after a signal: the summary says how much is not acknowledged.
    if (stop.giveUp.aborted && interruption.exitCode !== undefined) return interruption.exitCode;
    throw serverFailure(error, flags.url);
  } finally {
    stop.done();
    await shipper.close({ timeoutMs: 0 });
    rates.stop();
    notices.notice(describe(shipper, counts, flags));
  }
  return shipper.summary.rejected + unreadable > 0 ? exitCodes.failed : exitCodes.ok;
}

/** A shipper that the user is told of, and what it takes to wait for it. */
interface Shipping {
  readonly shipper: LogShipper;
  readonly counts: LineCounts;
  /** Takes entries; resolves when there is room for more. Throws when it was given up. */
  send(entries: readonly LineEntry[]): Promise<void>;
  /** Resolves when everything is settled. Throws when it was given up. */
  flush(): Promise<void>;
}

function openShipping(flags: ShipFlags, notices: Notices, giveUp: AbortSignal): Shipping {
  const shipper = createShipper({
    ...connectionOptions(flags),
    overflow: "block",
    batchAgeMsMax,
    ...(flags.spool === undefined ? {} : { spool: flags.spool }),
  });
  const failure = Promise.withResolvers<never>();
  // Only what waits for it is to see it.
  failure.promise.catch(() => undefined);
  giveUp.addEventListener("abort", () => failure.reject(new CommandError("given up")));
  const tellRejection = createRejectionTeller(notices);
  shipper.on("rejected", ({ entry, reason }) => tellRejection("an entry", reason, entry.message));
  shipper.on("fault", ({ message }) => notices.warn(`logsvc: ${message}`));
  shipper.on("state", createOutageWatch(flags, notices, failure.reject));
  const settled = async (waiting: Promise<unknown>): Promise<void> => {
    await Promise.race([waiting, failure.promise]);
  };
  return {
    shipper,
    counts: createLineCounts(),
    send: async (entries) => {
      for (const entry of entries) if (!shipper.write(entry)) await settled(shipper.ready());
    },
    flush: () => settled(shipper.flush()),
  };
}

/** Tells outages, and gives up on what no retry mends and after --retry-timeout. */
function createOutageWatch(
  { url, retryTimeout }: ShipFlags,
  notices: Notices,
  giveUp: (error: ConnectError) => void,
): (state: ShipperState) => void {
  const tellOutage = createOutageTeller(url, notices);
  let last: ConnectError | undefined;
  let timer: NodeJS.Timeout | undefined;
  return (state) => {
    if (state.kind === "retrying") {
      last = state.error;
      if (!isRetryable(state.error)) giveUp(state.error);
      else tellOutage(state.error);
      if (retryTimeout > 0)
        timer ??= setTimeout(() => giveUp(last ?? ConnectError.from(undefined)), retryTimeout);
    } else if (state.kind !== "connecting") {
      clearTimeout(timer);
      timer = undefined;
      if (state.kind === "open") tellOutage(undefined);
    }
  };
}

/** Ships what can be read, as `cat` does; returns how many files could not, each of which is told. */
async function shipAll(
  names: readonly string[],
  flags: ShipFlags,
  { send, counts }: Shipping,
  { notices, stopReading }: { readonly notices: Notices; readonly stopReading: AbortSignal },
): Promise<number> {
  const { multiline } = flags;
  let unreadable = 0;
  for (const name of names) {
    if (stopReading.aborted) break;
    try {
      const source = await openSource(name, stopReading);
      const recognise = createLineRecogniser(recogniseOptions(flags));
      await shipLines(source, send, { recognise, counts, multiline });
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      unreadable++;
      notices.warn(`logsvc: ${error.message}`);
    }
  }
  return unreadable;
}

function describe({ summary }: LogShipper, counts: LineCounts, flags: ShipFlags): string {
  const parts = [describeDelivery("shipped", summary, counts)];
  if (summary.recovered > 0) parts.push(`${formatCount(summary.recovered)} of an earlier run`);
  if (summary.pending > 0 && flags.spool !== undefined)
    parts.push(`${formatCount(summary.spooled.entries)} of them kept in ${flags.spool}`);
  return parts.join(", ");
}
