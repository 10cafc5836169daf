/**
 * The log for curl and jq, since Connect's streaming JSON is framed in binary
 * envelopes: an entry a line, as it comes, with the RPCs' parameters.
 *
 *   GET /tail   filter, cursor or last or since
 *     {"timestamp":…,"level":…,"message":…,"id":…,"received_at":…,"cursor":…}
 *     {"gap":{"from":…,"to":…,"count":…},"cursor":…}   entries that retention took first
 *     an empty line                                     a heartbeat; jq passes over it
 *   GET /query  filter, start, end, order=newest|oldest, limit, page_token, around
 *     entries, without cursors
 *
 * `limit` is 100 by default; above a page's 10 000 the pages follow one another
 * in one response, and `limit=all` is every entry. Where there are more than
 * `limit`, the trailer `logsvc-next-page-token` says where to go on.
 * Errors: see line-stream.ts. Times: see plain-params.ts.
 */
import { entryToJson, limits } from "@logsvc/proto";
import type { FastifyInstance } from "fastify";
import type { Queries, QueryRequestFields } from "../query/query.ts";
import { RequestError } from "../request-error.ts";
import type { TailRequest } from "../tail/tail.ts";
import type { TailResponse } from "../tail/tail-answers.ts";
import { type Lines, sendLines } from "./line-stream.ts";
import { queryParams, tailParams } from "./plain-params.ts";

/** What the routes work with. */
export interface PlainRouteOptions {
  readonly queries: Queries;
  readonly followLog: (request: TailRequest, signal: AbortSignal) => AsyncIterable<TailResponse>;
}

const nextPageTrailer = "logsvc-next-page-token";

/** Adds the routes. */
export function addPlainRoutes(app: FastifyInstance, { queries, followLog }: PlainRouteOptions): void {
  app.get("/tail", (request, reply) =>
    sendLines(request, reply, (signal) => tailLines(request.query, (tail) => followLog(tail, signal))),
  );
  app.get("/query", (request, reply) =>
    sendLines(request, reply, (signal) => queryLines(queries, request.query, signal), {
      trailers: [nextPageTrailer],
    }),
  );
}

async function* tailLines(
  params: unknown,
  followLog: (request: TailRequest) => AsyncIterable<TailResponse>,
): Lines {
  let silenceMs = 0;
  let sentAt = 0;
  for await (const response of followLog(tailParams(params))) {
    const { event, entries, cursor } = response;
    switch (event.case) {
      case "opened":
        silenceMs = event.value.heartbeatIntervalMs / 2;
        // Nothing to show, but the first line makes the headers go out.
        yield "";
        break;
      case "heartbeat":
        // Other heartbeats tell how far behind the tail is, which has no line here.
        if (performance.now() - sentAt >= silenceMs) yield "\n";
        break;
      case "gap": {
        const { from, to, count } = event.value;
        yield line({ gap: { from, to, count: Number(count) }, cursor });
        break;
      }
      case undefined:
        yield entries
          .map((entry, index) => line({ ...entryToJson(entry), cursor: response.cursorAt(index) }))
          .join("");
        break;
    }
    sentAt = performance.now();
  }
  return undefined;
}

async function* queryLines(queries: Queries, params: unknown, signal: AbortSignal): Lines {
  const request = queryParams(params);
  checkLimit(request);
  let wanted = request.limit === 0 ? limits.pageEntriesDefault : request.limit;
  let { pageToken } = request;
  do {
    const limit = Math.min(wanted, limits.pageEntriesMax);
    const page = { ...request, limit, pageToken };
    pageToken = "";
    for await (const { entries, progress } of queries.search(page, signal)) {
      wanted -= entries.length;
      if (entries.length > 0) yield entries.map((entry) => line(entryToJson(entry))).join("");
      pageToken = progress?.nextPageToken ?? pageToken;
    }
  } while (wanted > 0 && pageToken !== "");
  return pageToken === "" ? undefined : { [nextPageTrailer]: pageToken };
}

/** An entry's neighbours are one page, held in memory; a larger one can't be had piece by piece. */
function checkLimit({ around, limit }: QueryRequestFields): void {
  if (around === "" || limit <= limits.pageEntriesMax) return;
  throw new RequestError("invalid", `limit: at most ${limits.pageEntriesMax} with around, got ${limit}`);
}

const line = (value: object): string => `${JSON.stringify(value)}\n`;
