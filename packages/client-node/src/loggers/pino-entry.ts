/**
 * A line of pino as an entry:
 *
 * | pino | entry |
 * | --- | --- |
 * | `level` 10 … 60, or its label | TRACE … FATAL; numbers in between are the one below; a label of the application's own also stays, as `log.level` |
 * | `time` | timestamp: milliseconds, seconds, RFC 3339; otherwise it stays an attribute, and the time is now |
 * | `msg`, or the logger's `messageKey` | message; without one the error's message, or else the fields as JSON |
 * | `name` | service, unless the options name one; then it stays an attribute |
 * | `err`, or the logger's `errorKey` | `err.type`, `err.message`, `err.stack`, … |
 * | `trace_id`, `traceId`, … | trace and span (trace-ids.ts) |
 * | everything else, bindings included | attributes (attributes.ts) |
 */
import type { LogEntryInit } from "@logsvc/client";
import { levelNames, limits, severityOf } from "@logsvc/proto";
import { flattenAttributes } from "./attributes.ts";
import { readLogTime } from "./log-time.ts";
import { takeTraceIds } from "./trace-ids.ts";

/** What a pino logger says of itself to its transport. */
export interface PinoConfig {
  readonly messageKey?: string;
  readonly errorKey?: string;
  readonly levels?: { readonly labels?: Readonly<Record<string, string>> };
}

/** How lines are read. */
export interface PinoReading {
  readonly config?: PinoConfig;
  /** Whether every entry has a service anyhow. */
  readonly hasService: boolean;
}

/** The entry of a line's object. */
export function pinoEntry(line: Readonly<Record<string, unknown>>, reading: PinoReading): LogEntryInit {
  const { messageKey = "msg", errorKey = "err" } = reading.config ?? {};
  const { level: writtenLevel, time, [messageKey]: message, ...others } = line;
  const fields: Record<string, unknown> = others;
  const level = readLevel(writtenLevel, reading.config);
  if (level.label !== undefined) fields["log.level"] = level.label;
  const timestamp = readLogTime(time);
  if (timestamp === undefined && time !== undefined) fields["time"] = time;
  const text = messageText(message, fields[errorKey], fields);
  const ids = takeTraceIds(fields);
  const service = reading.hasService ? undefined : takeService(fields);
  return {
    message: text,
    level: level.name,
    ...(timestamp === undefined ? {} : { timestamp }),
    ...(service === undefined ? {} : { service }),
    ...ids,
    attributes: flattenAttributes(fields),
  };
}

/** The entry of what is no object: a line that another program wrote into the stream. */
export function rawEntry(line: string): LogEntryInit {
  return { message: line };
}

interface PinoLevel {
  readonly name: string;
  readonly label?: string;
}

function readLevel(level: unknown, config: PinoConfig | undefined): PinoLevel {
  if (typeof level === "string") return { name: level };
  if (typeof level !== "number") return { name: "" };
  const label = config?.levels?.labels?.[level];
  // pino numbers its levels by tens, and leaves room in between.
  const name = levelNames[Math.min(Math.floor(level / 10), levelNames.length) - 1] ?? "TRACE";
  if (label === undefined || label.toUpperCase() === name) return { name };
  return severityOf(label) === 0 ? { name, label } : { name: label };
}

function messageText(message: unknown, error: unknown, fields: Record<string, unknown>): string {
  if (typeof message === "string" && message !== "") return message;
  if (message !== undefined && message !== null && message !== "") return JSON.stringify(message);
  if (
    typeof error === "object" &&
    error !== null &&
    "message" in error &&
    typeof error.message === "string"
  ) {
    if (error.message !== "") return error.message;
  }
  return JSON.stringify(fields);
}

function takeService(fields: Record<string, unknown>): string | undefined {
  const { name } = fields;
  if (typeof name !== "string" || name === "" || Buffer.byteLength(name) > limits.serviceBytesMax)
    return undefined;
  delete fields["name"];
  return name;
}
