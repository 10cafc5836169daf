/**
 * An entry as one line of NDJSON: what `GET /tail`, `GET /query`, the command
 * line's `--output json` and exports write, and what `logsvc import` reads.
 * Flat and in the field's usual names, so that jq needs no path to get at it.
 */
import type { StoredEntry } from "./gen/logsvc/entry_pb.ts";

/** An entry as JSON. Empty fields are left out. */
export interface EntryJson {
  /** When it happened, RFC 3339 with nanoseconds, UTC. */
  readonly timestamp: string;
  readonly level: string;
  readonly service?: string;
  readonly message: string;
  readonly trace_id?: string;
  readonly span_id?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly id: string;
  /** When the server accepted it, like `timestamp`. */
  readonly received_at: string;
}

/** A stored entry as JSON. */
export function entryToJson(stored: StoredEntry): EntryJson {
  const { id, entry, receivedAt } = stored;
  const { timestamp = 0n, level = "", message = "", service, traceId, spanId, attributes = {} } = entry ?? {};
  return {
    timestamp: formatTimestamp(timestamp),
    level,
    ...(service ? { service } : {}),
    message,
    ...(traceId ? { trace_id: traceId } : {}),
    ...(spanId ? { span_id: spanId } : {}),
    ...(Object.keys(attributes).length > 0 ? { attributes } : {}),
    id,
    received_at: formatTimestamp(receivedAt),
  };
}

const nanosecondsPerSecond = 1_000_000_000n;

/** Unix nanoseconds as RFC 3339 in UTC, always with nine digits: 2026-11-22T09:36:40.123456789Z. */
export function formatTimestamp(time: bigint): string {
  // Floor division, so that the fraction counts forward before 1970 as well.
  const fraction = ((time % nanosecondsPerSecond) + nanosecondsPerSecond) % nanosecondsPerSecond;
  const seconds = (time - fraction) / nanosecondsPerSecond;
  const date = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${date}.${fraction.toString().padStart(9, "0")}Z`;
}
