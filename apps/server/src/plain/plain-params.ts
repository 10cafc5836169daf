/**
 * The parameters of the plain routes, as people type them behind a `?`.
 *
 * Times are one of
 *   1764000000 · 1764000000000 …        Unix time in s, ms, us or ns, told by magnitude
 *   2026-11-22T09:36:40.123Z · 2026-11-22   RFC 3339, or its beginning; UTC where no offset is given
 *   90s · 1h30m · 2d                    so long ago: ns, us, ms, s, m, h, d, w
 */
import { durationOf } from "@logsvc/filter";
import { Order } from "@logsvc/proto";
import type { QueryRequestFields } from "../query/query.ts";
import { RequestError } from "../request-error.ts";
import type { TailRequest } from "../tail/tail.ts";

/**
 * `GET /tail`: the fields of TailLogsRequest.
 *
 * @throws RequestError `invalid` that names the parameter.
 */
export function tailParams(query: unknown): TailRequest {
  const params = readParams(query, ["filter", "cursor", "last", "since"]);
  return {
    filter: params["filter"] ?? "",
    cursor: params["cursor"] ?? "",
    last: countParam("last", params["last"]),
    since: timeParam("since", params["since"]),
  };
}

/**
 * `GET /query`: the fields of QueryLogsRequest. `limit` may be above a page's
 * size, and "all" (here Infinity) is every entry.
 *
 * @throws RequestError `invalid` that names the parameter.
 */
export function queryParams(query: unknown): QueryRequestFields {
  const names = ["filter", "start", "end", "order", "limit", "page_token", "around"];
  const params = readParams(query, names);
  return {
    filter: params["filter"] ?? "",
    start: timeParam("start", params["start"]),
    end: timeParam("end", params["end"]),
    order: orderParam(params["order"]),
    limit: params["limit"] === "all" ? Number.POSITIVE_INFINITY : countParam("limit", params["limit"]),
    pageToken: params["page_token"] ?? "",
    around: params["around"] ?? "",
  };
}

function readParams(query: unknown, names: readonly string[]): Partial<Record<string, string>> {
  const params: Partial<Record<string, string>> = {};
  for (const [name, value] of Object.entries(query ?? {})) {
    if (!names.includes(name)) {
      throw new RequestError("invalid", `${name}: not a parameter, expected one of ${names.join(", ")}`);
    }
    if (typeof value !== "string") throw new RequestError("invalid", `${name}: given more than once`);
    params[name] = value;
  }
  return params;
}

function countParam(name: string, text = ""): number {
  if (text === "") return 0;
  const count = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(count)) return count;
  throw new RequestError("invalid", `${name}: expected a whole number, got "${text}"`);
}

function orderParam(text = ""): Order {
  switch (text) {
    case "":
    case "newest":
      return Order.NEWEST_FIRST;
    case "oldest":
      return Order.OLDEST_FIRST;
    default:
      throw new RequestError("invalid", `order: expected newest or oldest, got "${text}"`);
  }
}

/** 0n for none, as in the RPCs' fields. */
function timeParam(name: string, text = ""): bigint {
  if (text === "") return 0n;
  if (/^\d+$/.test(text)) return BigInt(text);
  const time = agoTime(text) ?? calendarTime(text);
  if (time === undefined) {
    throw new RequestError(
      "invalid",
      `${name}: expected a Unix time, an RFC 3339 time or a duration such as 1h, got "${text}"`,
    );
  }
  // What is told by magnitude as nanoseconds begins in 1973; before it, seconds are unambiguous.
  return time >= 100_000_000_000_000_000n ? time : time / 1_000_000_000n;
}

function agoTime(text: string): bigint | undefined {
  // A filter's durations may have signs and spaces, which say nothing here.
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h|d|w))+$/.test(text)) return undefined;
  const nanoseconds = durationOf(text);
  return Number.isFinite(nanoseconds)
    ? BigInt(Date.now()) * 1_000_000n - BigInt(Math.round(nanoseconds))
    : undefined;
}

function calendarTime(text: string): bigint | undefined {
  // In a URL's query an unescaped "+" arrives as a space.
  const match = /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d)(:\d\d)?(?:\.(\d{1,9}))?([Zz]|[+ -]\d\d:\d\d)?)?$/.exec(
    text,
  );
  if (match === null) return undefined;
  const [, date = "", minutes = "00:00", seconds = ":00", fraction = "", offset = "Z"] = match;
  const milliseconds = Date.parse(`${date}T${minutes}${seconds}${offset.toUpperCase().replace(" ", "+")}`);
  // `Date.parse` takes 30 February for 2 March.
  const isDate = !Number.isNaN(milliseconds) && new Date(`${date}T00:00Z`).toISOString().startsWith(date);
  if (!isDate) return undefined;
  return BigInt(milliseconds) * 1_000_000n + BigInt(fraction.padEnd(9, "0"));
}
