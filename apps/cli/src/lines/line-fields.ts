/**
 * From the fields of a structured line to an entry: which field is the time,
 * the level, the message; everything else becomes an attribute.
 *
 * What the command line says wins over what the line says. Nothing is dropped:
 * - a field whose name an attribute must not have (`message`, `service`, a name
 *   that a label took, `__proto__`) is kept as `line.<name>`;
 * - what is beyond the limits on attributes (count, length of a key, two fields
 *   of one name) is kept together, as a JSON object, in the attribute `line.rest`.
 * Only what `JSON.parse` itself drops is lost: a value whose name comes again in
 * the same object.
 */
import { entryFieldNames, type LevelName, levelNames, limits } from "@logsvc/proto";
import { parseTime } from "./parse-time.ts";
import { syslogLevels } from "./plain-level.ts";

/** An entry made from a line. `timestamp` 0n: the time of arrival. `level` empty: not known. */
export interface LineEntry {
  level: string;
  message: string;
  timestamp: bigint;
  service: string;
  attributes: Record<string, string>;
  traceId: string;
  spanId: string;
}

/** What the command line says about every line. */
export interface LineDefaults {
  /** The service; wins over the line's. Empty: the line's own. */
  readonly service: string;
  /** The level of lines that say none. Empty: none. */
  readonly level: string;
  /** Attributes of every entry; win over the line's. */
  readonly labels: ReadonlyMap<string, string>;
}

/** A field's value: a JSON scalar, or the JSON text of what can't be flattened. */
export type FieldValue = string | number | boolean | null;

/** The fields of a structured line, nested names joined by dots. Names may repeat. */
export type Fields = readonly (readonly [name: string, value: FieldValue])[];

const targets = ["time", "level", "message", "service", "traceId", "spanId"] as const;
type Target = (typeof targets)[number];

/**
 * The names that loggers use, the most specific first: pino, bunyan, winston,
 * zap, zerolog, logrus, slog, structlog, log4j, Serilog (@t, @l, @m), Elastic's
 * schema, OpenTelemetry, GELF (short_message), journald (MESSAGE, PRIORITY).
 * Compared without regard to case.
 */
const aliases: Readonly<Record<Target, readonly string[]>> = {
  time: [
    "timestamp",
    "@timestamp",
    "time",
    "ts",
    "@t",
    "timeunixnano",
    "time_unix_nano",
    "datetime",
    "asctime",
    "date",
    "__realtime_timestamp",
    "instant",
    "t",
  ],
  level: [
    "level",
    "severity",
    "log.level",
    "lvl",
    "levelname",
    "severitytext",
    "severity_text",
    "loglevel",
    "@l",
    "priority",
    "severitynumber",
    "severity_number",
  ],
  message: [
    "msg",
    "message",
    "@m",
    "@mt",
    "short_message",
    "body.stringvalue",
    "body",
    "event",
    "log",
    "text",
  ],
  service: [
    "service",
    "service.name",
    "servicename",
    "service_name",
    "app",
    "application",
    "syslog_identifier",
    "name",
    "logger",
    "log.logger",
  ],
  traceId: ["trace_id", "traceid", "trace.id", "oteltraceid", "dd.trace_id"],
  spanId: ["span_id", "spanid", "span.id", "otelspanid", "dd.span_id"],
};

const roles: ReadonlyMap<string, { readonly target: Target; readonly rank: number }> = new Map(
  targets.flatMap((target) => aliases[target].map((name, rank) => [name, { target, rank }] as const)),
);

/** Names that an attribute must not have. An object's key `__proto__` would set its prototype instead. */
export const reservedNames: ReadonlySet<string> = new Set([...entryFieldNames, "__proto__"]);

const restKey = "line.rest";

/** The entry of a structured line; its message is the whole line where no field is one. */
export function entryOfFields(fields: Fields, line: string, defaults: LineDefaults): LineEntry {
  const chosen = chooseFields(fields);
  const read = (target: Target): FieldValue | undefined => fields[chosen.get(target) ?? -1]?.[1];
  const time = read("time");
  const levelIndex = chosen.get("level");
  const level = levelIndex === undefined ? undefined : levelText(fields, levelIndex);
  const service = defaults.service === "" ? read("service") : undefined;
  if (defaults.service !== "") chosen.delete("service");
  return {
    level: level ?? defaults.level,
    message: textOf(read("message") ?? line),
    timestamp: (typeof time === "string" || typeof time === "number" ? parseTime(time) : undefined) ?? 0n,
    service: service === undefined ? defaults.service : textOf(service),
    attributes: attributesOf(fields, new Set(chosen.values()), defaults.labels),
    traceId: textOf(read("traceId") ?? "").toLowerCase(),
    spanId: textOf(read("spanId") ?? "").toLowerCase(),
  };
}

