/** The canvas in the page: its size, the theme's colours, and a tooltip with exact counts. */
import { type ReactNode, useEffect, useRef, useState } from "react";
import { formatDay, formatDayTime } from "../view/format-time.ts";
import { bucketSpan } from "./buckets.ts";
import { formatExactCount } from "./format-count.ts";
import { createLevelChart, type LevelChart, type LevelChartEvents } from "./level-chart.ts";
import type { LevelStack } from "./level-stack.ts";

/** What the canvas shows, and whom it tells. */
export interface ChartCanvasProps {
  readonly stack: LevelStack | undefined;
  readonly timeZone: string;
  onWidth(widthPixels: number): void;
  onZoom(first: number, end: number): void;
  onZoomOut(): void;
}

/** Where the pointer is. */
interface Hover {
  readonly bucket: number;
  readonly left: number;
}

/** The chart. What it says is in the legend and the table as well, so that it is hidden from who can't see it. */
export function ChartCanvas(props: ChartCanvasProps): ReactNode {
  const { stack, timeZone } = props;
  const element = useRef<HTMLDivElement>(null);
  const [chart, setChart] = useState<LevelChart>();
  const [hover, setHover] = useState<Hover>();
  const latest = useRef(props);
  useEffect(() => {
    latest.current = props;
  });
  useEffect(() => {
    if (element.current === null) return;
    return mountChart(element.current, setChart, (width) => latest.current.onWidth(width), {
      onZoom: (first, end) => latest.current.onZoom(first, end),
      onZoomOut: () => latest.current.onZoomOut(),
      onHover: (bucket, left) => setHover(bucket === undefined ? undefined : { bucket, left }),
    });
  }, []);
  useEffect(() => {
    if (stack !== undefined) chart?.show(stack, timeZone);
  }, [chart, stack, timeZone]);
  return (
    <div className="histogram-chart" ref={element} aria-hidden="true">
      {hover !== undefined && stack !== undefined && (
        <Tooltip hover={hover} stack={stack} timeZone={timeZone} />
      )}
    </div>
  );
}

/** Makes the chart once there is room for it, and keeps its size and colours; returns how to undo that. */
function mountChart(
  element: HTMLElement,
  setChart: (chart: LevelChart | undefined) => void,
  onWidth: (width: number) => void,
  events: LevelChartEvents,
): () => void {
  let chart: LevelChart | undefined;
  const sizes = new ResizeObserver(([entry]) => {
    const width = Math.floor(entry?.contentRect.width ?? 0);
    if (width < 50) return;
    onWidth(width);
    if (chart === undefined) {
      chart = createLevelChart(element, width, events);
      setChart(chart);
    } else chart.resize(width);
  });
  sizes.observe(element);
  const recolour = (): void => chart?.recolour();
  const themes = new MutationObserver(recolour);
  themes.observe(document.documentElement, { attributeFilter: ["data-theme", "class", "style"] });
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", recolour);
  return () => {
    sizes.disconnect();
    themes.disconnect();
    system.removeEventListener("change", recolour);
    chart?.destroy();
    setChart(undefined);
  };
}

function Tooltip({
  hover,
  stack,
  timeZone,
}: {
  readonly hover: Hover;
  readonly stack: LevelStack;
  readonly timeZone: string;
}): ReactNode {
  const { start, end } = bucketSpan(stack.buckets, hover.bucket);
  const text = (time: bigint): string => bucketTime(time, stack.buckets.interval, timeZone);
  const isOneDay = formatDay(start, timeZone) === formatDay(end, timeZone);
  return (
    <div
      className="histogram-tooltip popup"
      style={{ left: `clamp(0px, ${hover.left}px - 6.5rem, 100% - 13rem)` }}
    >
      <p className="mono">
        {text(start)} – {isOneDay ? text(end).slice(11) : text(end)}
      </p>
      <dl>
        {stack.bars.map(({ name, tone, counts }) => {
          const count = counts[hover.bucket] ?? 0;
          return count === 0 ? null : (
            <div key={name}>
              <dt>
                <span className={`level-swatch level-swatch-${tone}`} />
                {name}
              </dt>
              <dd>{formatExactCount(count)}</dd>
            </div>
          );
        })}
        <div>
          <dt>all</dt>
          <dd>{formatExactCount(stack.totals[hover.bucket] ?? 0)}</dd>
        </div>
      </dl>
    </div>
  );
}

/** An edge of a bucket, no more exact than buckets are. */
function bucketTime(time: bigint, interval: bigint, timeZone: string): string {
  if (interval % 60_000_000_000n === 0n) return formatDayTime(time, timeZone, "s").slice(0, 16);
  return formatDayTime(time, timeZone, interval % 1_000_000_000n === 0n ? "s" : "ms");
}
