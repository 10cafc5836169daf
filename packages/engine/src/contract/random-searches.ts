/**
 * Random filters and requests about a known log. Most texts are taken from its
 * entries, so that filters find something and fail by a little.
 */
import {
  type CompareOperator,
  compileFilter,
  type FieldMatch,
  type FilterNode,
  FilterSyntaxError,
  formatFilter,
  parseFilter,
} from "@logsvc/filter";
import type { BacklogRequest, CountRequest, QueryRequest, Selection, ValuesRequest } from "../engine.ts";
import type { Random } from "./engine-under-test.ts";
import { attributeNames, randomText, vocabulary } from "./random-entries.ts";
import { fieldOf, type KnownEntry } from "./search-reference.ts";

/** The greatest timestamp there can be. */
const timeMax = 2n ** 63n - 1n;

/** A search of any kind. */
export type Search =
  | { readonly kind: "query"; readonly request: Omit<QueryRequest, "pageToken">; readonly pagesMax: number }
  | { readonly kind: "count"; readonly request: CountRequest }
  | { readonly kind: "values"; readonly request: ValuesRequest }
  | { readonly kind: "backlog"; readonly request: BacklogRequest }
  | { readonly kind: "around"; readonly place: number; readonly before: number; readonly after: number }
  | { readonly kind: "since"; readonly time: bigint };

/** What searches are made of. */
export interface SearchSource {
  readonly random: Random;
  /** Those that are known, one at least. */
  readonly entries: readonly KnownEntry[];
  /** Buckets of a histogram at the most. */
  readonly bucketsMax: number;
}

const fields: readonly [string, ...string[]] = [
  ...(["message", "message", "message", "message", "level", "level", "service"] as const),
  ...["trace_id", "span_id", "key_7", "nobody_has_it", ...attributeNames],
];

const patterns: readonly [string, ...string[]] = [
  ...([
    "timeout",
    "(?i)TIMEOUT",
    "^GET",
    "reset$",
    "status=5\\d\\d",
    "took \\d+ms",
    "user-[0-9a-f]+",
  ] as const),
  ...["fail(ed|ure)", "(?i)fail(ed|ure)", "(?i)start", "(?i)kelvin", "\\bid\\b", "a.b", "(?s)a.*b"],
  ...["(?m)^time", "[^\\x00-\\x7f]", "\\pL{8}", "time(out)?", "(time|reset).*(peer|by)", "x*", "日", "(?i)s"],
  ...["(?i)STRASSE", "\\d{2,3}", "[A-Z]{3}", "\\s\\s", "10\\.0", ".{30}", "(a|b)*t", "\\x{1F600}", "\\n"],
  ...[
    "(?i)é",
    "(?i:k)elvin",
    "\\Qa_b\\E",
    "(?i)wee[k]",
    "^$",
    "^\\pL+$",
    "timeout{0}",
    "(timeout|)x",
    "\\x00",
  ],
];

const levels: readonly [string, ...string[]] = ["warn", "ERROR", "info", "DEBUG", "50", "fatal"];
const amounts: readonly [string, ...string[]] = ["500", "404", "0", "-1", "1s", "15ms", "20KiB", "1.5"];

/** A search of any kind, about the log. */
export function randomSearch(source: SearchSource): Search {
  const { random, entries } = source;
  switch (random.below(12)) {
    case 0:
      return { kind: "since", time: randomTime(source) };
    case 1: {
      const reach = random.of([0, 1, 10, 200]);
      return {
        kind: "around",
        place: random.below(entries.length),
        before: random.below(reach + 1),
        after: reach,
      };
    }
    case 2: {
      const { end: _, ...selection } = randomSelection(source);
      return { kind: "backlog", request: { ...selection, limit: random.of([0, 1, 7, 100, 10_000]) } };
    }
    case 3:
    case 4:
      return { kind: "values", request: randomValues(source) };
    case 5:
    case 6:
    case 7:
      return { kind: "count", request: randomCount(source) };
    default: {
      const order = random.of(["newest", "oldest"] as const);
      const limit = random.of([1, 2, 5, 37, 100, 10_000]);
      return {
        kind: "query",
        request: { ...randomSelection(source), order, limit },
        pagesMax: random.of([1, 10]),
      };
    }
  }
}

/** A filter and a range, which one entry mostly passes. */
function randomSelection(source: SearchSource): Selection {
  const { random, entries } = source;
  const place = random.below(entries.length);
  const target = entries[place]?.entry.timestamp ?? 0n;
  const isFree = random.below(4) === 0;
  const [first, last] = [randomTime(source), randomTime(source)];
  const start = isFree || first <= target ? first : target;
  const end = isFree || last > target ? last : clampTime(target + 1n);
  return {
    filter: randomFilter(source, place),
    ...(random.below(3) === 0 ? { start } : {}),
    ...(random.below(3) === 0 ? { end } : {}),
  };
}

function randomCount(source: SearchSource): CountRequest {
  const { random, bucketsMax } = source;
  const selection = randomSelection(source);
  const [from, to] = [randomTime(source), randomTime(source)];
  const width = (from < to ? to - from : from - to) / BigInt(1 + random.below(20)) + 1n;
  return {
    ...selection,
    ...(random.below(4) === 0 ? { interval: width } : {}),
    buckets: Math.min(bucketsMax, random.of([1, 2, 10, 60, 60, 500, 10_000])),
    groups: random.of([0, 1, 3, 100]),
    ...(random.below(4) === 0 ? {} : { groupBy: random.of(["level", "level", ...fields]) }),
  };
}

