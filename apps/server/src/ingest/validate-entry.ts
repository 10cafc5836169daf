/**
 * The rules for one entry, as proto/logsvc/entry.proto states them: an entry
 * that breaks one gets a reason, any other leaves here as it will be stored.
 */
import { toBinary } from "@bufbuild/protobuf";
import {
  entryFieldNames,
  type LogEntry,
  LogEntrySchema,
  limits,
  normalizeLevel,
  timestampMax,
  toNanoseconds,
} from "@logsvc/proto";

const sequenceMax = BigInt(limits.sequenceMax);

/**
 * Normalises an entry in place: level, time, ids.
 *
 * @param arrivalTime Tells the time for an entry without one, Unix nanoseconds.
 * @returns Why the entry is not accepted: the field, the limit, the value. Undefined: it is.
 */
export function normalizeEntry(entry: LogEntry, arrivalTime: () => bigint): string | undefined {
  const reason =
    checkText(entry) ??
    checkAttributes(entry.attributes) ??
    normalizeIds(entry) ??
    checkSequence(entry.sequence);
  if (reason !== undefined) return reason;
  entry.level = normalizeLevel(entry.level);
  return normalizeTimestamp(entry, arrivalTime) ?? checkSize(entry);
}

function checkText(entry: LogEntry): string | undefined {
  if (entry.message === "") return "message: must not be empty";
  return (
    checkBytes("level", entry.level, limits.levelBytesMax) ??
    checkBytes("service", entry.service, limits.serviceBytesMax)
  );
}

function checkBytes(field: string, text: string, bytesMax: number): string | undefined {
  // UTF-8 takes three bytes a UTF-16 unit at the most: short texts need no counting.
  if (text.length * 3 <= bytesMax) return undefined;
  const bytes = Buffer.byteLength(text);
  return bytes <= bytesMax ? undefined : `${field}: at most ${bytesMax} bytes, got ${bytes}: ${quote(text)}`;
}

function checkAttributes(attributes: LogEntry["attributes"]): string | undefined {
  let count = 0;
  for (const key in attributes) {
    count += 1;
    if (key === "") return 'attributes: keys must not be empty, got ""';
    if (entryFieldNames.has(key))
      return `attributes: ${quote(key)} is a field of the entry, not an attribute`;
    const reason = checkBytes("attributes: key", key, limits.attributeKeyBytesMax);
    if (reason !== undefined) return reason;
  }
  if (count <= limits.attributesMax) return undefined;
  return `attributes: at most ${limits.attributesMax}, got ${count}`;
}

function normalizeIds(entry: LogEntry): string | undefined {
  if (entry.traceId !== "") {
    if (!/^[0-9a-f]{32}$/i.test(entry.traceId)) return idReason("trace_id", 32, entry.traceId);
    entry.traceId = entry.traceId.toLowerCase();
  }
  if (entry.spanId !== "") {
    if (!/^[0-9a-f]{16}$/i.test(entry.spanId)) return idReason("span_id", 16, entry.spanId);
    entry.spanId = entry.spanId.toLowerCase();
  }
  return undefined;
}

const idReason = (field: string, digits: number, value: string): string =>
  `${field}: expected ${digits} hex digits or nothing, got ${quote(value)}`;

function checkSequence(sequence: bigint): string | undefined {
  return sequence <= sequenceMax ? undefined : `sequence: at most ${limits.sequenceMax}, got ${sequence}`;
}

function normalizeTimestamp(entry: LogEntry, arrivalTime: () => bigint): string | undefined {
  const { timestamp } = entry;
  if (timestamp === 0n) {
    entry.timestamp = arrivalTime();
    return undefined;
  }
  if (timestamp < 0n) return `timestamp: must not be before 1970, got ${timestamp}`;
  const nanoseconds = toNanoseconds(timestamp);
  if (nanoseconds > timestampMax)
    return `timestamp: at most ${timestampMax} ns (the year 2262), got ${timestamp}`;
  entry.timestamp = nanoseconds;
  return undefined;
}

function checkSize(entry: LogEntry): string | undefined {
  // Three bytes a UTF-16 unit, and room for tags, lengths and the fixed fields:
  // what is below the limit so is below it exactly.
  let bytesAtMost = 3 * entry.message.length + 3 * limits.serviceBytesMax + 1024;
  for (const key in entry.attributes) {
    bytesAtMost += 3 * (key.length + (entry.attributes[key]?.length ?? 0)) + 32;
  }
  if (bytesAtMost <= limits.entryBytesMax) return undefined;
  const bytes = toBinary(LogEntrySchema, entry).length;
  return bytes <= limits.entryBytesMax
    ? undefined
    : `entry: at most ${limits.entryBytesMax} bytes, got ${bytes}`;
}

/** A value for a reason: short, on one line. */
function quote(value: string): string {
  return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
}
