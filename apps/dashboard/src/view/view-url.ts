/**
 * The view as the query of the page's URL, so that a link shows it again:
 *
 *   ?q=level:error&range=1h&columns=service,status&wrap=1&tz=UTC
 *   ?range=2026-11-22T09:00:00Z..2026-11-22T10:00:00Z&entry=ID
 *   ?around=ID
 *   ?page=stats
 *
 * What is as it is by default is left out: an address without a query is the
 * whole log, live. A link may be cut off, old, or made by hand: what can't be
 * understood in it is left out as well, and told.
 */
import { durationOf, FilterSyntaxError, parseFilter } from "@logsvc/filter";
import { limits } from "@logsvc/proto";
import { isTimeZone } from "./format-time.ts";
import type { ViewChange, ViewRange, ViewState } from "./view-state.ts";

/** What a URL says, and what of it could not be understood, in sentences. */
export interface ParsedView {
  readonly view: ViewState;
  readonly faults: readonly string[];
}

/** A reader's own choices, for what the URL does not say. */
export interface ViewPreferences {
  readonly wrap?: boolean;
  readonly timeZone?: string;
}

/** The whole log, live. */
export const defaultView: ViewState = {
  page: "logs",
  filter: "",
  range: { kind: "live" },
  columns: [],
  wrap: false,
  timeZone: "local",
};

/** A bound for columns, and for the text of an id: a URL is anybody's. */
const columnsMax = 32;
const idCharactersMax = 512;

/** A hundred years. */
const durationMsMax = 100 * 365 * 86_400_000;
const nsPerMs = 1_000_000n;
const nsPerSecond = 1_000_000_000n;
const int64Max = 2n ** 63n - 1n;