function randomValues(source: SearchSource): ValuesRequest {
  const { random, entries } = source;
  const field = random.below(4) === 0 ? undefined : random.of(fields);
  const known = entries[random.below(entries.length)];
  const value = known === undefined || field === undefined ? "" : fieldOf(known.entry, field);
  const start = value.slice(0, 1 + random.below(3));
  const prefix =
    field === undefined ? random.of(["s", "LEV", "Gr"]) : random.of([start, start.toUpperCase()]);
  return {
    ...randomSelection(source),
    ...(field === undefined ? {} : { field }),
    ...(random.below(3) === 0 && prefix.isWellFormed() ? { prefix } : {}),
    limit: random.of([1, 3, 1000]),
  };
}

/** A time at, just before or just after an entry's; seldom one that is far from any. */
function randomTime({ random, entries }: SearchSource): bigint {
  if (random.below(20) === 0) return random.of([0n, -1n, 10n ** 18n, -(2n ** 62n), timeMax]);
  const time = entries[random.below(entries.length)]?.entry.timestamp ?? 0n;
  return clampTime(time + random.of([-1n, 0n, 0n, 1n]));
}

function clampTime(time: bigint): bigint {
  return time > timeMax ? timeMax : time;
}

/** What a filter is made of. */
interface FilterSource {
  readonly random: Random;
  /** A text that an entry has of a field: mostly always the same entry, so that one passes the whole filter. */
  textOf(field: string): string;
}

/** A filter as the parser makes it, which the entry at a place mostly passes. */
function randomFilter({ random, entries }: SearchSource, target: number): FilterNode {
  const textAt = (place: number, field: string) => {
    const known = entries[place];
    return known === undefined ? "" : fieldOf(known.entry, field);
  };
  const textOf = (field: string) =>
    textAt(random.below(8) === 0 ? random.below(entries.length) : target, field);
  const aimed = entries[target]?.entry;
  for (let tries = random.of([1, 10, 10]); ; tries--) {
    try {
      const filter = parseFilter(formatFilter(randomNode({ random, textOf }, random.of([0, 0, 1, 1, 2, 3]))));
      if (tries <= 1 || (aimed !== undefined && compileFilter(filter)(aimed))) return filter;
    } catch (error) {
      // A pattern that is none, or all of them together too large: another one is tried.
      if (!(error instanceof FilterSyntaxError)) throw error;
    }
  }
}

function randomNode(source: FilterSource, depth: number): FilterNode {
  const { random } = source;
  if (random.below(15) === 0) return { kind: "all" };
  if (depth === 0) {
    const field = randomField(source);
    return { kind: "field", field, match: randomMatch(source, field) };
  }
  const kind = random.of(["and", "and", "or", "not"] as const);
  if (kind === "not") return { kind, node: randomNode(source, depth - 1) };
  return { kind, nodes: Array.from({ length: 2 + random.below(2) }, () => randomNode(source, depth - 1)) };
}

/** Mostly one that is not empty. */
function randomField({ random, textOf }: FilterSource): string {
  let field = random.of(fields);
  for (let tries = random.below(4); tries > 0 && textOf(field) === ""; tries--) field = random.of(fields);
  return field;
}

function randomMatch(source: FilterSource, field: string): FieldMatch {
  const { random } = source;
  switch (random.below(10)) {
    case 0:
      return { kind: (source.textOf(field) === "") === random.below(5) > 0 ? "absent" : "present" };
    case 1: {
      const operator = random.of<CompareOperator>([">", ">=", "<", "<="]);
      return { kind: "compare", operator, text: random.of(field === "level" ? levels : amounts) };
    }
    case 2:
      return { kind: "exact", text: wholeText(source, field) };
    case 3:
      return {
        kind: "in",
        texts: Array.from({ length: 1 + random.below(4) }, () => wholeText(source, field)),
      };
    case 4:
    case 5:
      return { kind: "regexp", pattern: randomPattern(source, field) };
    case 6:
      return { kind: "prefix", text: randomNeedle(source, field) };
    default:
      return { kind: "phrase", text: randomNeedle(source, field) };
  }
}

function wholeText({ random, textOf }: FilterSource, field: string): string {
  const text = textOf(field);
  return random.below(5) > 0 && text.length < 200 ? text : random.of(vocabulary);
}

/** A part of an entry's text, or words, in any case. */
function randomNeedle(source: FilterSource, field: string): string {
  const { random } = source;
  const needle = random.below(6) === 0 ? randomText(random, 2) : randomPart(source, field);
  if (needle === "") return random.of(vocabulary);
  return random.of([needle, needle, needle.toLowerCase(), needle.toUpperCase()]);
}

/** A part of an entry's text: some words of it, or any characters. */
function randomPart({ random, textOf }: FilterSource, field: string): string {
  const text = textOf(field);
  if (random.below(3) > 0) {
    const words = Array.from(text.matchAll(/[\p{L}\p{M}\p{N}_]+/gu));
    const first = random.below(words.length + 1);
    const last = words[Math.min(words.length - 1, first + random.below(3))];
    return last === undefined ? text : text.slice(words[first]?.index ?? 0, last.index + last[0].length);
  }
  const from = random.below(text.length + 1);
  const part = text.slice(from, from + 1 + random.below(random.of([4, 12, 100])));
  // Half of a surrogate pair is no text.
  return part.replace(/^[\udc00-\udfff]|[\ud800-\udbff]$/g, "");
}

function randomPattern(source: FilterSource, field: string): string {
  const { random } = source;
  if (random.below(3) === 0) return random.of(patterns);
  const literal = randomPart(source, field).replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  const before = random.of(["", "", "^", "\\b", ".", "\\d*", "(?:x|y)?", "^.*"]);
  const after = random.of(["", "", "$", "\\b", ".", "+", "\\w*", "(?:$|\\s)"]);
  return `${random.of(["", "(?i)", "(?s)"])}${before}${literal}${after}`;
}
