/** The histogram in words and figures, for who can't see a canvas, and for copying. */
import type { ReactNode } from "react";
import { formatDayTime } from "../view/format-time.ts";
import { bucketSpan } from "./buckets.ts";
import { formatExactCount } from "./format-count.ts";
import { type LevelStack, peakOf } from "./level-stack.ts";

/** What the table shows. */
export interface HistogramTableProps {
  readonly stack: LevelStack;
  readonly timeZone: string;
}

/** The histogram in one sentence, to be read aloud. */
export function HistogramSummary({ stack, timeZone }: HistogramTableProps): ReactNode {
  return <p className="visually-hidden">{summaryOf(stack, timeZone)}</p>;
}

function summaryOf(stack: LevelStack, timeZone: string): string {
  const { span } = stack.buckets;
  const time = (ns: bigint): string => formatDayTime(ns, timeZone, "s");
  const peak = peakOf(stack);
  const most =
    peak === undefined
      ? ""
      : ` Most, ${formatExactCount(stack.totals[peak] ?? 0)}, at ${time(bucketSpan(stack.buckets, peak).start)}.`;
  const levels = stack.bars.map(({ name, total }) => `${name} ${formatExactCount(total)}`).join(", ");
  return `${formatExactCount(stack.total)} entries from ${time(span.start)} to ${time(span.end)}.${most} ${levels}`;
}

/** Its figures, bucket by bucket. */
export function HistogramTable({ stack, timeZone }: HistogramTableProps): ReactNode {
  const { bars } = stack;
  const filled = stack.totals.flatMap((total, bucket) => (total === 0 ? [] : [bucket]));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <section className="histogram-figures" tabIndex={0} aria-label="Entries by time and level">
      <table>
        <thead>
          <tr>
            <th scope="col">From</th>
            {bars.map(({ name }) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
            <th scope="col">all</th>
          </tr>
        </thead>
        <tbody>
          {filled.map((bucket) => (
            <tr key={bucket}>
              <th scope="row" className="mono">
                {formatDayTime(bucketSpan(stack.buckets, bucket).start, timeZone, "s")}
              </th>
              {bars.map(({ name, counts }) => (
                <td key={name}>{formatExactCount(counts[bucket] ?? 0)}</td>
              ))}
              <td>{formatExactCount(stack.totals[bucket] ?? 0)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