const units: readonly (readonly [name: string, ms: number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
];

/** Reads the query of a URL. It never throws. */
export function parseViewUrl(search: string, preferences: ViewPreferences = {}): ParsedView {
  const params = new URLSearchParams(search);
  const faults: string[] = [];
  const selectedId = idOf(params.get("entry"));
  const aroundId = idOf(params.get("around"));
  const wrap = params.get("wrap");
  const view: ViewState = {
    page: params.get("page") === "stats" ? "stats" : "logs",
    filter: readFilter(params.get("q") ?? "", faults),
    range: readRange(params.get("range"), faults),
    columns: readColumns(params.get("columns")),
    wrap: wrap === null ? (preferences.wrap ?? defaultView.wrap) : wrap !== "0",
    timeZone: readTimeZone(params.get("tz"), preferences, faults),
    ...(selectedId !== undefined && { selectedId }),
    ...(aroundId !== undefined && { aroundId }),
  };
  return { view, faults };
}

/** Writes the query of a URL, with its question mark; empty for the default view. */
export function formatViewUrl(view: ViewState): string {
  const { page, filter, range, columns, wrap, timeZone, selectedId, aroundId } = view;
  const params: [name: string, value: string][] = [];
  if (page !== defaultView.page) params.push(["page", page]);
  if (filter !== "") params.push(["q", filter]);
  if (range.kind !== "live") params.push(["range", formatRange(range)]);
  if (columns.length > 0) params.push(["columns", columns.map(escapeColumn).join(",")]);
  if (wrap) params.push(["wrap", "1"]);
  if (timeZone !== defaultView.timeZone) params.push(["tz", timeZone]);
  if (selectedId !== undefined) params.push(["entry", selectedId]);
  if (aroundId !== undefined) params.push(["around", aroundId]);
  if (params.length === 0) return "";
  return `?${params.map(([name, value]) => `${name}=${escapeValue(value)}`).join("&")}`;
}

/** The view after a change. What is taken away is as by default. */
export function changedView(view: ViewState, change: ViewChange): ViewState {
  const { selectedId, aroundId, ...rest } = { ...view, ...change };
  return {
    page: rest.page ?? defaultView.page,
    filter: rest.filter ?? defaultView.filter,
    range: rest.range ?? defaultView.range,
    columns: rest.columns ?? defaultView.columns,
    wrap: rest.wrap ?? defaultView.wrap,
    timeZone: rest.timeZone ?? defaultView.timeZone,
    ...(selectedId !== undefined && { selectedId }),
    ...(aroundId !== undefined && { aroundId }),
  };
}

/** A duration in its largest whole unit: 90 000 ms is `90s`, a day `1d`. */
export function formatDuration(durationMs: number): string {
  const [name, ms] = units.find(([, unit]) => durationMs % unit === 0) ?? ["ms", 1];
  return `${durationMs / ms}${name}`;
}

function readFilter(text: string, faults: string[]): string {
  if (new TextEncoder().encode(text).length > limits.filterBytesMax) {
    faults.push(`The filter in the link is longer than ${limits.filterBytesMax} bytes and was left out.`);
    return "";
  }
  try {
    parseFilter(text);
    return text;
  } catch (error) {
    if (!(error instanceof FilterSyntaxError)) throw error;
    faults.push(`The filter in the link, ${text}, can't be understood and was left out: ${error.reason}.`);
    return "";
  }
}

function readRange(text: string | null, faults: string[]): ViewRange {
  if (text === null || text === "live") return defaultView.range;
  const range = parseRange(text);
  if (range !== undefined) return range;
  faults.push(`The time range in the link, ${text}, can't be understood: this is the live log.`);
  return defaultView.range;
}

function parseRange(text: string): ViewRange | undefined {
  const [startText = "", endText, ...more] = text.split("..");
  if (endText === undefined) {
    const durationMs = Math.round(durationOf(text) / Number(nsPerMs));
    return durationMs >= 1 && durationMs <= durationMsMax ? { kind: "last", durationMs } : undefined;
  }
  const start = parseInstant(startText);
  const end = parseInstant(endText);
  if (start === undefined || end === undefined || more.length > 0 || end <= start) return undefined;
  return { kind: "between", start, end };
}

function formatRange(range: Exclude<ViewRange, { kind: "live" }>): string {
  return range.kind === "last"
    ? formatDuration(range.durationMs)
    : `${formatInstant(range.start)}..${formatInstant(range.end)}`;
}

/** To the nanosecond, as nothing else in JavaScript is. */
function formatInstant(ns: bigint): string {
  const second = ns / nsPerSecond - (ns % nsPerSecond < 0n ? 1n : 0n);
  const rest = ns - second * nsPerSecond;
  const fraction = rest === 0n ? "" : `.${String(rest).padStart(9, "0").replace(/0+$/, "")}`;
  return `${new Date(Number(second) * 1000).toISOString().slice(0, 19)}${fraction}Z`;
}

function parseInstant(text: string): bigint | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/.exec(text);
  const ms = Date.parse(`${match?.[1]}Z`);
  if (match === null || Number.isNaN(ms)) return undefined;
  const ns = BigInt(ms) * nsPerMs + BigInt((match[2] ?? "").padEnd(9, "0"));
  return ns <= int64Max && ns >= -int64Max - 1n ? ns : undefined;
}

/** Attributes may have any name: commas in one are doubled in their escape. */
const escapeColumn = (name: string): string => name.replaceAll("\\", "\\\\").replaceAll(",", "\\,");

function readColumns(text: string | null): readonly string[] {
  if (text === null) return defaultView.columns;
  const names = (text.match(/(?:\\.|[^,\\])+/gsu) ?? []).map((name) => name.replaceAll(/\\(.)/gsu, "$1"));
  return [...new Set(names)].slice(0, columnsMax);
}

function readTimeZone(text: string | null, preferences: ViewPreferences, faults: string[]): string {
  const preferred = preferences.timeZone ?? defaultView.timeZone;
  if (text === null) return preferred;
  if (isTimeZone(text)) return text;
  faults.push(`There is no time zone ${text}: times are shown as usual.`);
  return preferred;
}

const idOf = (text: string | null): string | undefined =>
  text === null || text === "" || text.length > idCharactersMax ? undefined : text;

/** As little as must be escaped, for links that can be read. */
const escapeValue = (value: string): string =>
  encodeURIComponent(value.toWellFormed())
    .replaceAll("%20", "+")
    .replaceAll(/%(?:3A|2C|2F|3D|3E|3C|2A)/g, (code) => decodeURIComponent(code))
    .replaceAll(/[<>]/g, encodeURIComponent);
