/**
 * The histogram's canvas: uPlot for axes, cursor and dragging, and bars drawn
 * by hand, so that the one error among a million entries still has its pixels.
 *
 * The x axis counts buckets, not time: their edges are bigints, and a
 * difference of nanoseconds would be lost in a double.
 */
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { formatCount } from "./format-count.ts";
import type { LevelStack, LevelTone } from "./level-stack.ts";
import { timeTicks } from "./time-ticks.ts";

/** What the chart tells; places are in buckets from the left. */
export interface LevelChartEvents {
  readonly onZoom: (first: number, end: number) => void;
  readonly onZoomOut: () => void;
  /** The pointer is over this bucket, so far from the left of the chart in pixels; or over none. */
  readonly onHover: (bucket: number | undefined, leftPixels: number) => void;
}

/** A chart in an element. */
export interface LevelChart {
  readonly show: (stack: LevelStack, timeZone: string) => void;
  readonly resize: (widthPixels: number) => void;
  /** Takes the theme's colours anew. */
  readonly recolour: () => void;
  readonly destroy: () => void;
}

/** In CSS pixels; the style sheet reserves as much. */
const chartHeight = 104;
const tickPixelsMin = 90;
/** A drag shorter than this is a click. */
const dragPixelsMin = 5;
/** The lowest bar that is not empty. */
const barPixelsMin = 2;

const tones: readonly LevelTone[] = ["trace", "debug", "info", "warn", "error", "fatal", "unknown"];

/** What is drawn now. */
interface Picture {
  stack: LevelStack | undefined;
  timeZone: string;
  colours: ReadonlyMap<LevelTone, string>;
}

/** Creates the chart. */
export function createLevelChart(
  element: HTMLElement,
  widthPixels: number,
  events: LevelChartEvents,
): LevelChart {
  const picture: Picture = { stack: undefined, timeZone: "UTC", colours: readColours(element) };
  const plot = new uPlot(chartOptions(element, widthPixels, picture, events), [[], []], element);
  plot.over.addEventListener("dblclick", events.onZoomOut);
  plot.over.addEventListener("mouseleave", () => events.onHover(undefined, 0));
  return {
    show: (stack, timeZone) => {
      picture.stack = stack;
      picture.timeZone = timeZone;
      plot.setData([stack.totals.map((_, index) => index + 0.5), [...stack.totals]]);
    },
    resize: (width) => plot.setSize({ width, height: chartHeight }),
    recolour: () => {
      picture.colours = readColours(element);
      plot.redraw(false, true);
    },
    destroy: () => plot.destroy(),
  };
}

function chartOptions(
  element: HTMLElement,
  width: number,
  picture: Picture,
  events: LevelChartEvents,
): uPlot.Options {
  const font = `11px ${getComputedStyle(element).fontFamily}`;
  const text = (): string => getComputedStyle(element).color;
  const line = (): string => getComputedStyle(element).borderTopColor;
  const grid = { stroke: line, width: 1 };
  return {
    width,
    height: chartHeight,
    padding: [6, 8, 0, 0],
    legend: { show: false },
    scales: {
      x: { time: false, range: () => [0, picture.stack?.buckets.count ?? 1] },
      y: { range: (_plot, _low, high) => [0, Math.max(1, high)] },
    },
    axes: [
      {
        font,
        stroke: text,
        size: 34,
        gap: 3,
        lineGap: 1.2,
        grid: { show: false },
        ticks: { ...grid, size: 4 },
        splits: (plot) => ticksOf(plot, picture).map(({ place }) => place),
        values: (plot) => ticksOf(plot, picture).map(({ label }) => label),
      },
      {
        font,
        stroke: text,
        size: 46,
        gap: 4,
        space: 24,
        grid,
        ticks: { show: false },
        incrs: wholeSteps,
        values: (_plot, splits) => splits.map(formatCount),
      },
    ],
    series: [{}, { paths: () => null, points: { show: false } }],
    cursor: {
      y: false,
      points: { show: false },
      drag: { x: true, y: false, setScale: false, dist: dragPixelsMin },
      // A double click goes out, and not to uPlot's own first scale.
      bind: { dblclick: () => null },
    },
    hooks: chartHooks(picture, events),
  };
}

function chartHooks(picture: Picture, { onZoom, onHover }: LevelChartEvents): uPlot.Hooks.Arrays {
  return {
    draw: [(plot) => drawBars(plot, picture)],
    setCursor: [
      (plot) => {
        const { left = -1 } = plot.cursor;
        const count = picture.stack?.buckets.count ?? 0;
        const bucket = Math.floor(plot.posToVal(left, "x"));
        onHover(left < 0 || bucket >= count ? undefined : bucket, left + plot.over.offsetLeft);
      },
    ],
    setSelect: [
      (plot) => {
        const { left, width: dragged } = plot.select;
        if (dragged < dragPixelsMin) return;
        plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        onZoom(plot.posToVal(left, "x"), plot.posToVal(left + dragged, "x"));
      },
    ],
  };
}

const wholeSteps: number[] = Array.from({ length: 13 }, (_, exponent) =>
  [1, 2, 5].map((step) => step * 10 ** exponent),
).flat();

/** Ticks in buckets from the left. */
function ticksOf(plot: uPlot, { stack, timeZone }: Picture): { place: number; label: string }[] {
  if (stack === undefined) return [];
  const { start, interval, count } = stack.buckets;
  const startMs = Number(start / 1_000_000n);
  const bucketMs = Number(interval) / 1e6;
  const max = Math.max(2, Math.floor(plot.over.clientWidth / tickPixelsMin));
  return timeTicks(startMs, startMs + count * bucketMs, timeZone, max).map(({ ms, label, day }) => ({
    place: (ms - startMs) / bucketMs,
    label: day === undefined ? label : `${label}\n${day}`,
  }));
}

function drawBars(plot: uPlot, { stack, colours }: Picture): void {
  if (stack === undefined) return;
  const { ctx, bbox } = plot;
  const least = barPixelsMin * devicePixelRatio;
  const high = plot.scales["y"]?.max ?? 1;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (let bucket = 0; bucket < stack.buckets.count; bucket++) {
    const left = Math.round(plot.valToPos(bucket, "x", true));
    const right = Math.round(plot.valToPos(bucket + 1, "x", true));
    let bottom = bbox.top + bbox.height;
    for (const { counts, tone } of stack.bars) {
      const count = counts[bucket] ?? 0;
      if (count === 0) continue;
      const height = Math.max(least, Math.round((count / high) * bbox.height));
      ctx.fillStyle = colours.get(tone) ?? "gray";
      ctx.fillRect(left, bottom - height, Math.max(1, right - left - Math.round(devicePixelRatio)), height);
      bottom -= height;
    }
  }
  ctx.restore();
}

/** A canvas knows neither custom properties nor light-dark(): an element computes them. */
function readColours(element: HTMLElement): ReadonlyMap<LevelTone, string> {
  const probe = document.createElement("span");
  probe.hidden = true;
  element.append(probe);
  const colours = new Map(
    tones.map((tone) => {
      probe.style.color = `var(--level-${tone}-fill)`;
      return [tone, getComputedStyle(probe).color] as const;
    }),
  );
  probe.remove();
  return colours;
}