/** For each part of an entry the index of the best field that can be it. */
function chooseFields(fields: Fields): Map<Target, number> {
  const chosen = new Map<Target, number>();
  const ranks = new Map<Target, number>();
  for (const [index, [name]] of fields.entries()) {
    const role = roles.get(name.toLowerCase());
    if (role === undefined || role.rank >= (ranks.get(role.target) ?? Number.POSITIVE_INFINITY)) continue;
    if (!fits(role.target, fields, index)) continue;
    chosen.set(role.target, index);
    ranks.set(role.target, role.rank);
  }
  return chosen;
}

function fits(target: Target, fields: Fields, index: number): boolean {
  const [name, value] = fields[index] ?? ["", null];
  switch (target) {
    case "time":
      return (typeof value === "string" || typeof value === "number") && parseTime(value) !== undefined;
    case "level":
      return levelText(fields, index) !== undefined;
    case "message":
      return typeof value === "string" && value.trim() !== "";
    case "service":
      return fitsService(name, value, fields);
    case "traceId":
      return typeof value === "string" && /^[\da-f]{32}$/i.test(value);
    case "spanId":
      return typeof value === "string" && /^[\da-f]{16}$/i.test(value);
    default:
      return target satisfies never;
  }
}

function fitsService(name: string, value: FieldValue, fields: Fields): boolean {
  if (typeof value !== "string" || value.trim() === "") return false;
  if (Buffer.byteLength(value) > limits.serviceBytesMax) return false;
  // pino and bunyan call the program `name`, and write their level as a
  // number; elsewhere a name may be anybody's.
  if (name.toLowerCase() !== "name") return true;
  return fields.some(([other, level]) => other === "level" && typeof level === "number");
}

/** A field's level as text: words as written, numbers on the scale of who writes them; undefined: not a level. */
function levelText(fields: Fields, index: number): string | undefined {
  const [name, value] = fields[index] ?? ["", null];
  if (typeof value !== "string" && typeof value !== "number") return undefined;
  const text = String(value).trim().toWellFormed();
  if (text === "" || Buffer.byteLength(text) > limits.levelBytesMax) return undefined;
  if (!/^\d+$/.test(text)) return text;
  const number = Number(text);
  if (/^severity_?number$/i.test(name)) return openTelemetryLevel(number);
  const scaleIsSyslog =
    name.toLowerCase() === "priority" || fields.some(([other]) => other === "short_message");
  if (scaleIsSyslog) return syslogLevels[number];
  return pinoLevel(number) ?? text;
}

/** pino's and bunyan's numbers, and own levels in between: 35 is at least 30, so INFO. */
function pinoLevel(number: number): LevelName | undefined {
  if (number < 10) return undefined;
  return levelNames[Math.min(Math.floor(number / 10), levelNames.length) - 1];
}

/** OpenTelemetry's 1 to 24, four to a level. */
function openTelemetryLevel(number: number): LevelName | undefined {
  return levelNames[Math.ceil(number / 4) - 1];
}

function attributesOf(
  fields: Fields,
  used: ReadonlySet<number>,
  labels: ReadonlyMap<string, string>,
): Record<string, string> {
  const attributes = new Map(labels);
  const rest: [string, FieldValue][] = [];
  // One place is kept free for the rest.
  const countMax = limits.attributesMax - 1;
  for (const [index, [name, value]] of fields.entries()) {
    if (used.has(index)) continue;
    const key = (reservedNames.has(name) || labels.has(name) ? `line.${name}` : name).toWellFormed();
    if (isKey(key) && !attributes.has(key) && attributes.size < countMax) attributes.set(key, textOf(value));
    else rest.push([name, value]);
  }
  if (rest.length > 0) attributes.set(restKey, restText(rest));
  return Object.fromEntries(attributes);
}

function isKey(key: string): boolean {
  if (key === "" || key === restKey) return false;
  // A UTF-16 unit has at most 3 bytes: most keys need no counting.
  return (
    key.length * 3 <= limits.attributeKeyBytesMax || Buffer.byteLength(key) <= limits.attributeKeyBytesMax
  );
}

/** Fields as a JSON object. A name that came before gets a number: `a`, `a#2`. */
function restText(fields: Fields): string {
  const rest = new Map<string, FieldValue>();
  for (const [name, value] of fields) {
    let free = name;
    for (let copy = 2; rest.has(free); copy++) free = `${name}#${copy}`;
    rest.set(free, value);
  }
  return JSON.stringify(Object.fromEntries(rest)).toWellFormed();
}

/** A value as text. Lone surrogates have no encoding in UTF-8 and are replaced. */
function textOf(value: FieldValue): string {
  return typeof value === "string" ? value.toWellFormed() : String(value);
}
