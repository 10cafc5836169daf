/**
 * A line of a log becomes an entry. What a line is shows itself line by line,
 * since programs mix: JSON of any logger, logfmt, our own exported entries, or
 * plain text, whose message is the line exactly as it is.
 *
 * A plain line has the time of arrival even when it begins with a time, unless
 * told otherwise: in most logs some lines have none (stack traces, banners),
 * and queries order by time, so reading only some would tear neighbours apart.
 */
import { limits } from "@logsvc/proto";
import { flattenJson, isObject, parseJsonObject } from "./flatten-json.ts";
import {
  entryOfFields,
  type Fields,
  type LineDefaults,
  type LineEntry,
  reservedNames,
} from "./line-fields.ts";
import { parseLogfmt } from "./parse-logfmt.ts";
import { parseLeadingTime, parseTime } from "./parse-time.ts";
import { plainLevel } from "./plain-level.ts";

/** What lines may be taken for. `auto`: each for what it is. */
export const lineFormats = ["auto", "plain", "json", "logfmt"] as const;

/** One of `lineFormats`. A line that is not of the format is plain. */
export type LineFormat = (typeof lineFormats)[number];

/** What a line was taken for. */
export type LineKind = "json" | "logfmt" | "plain";

/** How to recognise lines. */
export interface RecogniseOptions extends LineDefaults {
  readonly format: LineFormat;
  /** Take the time that a plain line begins with. False: the time of arrival. */
  readonly parseTime: boolean;
  /** A line without a time gets that of the line before it, so that neighbours stay so. Default: as `parseTime`. */
  readonly carryTime?: boolean;
}

/** A line's entry and what the line was taken for. */
export interface RecognisedLine {
  readonly kind: LineKind;
  readonly entry: LineEntry;
}

/** Recognises the lines of one source, in order. */
export type LineRecogniser = (line: string) => RecognisedLine;

/** What an entry takes beside its texts: tags, lengths and numbers, generously. */
const overheadBytes = 256;
const overheadBytesPerAttribute = 16;

/** Creates a recogniser. It never throws; the server's limits accept every entry of a line of `lineBytesMax`. */
export function createLineRecogniser(options: RecogniseOptions): LineRecogniser {
  const { carryTime = options.parseTime } = options;
  let timeBefore = 0n;
  return (line) => {
    const text = line.toWellFormed();
    const recognised = fitting(recogniseLine(text, options), text, options);
    const { entry } = recognised;
    if (carryTime && entry.timestamp === 0n) entry.timestamp = timeBefore;
    timeBefore = entry.timestamp;
    return recognised;
  };
}

/** @param wrapper What stood around the line, when it was wrapped; a line is unwrapped once. */
function recogniseLine(line: string, options: RecogniseOptions, wrapper?: Fields): RecognisedLine {
  const { format } = options;
  const object = format === "auto" || format === "json" ? parseJsonObject(line) : undefined;
  if (object !== undefined) return recogniseObject(object, line, options, wrapper);
  const pairs = format === "auto" || format === "logfmt" ? parseLogfmt(line) : undefined;
  // One pair alone is as well a line of shell or configuration.
  if (pairs !== undefined && (pairs.length > 1 || format === "logfmt")) {
    return { kind: "logfmt", entry: entryOfFields([...pairs, ...(wrapper ?? [])], line, options) };
  }
  const entry = plainEntry(line, options);
  if (wrapper !== undefined) entry.attributes = entryOfFields(wrapper, line, options).attributes;
  return { kind: "plain", entry };
}

function recogniseObject(
  object: Record<string, unknown>,
  line: string,
  options: RecogniseOptions,
  wrapper: Fields | undefined,
): RecognisedLine {
  if (wrapper !== undefined) {
    return { kind: "json", entry: entryOfFields([...flattenJson(object), ...wrapper], line, options) };
  }
  const exported = exportedEntry(object, options);
  if (exported !== undefined) return { kind: "json", entry: exported };
  return (
    unwrap(object, options) ?? { kind: "json", entry: entryOfFields(flattenJson(object), line, options) }
  );
}

