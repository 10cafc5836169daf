/** One figure over the last minutes, as a line on a canvas. */
import { type ReactNode, useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { historyMs, type StatsFigure, type StatsPoint } from "./stats-history.ts";

/** What `StatChart` needs. */
export interface StatChartProps {
  readonly points: readonly StatsPoint[];
  readonly figure: StatsFigure;
  /** The pointer is at this point of time, or at none. */
  onPoint(point: StatsPoint | undefined): void;
}

const heightPx = 36;
const windowSecondsMin = 60;

/** The line. What it shows is said in words beside it. */
export function StatChart({ points, figure, onPoint }: StatChartProps): ReactNode {
  const frame = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(undefined);
  const latest = useRef({ points, onPoint });
  useEffect(() => {
    latest.current = { points, onPoint };
    chart.current?.setData(series(points, figure));
  }, [points, figure, onPoint]);
  useEffect(() => {
    const element = frame.current;
    if (element === null) return undefined;
    const onIndex = (index: number | null | undefined): void => {
      const { current } = latest;
      current.onPoint(index === null || index === undefined ? undefined : current.points[index]);
    };
    const plot = new uPlot(chartOptions(element, onIndex), series(latest.current.points, figure), element);
    chart.current = plot;
    const observer = new ResizeObserver(() => {
      if (element.clientWidth > 0) plot.setSize({ width: element.clientWidth, height: heightPx });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
      chart.current = undefined;
    };
  }, [figure]);
  return <div ref={frame} className="stat-chart" aria-hidden="true" />;
}

/** uPlot's columns: seconds, and values; null where nothing is known, so that the line breaks. */
function series(points: readonly StatsPoint[], figure: StatsFigure): uPlot.AlignedData {
  return [points.map((point) => point.timeMs / 1_000), points.map((point) => point[figure] ?? null)];
}

/** From one minute, so that a page that was just opened has a line to look at, to all that is kept. */
function windowSeconds(knownSeconds: number): number {
  return Math.min(Math.max(knownSeconds, windowSecondsMin), historyMs / 1_000);
}

function chartOptions(
  element: HTMLElement,
  onIndex: (index: number | null | undefined) => void,
): uPlot.Options {
  // The theme's colours, as they are when it draws.
  const line = (): string => getComputedStyle(element).color;
  const area = (): string => getComputedStyle(element).backgroundColor;
  return {
    width: Math.max(element.clientWidth, 50),
    height: heightPx,
    padding: [4, 0, 3, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
    axes: [{ show: false }, { show: false }],
    scales: {
      x: { time: true, range: (_, first, last) => [last - windowSeconds(last - first), last] },
      y: { range: (_, __, greatest) => [0, Math.max(greatest ?? 0, Number.MIN_VALUE) * 1.05 || 1] },
    },
    series: [{}, { stroke: line, fill: area, width: 1.5, points: { show: false } }],
    hooks: { setCursor: [(plot) => onIndex(plot.cursor.idx)] },
  };
}
