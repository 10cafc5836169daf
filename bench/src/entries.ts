/**
 * The entries that every case writes: about 110 bytes encoded, from a few
 * templates with varying parts, the same in every run.
 */
import { create } from "@bufbuild/protobuf";
import { type EntryBatch, EntryBatchBuilder } from "@logsvc/engine";
import { type LogEntry, LogEntrySchema } from "@logsvc/proto";

const templates = [
  (n: number) => `Received block blk_${n * 7919} of size 67108864 from /10.251.${n % 256}.${(n >> 3) % 256}`,
  (n: number) =>
    `Failed password for invalid user admin from 183.62.140.${n % 254} port ${1024 + (n % 60000)}`,
  (n: number) => `GET /api/v1/orders/${n} HTTP/1.1 status: ${n % 50 === 0 ? 500 : 200} time: 0.${n % 997}`,
  (n: number) =>
    `Executor: Finished task ${n % 4096}.0 in stage ${n >> 12}.0 (TID ${n}). 2703 bytes result sent`,
];
const levels = ["INFO", "INFO", "INFO", "WARN", "INFO", "DEBUG", "INFO", "ERROR"];
const services = ["checkout", "search", "auth", "gateway"];

/** The moment of the first entry, Unix nanoseconds; each of the others is 1 ms later. */
export const firstTimestamp = 1_790_000_000_000_000_000n;

/** The n-th entry, from 0. */
export function entryAt(n: number): LogEntry {
  const template = templates[n % templates.length] ?? String;
  return create(LogEntrySchema, {
    level: levels[n % levels.length] ?? "INFO",
    message: template(n),
    timestamp: firstTimestamp + BigInt(n) * 1_000_000n,
    service: services[n % services.length] ?? "",
  });
}

/** `count` entries from the n-th on, as the engine takes them. */
export function batchAt(n: number, count: number): EntryBatch {
  const builder = new EntryBatchBuilder(undefined, count * 128);
  for (let index = n; index < n + count; index++) builder.add(entryAt(index));
  return builder.build();
}
