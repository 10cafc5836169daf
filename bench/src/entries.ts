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

/** From one entry's moment to the next one's, nanoseconds. */
const entryInterval = 1_000_000n;

/** The n-th entry, from 0. */
export function entryAt(n: number): LogEntry {
  const template = templates[n % templates.length] ?? String;
  return create(LogEntrySchema, {
    level: levelAt(n),
    message: template(n),
    timestamp: firstTimestamp + BigInt(n) * entryInterval,
    service: services[n % services.length] ?? "",
  });
}

/** The n-th entry, from 0, as a client of the original contract sends it: three fields, Unix seconds. */
export function originalEntryAt(n: number): LogEntry {
  const { level, message, timestamp, service } = entryAt(n);
  return create(LogEntrySchema, {
    level,
    message: `${service}: ${message}`,
    timestamp: timestamp / 1_000_000_000n,
  });
}

/** How many services the paced entries are of. */
export const pacedServices = 100;

/** The n-th entry, from 0, of those written at a given rate: of one of a hundred services, in turn. */
export function pacedEntryAt(n: number): LogEntry {
  return { ...entryAt(n), service: pacedServiceAt(n) };
}

/** The n-th paced entry's service. */
export function pacedServiceAt(n: number): string {
  return `service-${n % pacedServices}`;
}

/** The n-th entry's level. */
export function levelAt(n: number): string {
  return levels[n % levels.length] ?? "INFO";
}

/** Which entry has the timestamp. */
export function pacedIndexOf(timestamp: bigint): number {
  return Number((timestamp - firstTimestamp) / entryInterval);
}

/** `count` entries from the n-th on, as the engine takes them. */
export function batchAt(n: number, count: number): EntryBatch {
  const builder = new EntryBatchBuilder(undefined, count * 128);
  for (let index = n; index < n + count; index++) builder.add(entryAt(index));
  return builder.build();
}
