/**
 * A sender that tells the user how it goes: what was refused, when the server
 * is away, and what became of everything at the end.
 */
import {
  type BatchSender,
  type BatchSenderState,
  type NodeLogClient,
  openBatchSender,
  type RejectedEntry,
} from "@logsvc/client-node";
import type { LineCounts } from "../lines/ship-lines.ts";
import { formatCount, formatNoun } from "../output/format-count.ts";
import type { Notices } from "../output/notices.ts";
import { connectionTrouble } from "./server-trouble.ts";

/** Options of openDelivery. */
export interface DeliveryOptions {
  readonly client: NodeLogClient;
  /** The server's address, for notices. */
  readonly url: string;
  readonly notices: Notices;
  /** Aborting gives up what is not acknowledged. */
  readonly signal: AbortSignal;
  /** Give up when the server is away for so long, in milliseconds; 0: never. */
  readonly retryTimeoutMs: number;
  /** For a repeat to be recognised. Default: a new one. */
  readonly producerId?: string;
}

/** Rejections that are told one by one; all are counted. */
const rejectionsTold = 20;

/** How much of a rejected entry is shown, to find it again. */
const excerptLength = 120;

/** Opens the sender. */
export function openDelivery(options: DeliveryOptions): BatchSender {
  const { client, url, notices, signal, retryTimeoutMs, producerId } = options;
  return openBatchSender(client, {
    signal,
    onRejected: createRejectionTeller(notices),
    onState: createOutageTeller(url, notices),
    ...(retryTimeoutMs === 0 ? {} : { retryTimeoutMs }),
    ...(producerId === undefined ? {} : { producerId }),
  });
}

function createRejectionTeller(notices: Notices): (rejection: RejectedEntry) => void {
  let told = 0;
  return ({ entry, index, reason }) => {
    told++;
    if (told > rejectionsTold) return;
    const excerpt = entry.message.slice(0, excerptLength).replaceAll("\n", "\\n");
    notices.warn(`rejected entry ${formatCount(index + 1)}: ${reason}: ${excerpt}`);
    if (told === rejectionsTold) notices.warn("further rejections are only counted");
  };
}

function createOutageTeller(url: string, notices: Notices): (state: BatchSenderState) => void {
  let isAway = false;
  return (state) => {
    if (state.kind === "retrying" && !isAway) {
      isAway = true;
      notices.notice(
        `${connectionTrouble(url, state.error)}; waiting, and sending again what is not acknowledged`,
      );
    } else if (state.kind === "open" && isAway) {
      isAway = false;
      notices.notice(`connected to ${url} again`);
    }
  };
}

/**
 * Says what became of everything.
 *
 * @param verb `shipped` or `imported`.
 */
export function describeDelivery(verb: string, sender: BatchSender, counts: LineCounts): string {
  const { accepted, duplicates, rejected, pending } = sender.summary;
  const kinds = Object.entries(counts.byKind).filter(([, count]) => count > 0);
  const parts = [`${verb} ${formatNoun(accepted, "entry", "entries")}`];
  // The kinds are of what was read: beside another number they would mislead.
  if (kinds.length > 0 && rejected + pending === 0) {
    parts[0] += ` (${kinds.map(([kind, count]) => `${formatCount(count)} ${kind}`).join(", ")})`;
  }
  if (duplicates > 0) parts.push(`${formatCount(duplicates)} of them stored before`);
  if (rejected > 0) parts.push(`${formatCount(rejected)} rejected`);
  if (counts.blank > 0) parts.push(`${formatNoun(counts.blank, "blank line", "blank lines")} skipped`);
  if (counts.cutLines > 0) {
    const lines = formatNoun(counts.cutLines, "overlong line", "overlong lines");
    parts.push(`${lines} cut into ${formatCount(counts.cutParts)} entries`);
  }
  if (pending > 0) parts.push(`${formatCount(pending)} NOT acknowledged`);
  return parts.join(", ");
}
