/**
 * What every search must answer, worked out by brute force: as plainly as can
 * be, on arrays of entries, without a thought of speed.
 *
 * Words and phrases are looked for by other means than in the filter's own
 * code. The rest of a filter is its predicate's, and the choice of a
 * histogram's buckets is theirs: both have tests of their own.
 */
import { compileFilter, type FilterNode } from "@logsvc/filter";
import { type LogEntry, severityOf } from "@logsvc/proto";
import type {
  BacklogRequest,
  CountRequest,
  FieldValues,
  Histogram,
  HistogramSeries,
  QueryRequest,
  Selection,
  ValuesRequest,
} from "../engine.ts";
import { chooseBuckets } from "../scan/histogram-buckets.ts";

/** An entry that was written. */
export interface KnownEntry {
  /** The how manieth of its log it is, from 0. */
  readonly place: number;
  readonly entry: LogEntry;
}

/** The entries that are stored, in the order of the log. */
export type StoredView = readonly KnownEntry[];

/** Finds the entries of a view that a filter and a range select. */
export type Select = (view: StoredView) => KnownEntry[];

/** Selects by brute force; an entry that is asked for again is not matched again. */
export function selectBy({ filter, start, end }: Selection): Select {
  const matches = matcherOf(filter);
  const known = new Map<KnownEntry, boolean>();
  const isSelected = (each: KnownEntry) => {
    const { timestamp } = each.entry;
    return (
      (start === undefined || timestamp >= start) &&
      (end === undefined || timestamp < end) &&
      matches(each.entry)
    );
  };
  return (view) =>
    view.filter((each) => {
      const selected = known.get(each) ?? isSelected(each);
      known.set(each, selected);
      return selected;
    });
}

/** The places of a page, and whether more may follow. */
export interface ExpectedPage {
  readonly places: readonly number[];
  /** `certain`: more entries match. `unknown`: the page is full, and nothing says more. */
  readonly next: "none" | "unknown" | "certain";
}

/** A page of a query: what comes after an entry, in the order of the query. */
export function expectedPage(
  selected: readonly KnownEntry[],
  { order, limit }: Pick<QueryRequest, "order" | "limit">,
  after: KnownEntry | undefined,
): ExpectedPage {
  const oldestFirst = (a: KnownEntry, b: KnownEntry) =>
    a.entry.timestamp === b.entry.timestamp
      ? a.place - b.place
      : a.entry.timestamp < b.entry.timestamp
        ? -1
        : 1;
  const compare = order === "oldest" ? oldestFirst : (a: KnownEntry, b: KnownEntry) => oldestFirst(b, a);
  const following = selected.filter((each) => after === undefined || compare(each, after) > 0).sort(compare);
  const places = following.slice(0, limit).map(({ place }) => place);
  if (following.length > limit) return { places, next: "certain" };
  return { places, next: following.length === limit ? "unknown" : "none" };
}

/** The places of the last matching entries. */
export function expectedBacklog(selected: readonly KnownEntry[], { limit }: BacklogRequest): number[] {
  return selected.slice(Math.max(0, selected.length - limit)).map(({ place }) => place);
}

