/** Asks for what the histogram shows, again and again while the log is followed. */
import type { LogClient } from "@logsvc/client-web";
import { nowNs, rangeKey } from "../range/range-span.ts";
import type { RequestState } from "../request/latest-request.ts";
import { useLatestRequest } from "../request/use-latest-request.ts";
import type { ViewRange } from "../view/view-state.ts";
import { planBuckets } from "./buckets.ts";
import { type LevelStack, stackLevels } from "./level-stack.ts";

/** What is counted. */
export interface HistogramQuestion {
  readonly client: LogClient;
  readonly filter: string;
  readonly range: ViewRange;
  /** Of the chart, in CSS pixels; 0: not known yet. */
  readonly widthPixels: number;
  /** Another number asks again. */
  readonly attempt: number;
}

/** While following, the time between two questions, in milliseconds; more when answers take long. */
const refreshMs = 3_000;
const delayMs = 100;
const timeoutMs = 30_000;

/** The counts by level, and how the question for them stands. */
export function useHistogram(question: HistogramQuestion): RequestState<LevelStack> {
  const { client, filter, range, widthPixels, attempt } = question;
  const { interval } = planBuckets(range, nowNs(), widthPixels);
  const key = `${attempt} ${interval} ${rangeKey(range)} ${filter}`;
  const call = async (signal: AbortSignal): Promise<LevelStack> => {
    const buckets = planBuckets(range, nowNs(), widthPixels);
    const { start, end } = buckets.span;
    const response = await client.count({
      filter,
      start,
      end,
      interval: buckets.interval,
      buckets: buckets.count,
      groupBy: "level",
      signal,
      timeoutMs,
    });
    return stackLevels(response, buckets);
  };
  const everyMs = range.kind === "live" ? { everyMs: refreshMs } : {};
  return useLatestRequest(key, widthPixels === 0 ? undefined : call, { delayMs, ...everyMs });
}
