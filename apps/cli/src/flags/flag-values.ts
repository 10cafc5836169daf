/**
 * What flags take, and the check of it. Each reader throws Commander's
 * InvalidArgumentError, which says what was expected; Commander adds the flag
 * and what was given.
 */
import { limits } from "@logsvc/proto";
import { InvalidArgumentError } from "commander";
import { reservedNames } from "../lines/line-fields.ts";
import { parseTime } from "../lines/parse-time.ts";

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const unitBytes: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

const durationPattern = /^(\d+(\.\d+)?(ms|[smhdw]))+$/;

/** A duration in milliseconds: `200ms`, `30s`, `1h30m`, `7d`, `2w`; `0` is 0. */
export function readDuration(text: string): number {
  const trimmed = text.trim();
  if (trimmed === "0") return 0;
  if (!durationPattern.test(trimmed)) {
    throw new InvalidArgumentError("Expected a duration such as 30s, 1h30m or 7d.");
  }
  let durationMs = 0;
  for (const [, amount, unit = ""] of trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdw])/g)) {
    durationMs += Number(amount) * (unitMs[unit] ?? 0);
  }
  const roundedMs = Math.round(durationMs);
  if (!Number.isSafeInteger(roundedMs)) throw new InvalidArgumentError("Expected a shorter duration.");
  return roundedMs;
}

/** What a timer of Node holds; a longer one would fire at once. */
const timeoutMsMax = 2 ** 31 - 1;

/** A duration that is waited for: at most 24 days. */
export function readTimeout(text: string): number {
  const durationMs = readDuration(text);
  if (durationMs <= timeoutMsMax) return durationMs;
  throw new InvalidArgumentError("Expected a duration of at most 24d, or 0 for never.");
}

/** A size in bytes: `500MB`, `10GiB`, `1048576`; `0` is 0. */
export function readSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?i?b)?$/i.exec(text.trim());
  const unit = unitBytes[(match?.[2] ?? "").toLowerCase()];
  const bytes = Math.round(Number(match?.[1]) * (unit ?? Number.NaN));
  if (!Number.isSafeInteger(bytes)) throw new InvalidArgumentError("Expected a size such as 500MB or 10GiB.");
  return bytes;
}

/** Creates a reader of whole numbers in a range. */
export function readInteger(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
  };
}

/** Earlier nanoseconds would be taken for microseconds on the wire; no log is as old as that. */
const momentMsMin = 100_000_000_000;

/**
 * A moment as Unix nanoseconds: a duration ago (`1h`), a time in RFC 3339 or
 * without its zone (local), a day (`2026-11-22`, local midnight), or a Unix
 * time in s, ms, us or ns.
 */
export function readMoment(text: string): bigint {
  const trimmed = text.trim();
  if (durationPattern.test(trimmed))
    return BigInt(Math.max(momentMsMin, Date.now() - readDuration(trimmed))) * 1_000_000n;
  const clock = /^\d{4}-\d\d-\d\d$/.test(trimmed) ? " 00:00:00" : "";
  const seconds = /[T ]\d\d:\d\d$/.test(trimmed) ? ":00" : "";
  const time = parseTime(`${trimmed}${clock}${seconds}`);
  if (time !== undefined) return time;
  throw new InvalidArgumentError(
    "Expected a duration ago such as 1h, or a time such as 2026-11-22, 2026-11-22T09:36:40Z or 1795340200.",
  );
}

/** A server's address, `http://host:port` or `https://…`. */
export function readUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && (url.protocol === "http:" || url.protocol === "https:")) return text;
  throw new InvalidArgumentError("Expected an address such as http://localhost:50051.");
}

/** Text of so many bytes at the most. */
export function readText(bytesMax: number): (text: string) => string {
  return (text) => {
    const bytes = Buffer.byteLength(text);
    if (bytes <= bytesMax) return text;
    throw new InvalidArgumentError(`Expected at most ${bytesMax} bytes, got ${bytes}.`);
  };
}

/** Adds comma-separated items to those of the flag's former uses. */
export function collectItems(text: string, items: readonly string[] | undefined): string[] {
  const more = text.split(",").map((item) => item.trim());
  return [...(items ?? []), ...more.filter((item) => item !== "")];
}

/** All labels together, in bytes: they are added to every entry, which has room for 1 MiB. */
const labelsBytesMax = 16 * 1024;

/** Adds `key=value`, or several with commas between, to the labels of the flag's former uses. */
export function collectLabels(
  text: string,
  labels: ReadonlyMap<string, string> | undefined,
): ReadonlyMap<string, string> {
  const all = new Map(labels);
  // A comma only separates where another key follows: values may have commas.
  for (const label of text.split(/,(?=[^,=]+=)/)) {
    const [, key = "", value = ""] = /^([^=]+)=(.*)$/s.exec(label.trim()) ?? [];
    if (key === "") throw new InvalidArgumentError("Expected key=value.");
    if (reservedNames.has(key) || key.startsWith("line."))
      throw new InvalidArgumentError(`"${key}" can't be a label: entries have that name for another use.`);
    if (Buffer.byteLength(key) > limits.attributeKeyBytesMax) {
      throw new InvalidArgumentError(`Expected a key of at most ${limits.attributeKeyBytesMax} bytes.`);
    }
    all.set(key, value);
  }
  const bytes = [...all].flat().reduce((sum, part) => sum + Buffer.byteLength(part), 0);
  if (bytes > labelsBytesMax)
    throw new InvalidArgumentError(`Expected at most ${labelsBytesMax} bytes of labels.`);
  if (all.size > limits.attributesMax / 2) {
    throw new InvalidArgumentError(`Expected at most ${limits.attributesMax / 2} labels.`);
  }
  return all;
}