/** The places of an entry and its neighbours; undefined when it is not stored. */
export function expectedAround(
  view: StoredView,
  { place, before, after }: { readonly place: number; readonly before: number; readonly after: number },
): number[] | undefined {
  const stored = new Set(view.map((each) => each.place));
  if (!stored.has(place)) return undefined;
  let [first, last] = [place, place];
  while (place - first < before && stored.has(first - 1)) first--;
  while (last - place < after && stored.has(last + 1)) last++;
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** The place of the first entry of a time or later. */
export function expectedSince(view: StoredView, time: bigint): number | undefined {
  return view.find(({ entry }) => entry.timestamp >= time)?.place;
}

/** The range that a histogram covers: the request's, as far as it says, else that of all stored entries. */
export function expectedRange(
  view: StoredView,
  { start, end }: Pick<CountRequest, "start" | "end">,
): { start: bigint; last: bigint } | undefined {
  const times = view.map(({ entry }) => entry.timestamp).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const [first, last] = [start ?? times[0], end === undefined ? times.at(-1) : end - 1n];
  if (first === undefined || last === undefined || first > last) return undefined;
  return { start: first, last };
}

/**
 * The histogram of the selected entries.
 *
 * @param range What it covers; undefined: nothing.
 * @throws EngineError `invalid` when there are no such buckets.
 */
export function expectedHistogram(
  selected: readonly KnownEntry[],
  range: { readonly start: bigint; readonly last: bigint } | undefined,
  { interval: asked, buckets, groupBy, groups }: CountRequest,
): Histogram {
  const { start, interval, count } = chooseBuckets(range ?? { start: 0n, last: 0n }, asked, buckets);
  const counted = range === undefined ? [] : selected;
  const groupOf = ({ entry }: KnownEntry) => (groupBy === undefined ? "" : fieldOf(entry, groupBy));
  const seriesOf = (value: string, entries: readonly KnownEntry[], other: boolean): HistogramSeries => {
    const counts = new Array<number>(count).fill(0);
    for (const { entry } of entries) {
      const offset = entry.timestamp - start;
      const bucket = Number((offset - (((offset % interval) + interval) % interval)) / interval);
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
    return { value, counts, total: entries.length, other };
  };
  const byValue = Map.groupBy(counted, groupOf);
  const chosen = tally(counted.map(groupOf)).slice(0, groupBy === undefined ? 1 : groups);
  if (groupBy === "level") chosen.sort((a, b) => severityOf(b.value) - severityOf(a.value));
  const series = chosen.map(({ value }) => seriesOf(value, byValue.get(value) ?? [], false));
  const names = new Set(chosen.map(({ value }) => value));
  const rest = counted.filter((each) => !names.has(groupOf(each)));
  if (rest.length > 0) series.push(seriesOf("", rest, true));
  return { start, interval, series, total: counted.length };
}

/** The values of a field, or the names of the fields. */
export function expectedValues(
  selected: readonly KnownEntry[],
  { field, prefix = "", limit }: ValuesRequest,
): FieldValues {
  const valuesOf = ({ entry }: KnownEntry) => {
    if (field !== undefined) return [fieldOf(entry, field)];
    const names = new Set([...ownFields.keys(), ...Object.keys(entry.attributes)]);
    return [...names].filter((name) => fieldOf(entry, name) !== "");
  };
  const begins = (value: string) => value.toLowerCase().startsWith(prefix.toLowerCase());
  const values = tally(selected.flatMap(valuesOf).filter((value) => value !== "" && begins(value)));
  return { values: values.slice(0, limit), distinct: values.length, truncated: false };
}

/** Values by falling count; equal counts by value. */
function tally(values: readonly string[]): { value: string; count: number }[] {
  return Array.from(
    Map.groupBy(values, (value) => value),
    ([value, { length }]) => ({ value, count: length }),
  ).sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1));
}

const ownFields: ReadonlyMap<string, (entry: LogEntry) => string> = new Map([
  ["level", (entry: LogEntry) => entry.level],
  ["service", (entry: LogEntry) => entry.service],
  ["message", (entry: LogEntry) => entry.message],
  ["trace_id", (entry: LogEntry) => entry.traceId],
  ["span_id", (entry: LogEntry) => entry.spanId],
]);

/** The text that an entry has of a field, as requests and filters name it. */
export function fieldOf(entry: LogEntry, field: string): string {
  const own = ownFields.get(field);
  if (own !== undefined) return own(entry);
  return Object.hasOwn(entry.attributes, field) ? (entry.attributes[field] ?? "") : "";
}

/** Whether an entry passes a filter. */
function matcherOf(node: FilterNode): (entry: LogEntry) => boolean {
  switch (node.kind) {
    case "all":
      return () => true;
    case "not": {
      const inner = matcherOf(node.node);
      return (entry) => !inner(entry);
    }
    case "and": {
      const inner = node.nodes.map(matcherOf);
      return (entry) => inner.every((matches) => matches(entry));
    }
    case "or": {
      const inner = node.nodes.map(matcherOf);
      return (entry) => inner.some((matches) => matches(entry));
    }
    case "field": {
      const { field, match } = node;
      if (match.kind === "prefix" || (match.kind === "phrase" && field !== "level")) {
        return (entry) => hasPhrase(fieldOf(entry, field), match.text, match.kind === "prefix");
      }
      return compileFilter(node);
    }
  }
}

/** Whether a text has a phrase at word boundaries, or begins a word with it: tried at each character. */
function hasPhrase(text: string, phrase: string, isPrefix: boolean): boolean {
  const [characters, wanted] = [Array.from(text), Array.from(phrase)];
  for (let at = 0; at + wanted.length <= characters.length; at++) {
    if (!wanted.every((character, index) => isSame(character, characters[at + index]))) continue;
    if (isWord(wanted[0]) && isWord(characters[at - 1])) continue;
    if (!isPrefix && isWord(wanted.at(-1)) && isWord(characters[at + wanted.length])) continue;
    return true;
  }
  return false;
}

function isWord(character = ""): boolean {
  return /^[\p{L}\p{M}\p{N}_]$/u.test(character);
}

/** Whether two characters are the same but for their case. */
function isSame(a: string, b = ""): boolean {
  return a === b || fold(a) === fold(b);
}

/** Simple case folding of a character: what has a lower case of one character is that, and `ſ` is `s`. */
function fold(character: string): string {
  if (character === "ſ") return "s";
  const lower = character.toLowerCase();
  // Some have a lower case of two characters.
  return lower.length === character.length ? lower : character;
}
