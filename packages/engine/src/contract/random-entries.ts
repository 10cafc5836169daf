/**
 * Random logs for the random searches: few words, so that filters find some of
 * them, and everything that is hard to store or to search. What a log is like
 * (its times, services, attributes and sizes) is chosen once for each.
 */
import type { LogEntry } from "@logsvc/proto";
import { entryOf, epoch, type Random } from "./engine-under-test.ts";

/** Words of messages and attributes. Among them those whose case is not ASCII's: `ſ` and `K` fold to `s` and `k`. */
export const vocabulary: readonly [string, ...string[]] = [
  ...(["timeout", "Timeout", "TIMEOUT", "time", "timeouts", "connection", "reset", "by", "peer"] as const),
  ...["failed", "failure", "user-42", "user-4f", "10.0.0.1", "110.0.0.1", "/api/v1", "GET", "status=500"],
  ...["took", "15ms", "1.5s", "id", "ID", "_id", "a_b", "a", "b", "0x1f", "x", "“quoted”", '"quoted"'],
  ...["ſtart", "start", "START", "timeoutſ", "Kelvin", "kelvin", "wee\u212a", "\u212a", "ſ", "s", "k"],
  ...["straße", "STRASSE", "STRAẞE", "Größe", "GRÖSSE", "日本", "日", "😀", "é", "É", "e\u0301", "İd", "ıd"],
];

const separators: readonly [string, ...string[]] = [
  ...([" ", " ", " ", " ", " ", ""] as const),
  ...["-", ".", ": ", "\n", "\r\n", "\t", "\u00a0", "/", "=", "\0", "  "],
];

const knownLevels: readonly [string, ...string[]] = [
  ...(["INFO", "INFO", "INFO"] as const),
  ...["WARN", "ERROR", "DEBUG", "TRACE", "FATAL"],
];
const unknownLevels: readonly [string, ...string[]] = [
  "AUDIT",
  "audit",
  "custom",
  "",
  "ſevere",
  "INFOS",
  "日本",
];

const amounts: readonly [string, ...string[]] = [
  ...(["200", "404", "500", "500"] as const),
  ...["503", "-1", "0", "1e3", "15ms", "1.5s", "1h", "20KiB", "20480", ""],
];

/** Names of attributes that most logs have; `constructor` is what objects inherit. */
export const attributeNames: readonly [string, ...string[]] = [
  ...(["status", "path"] as const),
  ...["duration_ms", "constructor", "Größe", "7"],
];

/** Some words side by side. */
export function randomText(random: Random, wordsMax: number): string {
  let text = "";
  for (let words = random.below(wordsMax + 1); words > 0; words--) {
    text += random.of(vocabulary) + (words > 1 ? random.of(separators) : "");
  }
  return text;
}

/** Makes the batches of one log, of which no two are alike. */
export function createRandomBatches(random: Random): () => LogEntry[] {
  const timeOf = createTimes(random);
  const serviceOf = createServices(random);
  const attributesOf = createAttributes(random);
  const unknownShare = random.of([0, 0, 10, 100]);
  const entriesMax = random.of([1, 5, 20, 60]);
  const longShare = random.of([0, 0, 2]);
  const idShare = random.of([0, 30]);
  const chance = (percent: number) => random.below(100) < percent;
  const hex = (digits: number) => (chance(idShare) ? `${random.below(4)}f`.padStart(digits, "a0") : "");
  const entry = () =>
    entryOf({
      timestamp: timeOf(),
      level: chance(unknownShare) ? random.of(unknownLevels) : random.of(knownLevels),
      message: chance(longShare) ? longText(random) : randomText(random, 8),
      service: serviceOf(),
      attributes: attributesOf(),
      traceId: hex(32),
      spanId: hex(16),
      sequence: chance(idShare) ? BigInt(random.below(300)) : 0n,
    });
  return () => Array.from({ length: 1 + random.below(entriesMax) }, entry);
}

/** A stack trace, a dump: what is longer than a filter's literals, a varint's first byte and a block's part. */
function longText(random: Random): string {
  const line = `${randomText(random, 8)}${random.of(["\n", " ", ""])}`;
  return `${line.repeat(1 + random.below(400))}${randomText(random, 2)}`;
}

/** Times that mostly rise, or never; in whole seconds or finer; often equal; seldom at the ends of all time. */
function createTimes(random: Random): () => bigint {
  const units = random.of([[1_000_000_000n], [1_000_000n], [1_000n], [1n], [1_000_000_000n, 1_000_000n, 1n]]);
  const [first = 1n] = units;
  const jitter = random.of([1, 5, 100, 5_000]);
  const pace = random.of([0, 1, 1, 20]);
  const hasExtremes = random.below(8) === 0;
  let clock = 0;
  return () => {
    if (hasExtremes && random.below(20) === 0) return random.of([0n, 1n, epoch / 2n, 2n ** 63n - 1n]);
    clock += random.below(2) * pace;
    const unit = units[random.below(units.length)] ?? first;
    return epoch + BigInt(clock) * first + BigInt(random.below(jitter)) * unit;
  };
}

function createServices(random: Random): () => string {
  const services = random.of([0, 1, 3, 8, 400]);
  const named = ["api", "web", "db", "API", "", "api-2", "日本", "\u212a"];
  return () => {
    const service = random.below(Math.max(1, services));
    return services === 0 ? "" : services === 400 ? `service-${service}` : (named[service] ?? "");
  };
}

function createAttributes(random: Random): () => Record<string, string> {
  const namesMax = random.of([0, 1, 3, 6, 40]);
  const share = random.of([20, 90]);
  return () => {
    const attributes: Record<string, string> = {};
    if (random.below(100) >= share) return attributes;
    for (let count = random.below(namesMax + 1); count > 0; count--) {
      const name = namesMax === 40 ? `key_${random.below(200)}` : random.of(attributeNames);
      attributes[name] = random.below(3) === 0 ? randomText(random, 3) : random.of(amounts);
    }
    return attributes;
  };
}
