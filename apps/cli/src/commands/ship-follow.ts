/** `logsvc ship --follow`: files that grow, until a signal ends it. */
import { type ExitCode, exitCodes } from "../exit-code.ts";
import { openClient } from "../flags/client-flags.ts";
import { recogniseOptions } from "../flags/line-flags.ts";
import { type ShipFlags, stateFolder } from "../flags/ship-flags.ts";
import { createBatchDelivery, type DeliveryCounts } from "../follow/deliver-batch.ts";
import { type FollowCounts, followFiles } from "../follow/follow-files.ts";
import type { FollowContext } from "../follow/followed-file.ts";
import { openPositions } from "../follow/positions.ts";
import { joinWaitMsDefault, LineJoiner } from "../lines/join-lines.ts";
import { createLineRecogniser } from "../lines/recognise-line.ts";
import { createLineCounts, type LineCounts, lineBytesMax } from "../lines/ship-lines.ts";
import { formatBytes, formatNoun } from "../output/format-count.ts";
import type { Notices } from "../output/notices.ts";
import type { Terminal } from "../terminal.ts";
import { createOutageTeller, createRejectionTeller, describeDelivery } from "./delivery.ts";
import { serverFailure } from "./server-trouble.ts";
import { startRates } from "./ship-rates.ts";
import { createStop, type Stop } from "./stop.ts";

/** Follows files until a signal. */
export async function shipFollowed(
  patterns: readonly string[],
  flags: ShipFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  const { notices, interruption } = terminal;
  const positions = openPositions(flags.spool ?? stateFolder(process.env));
  using client = openClient(flags);
  const stop = createStop(interruption, false);
  const delivery: DeliveryCounts = { accepted: 0, duplicates: 0, rejected: 0 };
  const following: FollowCounts = { files: 0, truncations: 0, missedBytes: 0 };
  const lines = createLineCounts();
  const rates = startRates(notices, () => ({
    entries: delivery.accepted,
    more: [formatNoun(following.files, "file", "files")],
  }));
  const context: FollowContext = {
    positions,
    deliver: createBatchDelivery(deliveryOptions(flags, { client, counts: delivery, stop, notices })),
    counts: lines,
    createRecogniser: () => createLineRecogniser(recogniseOptions(flags)),
    createJoiner: () => new LineJoiner({ multiline: flags.multiline, bytesMax: lineBytesMax }),
    joinWaitMs: joinWaitMsDefault,
  };
  try {
    await followFiles({
      patterns,
      context,
      counts: following,
      shape: `multiline ${String(flags.multiline)}`,
      notice: (text) => notices.notice(text),
      warn: (text) => notices.warn(`logsvc: ${text}`),
      signal: stop.reading,
    });
  } catch (error) {
    // Given up after a signal: what is not acknowledged is read again by the next run.
    if (!stop.giveUp.aborted || interruption.exitCode === undefined) throw serverFailure(error, flags.url);
    notices.warn("logsvc: not everything is acknowledged; the same command again goes on where it was");
    return interruption.exitCode;
  } finally {
    stop.done();
    rates.stop();
    positions.close();
    notices.notice(describe(delivery, following, lines));
  }
  return delivery.rejected + following.missedBytes > 0 ? exitCodes.failed : exitCodes.ok;
}

interface Delivering {
  readonly client: ReturnType<typeof openClient>;
  readonly counts: DeliveryCounts;
  readonly stop: Stop;
  readonly notices: Notices;
}

function deliveryOptions(
  flags: ShipFlags,
  { client, counts, stop, notices }: Delivering,
): Parameters<typeof createBatchDelivery>[0] {
  const tellRejection = createRejectionTeller(notices);
  return {
    client,
    counts,
    signal: stop.giveUp,
    retryTimeoutMs: flags.retryTimeout,
    onRejected: (entry, reason, path) => tellRejection(`a line of ${path}`, reason, entry.message),
    onOutage: createOutageTeller(flags.url, notices),
  };
}

function describe(delivery: DeliveryCounts, following: FollowCounts, lines: LineCounts): string {
  const parts = [describeDelivery("shipped", { ...delivery, pending: 0 }, lines)];
  const { truncations, missedBytes } = following;
  if (truncations > 0) parts.push(formatNoun(truncations, "truncation", "truncations"));
  if (missedBytes > 0) parts.push(`at least ${formatBytes(missedBytes)} truncated unread`);
  return parts.join(", ");
}
