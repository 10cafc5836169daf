/** Rows for tests. */
import type { LogEntry } from "@logsvc/client-web";
import type { EntryRow } from "../log-entry-row.ts";

/** An entry whose id and time follow from its number. */
export function entryRow(number: number, more: Partial<LogEntry> = {}): EntryRow {
  return {
    kind: "entry",
    id: `id-${number}`,
    receivedAt: BigInt(number) * 1_000_000n,
    entry: {
      $typeName: "logsvc.LogEntry",
      level: "INFO",
      service: "api",
      message: `message ${number}`,
      timestamp: BigInt(number) * 1_000_000n,
      attributes: { path: "/cart", status: "200" },
      traceId: "",
      spanId: "",
      sequence: 0n,
      ...more,
    },
  };
}
