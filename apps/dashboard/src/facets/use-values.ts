/** Asks for a facet's values, or for the names of the fields: once, and anew when filter or range change; while following, now and then. */
import type { ListValuesResponse, LogClient } from "@logsvc/client-web";
import { nowNs, rangeKey, spanOf } from "../range/range-span.ts";
import type { RequestState } from "../request/latest-request.ts";
import { useLatestRequest } from "../request/use-latest-request.ts";
import type { ViewRange } from "../view/view-state.ts";

/** What is listed. */
export interface ValuesSubject {
  readonly client: LogClient;
  readonly filter: string;
  readonly range: ViewRange;
  /** Absent: the names of the fields. */
  readonly field?: string;
  readonly prefix: string;
  readonly limit: number;
  /** Another number asks again. */
  readonly attempt: number;
}

const delayMs = 200;
const timeoutMs = 30_000;
/** While following, the time between two questions, in milliseconds; more when answers take long. */
const refreshMs = 15_000;

/** The values, and how the question for them stands. */
export function useValues(subject: ValuesSubject): RequestState<ListValuesResponse> {
  const { client, filter, range, field, prefix, limit, attempt } = subject;
  const call = (signal: AbortSignal): Promise<ListValuesResponse> => {
    const { start, end } = spanOf(range, nowNs());
    return client.values({
      filter,
      start,
      // What comes while following is of the present, whatever its clock says.
      ...(range.kind !== "live" && { end }),
      ...(field !== undefined && { field }),
      prefix,
      limit,
      signal,
      timeoutMs,
    });
  };
  const key = JSON.stringify([filter, rangeKey(range), field ?? null, prefix, limit, attempt]);
  return useLatestRequest(key, call, { delayMs, ...(range.kind === "live" && { everyMs: refreshMs }) });
}