/** The line inside one of Docker's json-file driver: `{"log":"…\n","stream":"stderr","time":"…"}`. */
function unwrap(object: Record<string, unknown>, options: RecogniseOptions): RecognisedLine | undefined {
  const { log, stream, time: writtenAt, ...others } = object;
  if (typeof log !== "string" || typeof stream !== "string" || typeof writtenAt !== "string")
    return undefined;
  const time = parseTime(writtenAt);
  const inner = log.replace(/\r?\n$/, "").toWellFormed();
  if (time === undefined || inner.trim() === "") return undefined;
  const recognised = recogniseLine(inner, options, flattenJson({ stream, ...others }));
  if (recognised.entry.timestamp === 0n) recognised.entry.timestamp = time;
  return recognised;
}

function plainEntry(line: string, options: RecogniseOptions): LineEntry {
  return {
    level: plainLevel(line) ?? options.level,
    message: line,
    timestamp: (options.parseTime ? parseLeadingTime(line) : undefined) ?? 0n,
    service: options.service,
    attributes: Object.fromEntries(options.labels),
    traceId: "",
    spanId: "",
  };
}

/** The fields of EntryJson, and the cursor that a tail adds. */
const exportedNames: ReadonlySet<string> = new Set([
  "timestamp",
  "level",
  "service",
  "message",
  "trace_id",
  "span_id",
  "attributes",
  "id",
  "received_at",
  "cursor",
]);

/**
 * The entry of a line that this service exported (`EntryJson`): every field is
 * taken for what it is. Its id and time of arrival were another log's, which
 * this one assigns anew.
 */
function exportedEntry(object: Record<string, unknown>, options: RecogniseOptions): LineEntry | undefined {
  const { timestamp, level, message, service = "", trace_id = "", span_id = "", attributes = {} } = object;
  if (typeof object["id"] !== "string" || typeof object["received_at"] !== "string") return undefined;
  if (typeof timestamp !== "string" || typeof level !== "string" || typeof message !== "string")
    return undefined;
  if (
    message === "" ||
    !isObject(attributes) ||
    !Object.keys(object).every((name) => exportedNames.has(name))
  ) {
    return undefined;
  }
  const fields = textsOf({ timestamp, level, service, trace_id, span_id });
  const texts = textsOf(attributes);
  if (fields === undefined || texts === undefined || texts.some(([key]) => reservedNames.has(key)))
    return undefined;
  const named = [...fields.filter(([, text]) => text !== ""), ["message", message] as const];
  const entry = entryOfFields(named, message, options);
  // Attributes go in beside the fields, never as one: an attribute `msg` is no message.
  const shadowed = texts.map(([key, text]) => [options.labels.has(key) ? `line.${key}` : key, text]);
  return { ...entry, attributes: { ...Object.fromEntries(shadowed), ...entry.attributes } };
}

/** The members of an object whose values are all text; undefined when one is not. */
function textsOf(object: Record<string, unknown>): [string, string][] | undefined {
  const texts: [string, string][] = [];
  for (const [key, value] of Object.entries(object)) {
    if (typeof value !== "string") return undefined;
    texts.push([key.toWellFormed(), value.toWellFormed()]);
  }
  return texts;
}

/** The entry, or the line as plain text where flattening made it larger than an entry may be. */
function fitting(recognised: RecognisedLine, line: string, options: RecogniseOptions): RecognisedLine {
  const { entry } = recognised;
  if (encodedBytes(entry) <= limits.entryBytesMax && withinLimits(entry)) return recognised;
  return { kind: "plain", entry: { ...plainEntry(line, options), timestamp: entry.timestamp } };
}

function withinLimits(entry: LineEntry): boolean {
  const keys = Object.keys(entry.attributes);
  return (
    keys.length <= limits.attributesMax &&
    keys.every((key) => key !== "" && Buffer.byteLength(key) <= limits.attributeKeyBytesMax)
  );
}

/** At most so many bytes the encoded entry has. */
function encodedBytes(entry: LineEntry): number {
  let bytes = overheadBytes + Buffer.byteLength(entry.message);
  for (const [key, value] of Object.entries(entry.attributes)) {
    bytes += overheadBytesPerAttribute + Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  return bytes;
}
