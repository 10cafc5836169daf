/**
 * A sender that tells the user how it goes: what was refused, when the server
 * is away, and what became of everything at the end.
 */
import {
  type BatchSender,
  type ConnectError,
  type NodeLogClient,
  openBatchSender,
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
  const tellRejection = createRejectionTeller(notices);
  const tellOutage = createOutageTeller(url, notices);
  return openBatchSender(client, {
    signal,
    onRejected: ({ entry, index, reason }) =>
      tellRejection(`entry ${formatCount(index + 1)}`, reason, entry.message),
    onState: (state) => {
      if (state.kind === "retrying") tellOutage(state.error);
      else if (state.kind === "open") tellOutage(undefined);
    },
    ...(retryTimeoutMs === 0 ? {} : { retryTimeoutMs }),
    ...(producerId === undefined ? {} : { producerId }),
  });
}

/** Creates what tells the first rejections one by one. `what` names the entry. */
export function createRejectionTeller(
  notices: Notices,
): (what: string, reason: string, message: string) => void {
  let told = 0;
  return (what, reason, message) => {
    told++;
    if (told > rejectionsTold) return;
    const excerpt = message.slice(0, excerptLength).replaceAll("\n", "\\n");
    notices.warn(`rejected ${what}: ${reason}: ${excerpt}`);
    if (told === rejectionsTold) notices.warn("further rejections are only counted");
  };
}

/** Creates what tells that the server is away (with the error), and that it is back (without). */
export function createOutageTeller(url: string, notices: Notices): (error: ConnectError | undefined) => void {
  let isAway = false;
  return (error) => {
    if (error !== undefined && !isAway) {
      notices.notice(`${connectionTrouble(url, error)}; waiting, and sending again what is not acknowledged`);
    } else if (error === undefined && isAway) notices.notice(`connected to ${url} again`);
    isAway = error !== undefined;
  };
}

/** What became of entries. */
export interface DeliverySummary {
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: number;
  readonly pending: number;
}

/**
 * Says what became of everything.
 *
 * @param verb `shipped` or `imported`.
 */
export function describeDelivery(verb: string, summary: DeliverySummary, counts: LineCounts): string {
  const { accepted, duplicates, rejected, pending } = summary;
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
