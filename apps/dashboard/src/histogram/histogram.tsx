/**
 * How many entries there were when, by level. Drag over bars to look closer,
 * double click to look from farther; the buttons do the same for the keyboard,
 * and a table says the figures.
 */
import type { LogClient } from "@logsvc/client-web";
import { type ReactNode, useState } from "react";
import { addCondition, standingOf } from "../filter/filter-edit.ts";
import { nowNs } from "../range/range-span.ts";
import { errorText } from "../request/request-error.ts";
import type { ViewRange } from "../view/view-state.ts";
import { rangeOfBuckets, sameRange, shiftRange, zoomIn, zoomOut } from "./buckets.ts";
import { ChartCanvas } from "./chart-canvas.tsx";
import { formatExactCount } from "./format-count.ts";
import "./histogram.css";
import { HistogramSummary, HistogramTable } from "./histogram-table.tsx";
import type { LevelStack } from "./level-stack.ts";
import { useHistogram } from "./use-histogram.ts";

/** What the histogram shows, and whom it tells. */
export interface HistogramProps {
  readonly client: LogClient;
  readonly filter: string;
  readonly range: ViewRange;
  readonly timeZone: string;
  onRange(range: ViewRange): void;
  /** Told when a level in the legend is pressed; without it the legend only says the totals. */
  onFilter?(filter: string): void;
}

/** The histogram. */
export function Histogram({ client, filter, range, timeZone, onRange, onFilter }: HistogramProps): ReactNode {
  const [widthPixels, setWidth] = useState(0);
  const [attempt, setAttempt] = useState(0);
  const [figuresAreOpen, setFiguresOpen] = useState(false);
  const { answer: stack, error, pending } = useHistogram({ client, filter, range, widthPixels, attempt });
  const change = (next: ViewRange): void => {
    if (!sameRange(next, range)) onRange(next);
  };
  return (
    <section className="histogram" aria-label="Entries over time" aria-busy={pending && stack === undefined}>
      <div className="histogram-head">
        <Legend stack={stack} filter={filter} onFilter={onFilter} />
        <button
          className="button button-quiet button-icon"
          type="button"
          aria-label="Figures"
          title="Figures"
          aria-pressed={figuresAreOpen}
          onClick={() => setFiguresOpen(!figuresAreOpen)}
        >
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d="M2.5 3h11v10h-11zM2.5 6.3h11M2.5 9.6h11M6.5 3v10" fill="none" stroke="currentColor" />
          </svg>
        </button>
        <RangeButtons range={range} onRange={change} />
      </div>
      <div className="histogram-body" data-stale={(pending && range.kind !== "live") || undefined}>
        <ChartCanvas
          stack={stack}
          timeZone={timeZone}
          onWidth={setWidth}
          onZoom={(first, end) => stack !== undefined && change(rangeOfBuckets(stack.buckets, first, end))}
          onZoomOut={() => change(zoomOut(range, nowNs()))}
        />
        <Notice
          stack={stack}
          error={error}
          pending={pending || widthPixels === 0}
          onRetry={() => setAttempt((before) => before + 1)}
        />
      </div>
      {stack !== undefined && <HistogramSummary stack={stack} timeZone={timeZone} />}
      {stack !== undefined && figuresAreOpen && <HistogramTable stack={stack} timeZone={timeZone} />}
    </section>
  );
}

function Notice({
  stack,
  error,
  pending,
  onRetry,
}: {
  readonly stack: LevelStack | undefined;
  readonly error: unknown;
  readonly pending: boolean;
  onRetry(): void;
}): ReactNode {
  if (error !== undefined) {
    return (
      <p className="histogram-notice histogram-error" role="status">
        {errorText(error)}{" "}
        <button className="button" type="button" onClick={onRetry}>
          Try again
        </button>
      </p>
    );
  }
  if (stack === undefined) return pending ? <p className="histogram-notice muted">Counting…</p> : null;
  return stack.total === 0 ? <p className="histogram-notice muted">No entries in this time</p> : null;
}

function Legend({
  stack,
  filter,
  onFilter,
}: {
  readonly stack: LevelStack | undefined;
  readonly filter: string;
  readonly onFilter: ((filter: string) => void) | undefined;
}): ReactNode {
  if (stack === undefined) return <div className="histogram-legend" />;
  return (
    <div className="histogram-legend">
      <span className="histogram-total">
        <b>{formatExactCount(stack.total)}</b> {stack.total === 1 ? "entry" : "entries"}
      </span>
      {stack.bars.map(({ level, name, tone, total }) => {
        const text = (
          <>
            <span className={`level-swatch level-swatch-${tone}`} aria-hidden="true" />
            {name} <b>{formatExactCount(total)}</b>
          </>
        );
        return level === undefined || level === "" || onFilter === undefined ? (
          <span key={name} className="legend-level">
            {text}
          </span>
        ) : (
          <button
            key={name}
            className="legend-level"
            type="button"
            title={`Only ${name}, or all levels again`}
            aria-pressed={standingOf(filter, "level", level) === "chosen"}
            onClick={() => onFilter(addCondition(filter, "level", level, "include"))}
          >
            {text}
          </button>
        );
      })}
    </div>
  );
}

function RangeButtons({
  range,
  onRange,
}: {
  readonly range: ViewRange;
  onRange(range: ViewRange): void;
}): ReactNode {
  const buttons = [
    { name: "Earlier", path: "M10 3L5 8l5 5", of: (now: bigint) => shiftRange(range, now, -1) },
    { name: "Later", path: "M6 3l5 5-5 5", of: (now: bigint) => shiftRange(range, now, 1) },
    { name: "Zoom in", path: "M3 8h10M8 3v10", of: (now: bigint) => zoomIn(range, now) },
    { name: "Zoom out", path: "M3 8h10", of: (now: bigint) => zoomOut(range, now) },
  ];
  return (
    <fieldset className="histogram-buttons">
      <legend className="visually-hidden">Change the time range</legend>
      {buttons.map(({ name, path, of }) => (
        <button
          key={name}
          className="button button-quiet button-icon"
          type="button"
          aria-label={name}
          title={name}
          onClick={() => onRange(of(nowNs()))}
        >
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d={path} fill="none" stroke="currentColor" strokeWidth="1.5" />
          </svg>
        </button>
      ))}
    </fieldset>
  );
}
