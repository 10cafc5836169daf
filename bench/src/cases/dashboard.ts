/**
 * The dashboard in a real browser, beside a page that makes an element of each
 * entry: how soon it shows the log, how smooth it stays while the log runs, and
 * how it scrolls through a million entries.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createNodeClient } from "@logsvc/client-node";
import { chromiumAdvice, launchBrowser } from "@logsvc/e2e/chromium";
import type { Browser } from "playwright-core";
import type { BenchCase, BenchOptions, Contestant, Figures, LeftOut } from "../bench-case.ts";
import { startPacedWriter } from "../clients.ts";
import { entryAt } from "../entries.ts";
import { type BenchServer, startLogsvc } from "../servers.ts";
import { WatchedPage } from "../watched-page.ts";

const naiveHtml = readFileSync(join(import.meta.dirname, "../peers/naive-list.html"), "utf8");

/** A page that shows the log. */
interface Viewer {
  readonly name: string;
  /** Its address for a filter, following the log. */
  readonly path: (filter: string) => string;
  readonly html?: string;
  /** How many entries it has. */
  readonly count: string;
  /** The element that scrolls. */
  readonly scroller: string;
}

const dashboard: Viewer = {
  name: "the dashboard",
  path: (filter) => `/?q=${encodeURIComponent(filter)}`,
  // The row before the oldest is no entry.
  count: `Number(document.querySelector(".log-scroller")?.getAttribute("aria-rowcount") ?? 1) - 1`,
  scroller: ".log-scroller",
};

const naive: Viewer = {
  name: "a naive list",
  path: (filter) =>
    `/naive?path=${encodeURIComponent(`/tail?last=500&filter=${encodeURIComponent(filter)}`)}`,
  html: naiveHtml,
  count: `document.getElementById("list").childElementCount`,
  scroller: "#list",
};

const viewers = [dashboard, naive];

async function withBrowser(
  open: (browser: Browser) => Promise<Contestant[]>,
): Promise<(Contestant | LeftOut)[]> {
  const browser = await launchBrowser();
  if (browser === undefined) return [{ name: "all", leftOut: chromiumAdvice }];
  const contestants = await open(browser);
  // The last to be closed closes the browser.
  return contestants.map((contestant, index) => ({
    ...contestant,
    close: async () => {
      await contestant.close?.();
      if (index === contestants.length - 1) await browser.close();
    },
  }));
}

const openPage = (
  browser: Browser,
  server: BenchServer,
  viewer: Viewer,
  filter: string,
): Promise<WatchedPage> => WatchedPage.open(browser, server.url + viewer.path(filter), viewer.html);

const storedEntries = 200_000;

export const dashboardOpen: BenchCase = {
  name: "dashboard-open",
  title:
    "From going to the page's address, with nothing in the browser's cache, to the first entry in the page: " +
    `headless Chromium on the server's machine, over HTTP/1.1, ${storedEntries.toLocaleString("en").replace(",", " ")} entries stored. ` +
    "The naive list has no filter bar, chart or facets, and loads no script.",
  columns: ["first entry, ms"],
  rounds: 9,
  open: (options) =>
    withBrowser(async (browser) => {
      const server = await startLogsvc(options);
      await writeMany(server, 0, storedEntries);
      return viewers.map((viewer, index) => ({
        name: viewer.name,
        run: async () => {
          const page = await openPage(browser, server, viewer, "level:>=info");
          const ms = await page.firstEntryMs();
          await page.close();
          return { "first entry, ms": ms };
        },
        close: async () => {
          if (index === viewers.length - 1) await server.stop();
        },
      }));
    }),
};

/** One entry in eight is below the filter's level. */
const filter = "level:>=info";
const arrivingPerSecond = 10_000;
const writtenPerSecond = Math.round((arrivingPerSecond * 8) / 7);
const liveSecondsDefault = 15;
/** The page is ready, and the browser has compiled what runs often. */
const startMs = 2_000;

export const dashboardLive: BenchCase = {
  name: "dashboard-live",
  title:
    `The log live with the filter \`${filter}\` while ${arrivingPerSecond.toLocaleString("en").replace(",", " ")} entries/s that match it are written, ` +
    "in headless Chromium, whose drawing is done by the processor as well; writer and server are on the same machine. " +
    "Frames and tasks are counted from two seconds after the first entry on. Held: JavaScript's objects and buffers and the page's elements, after garbage was collected.",
  columns: [
    "arrived, entries/s",
    "frames/s",
    "longest frame, ms",
    "tasks over 100 ms",
    "longest task, ms",
    "held at start, MB",
    "held at end, MB",
    "browser cores",
  ],
  rounds: 1,
  warmUp: false,
  open: (options) =>
    withBrowser(async (browser) =>
      viewers.map((viewer) => ({ name: viewer.name, run: () => followLive(browser, viewer, options) })),
    ),
};

async function followLive(browser: Browser, viewer: Viewer, options: BenchOptions): Promise<Figures> {
  const { seconds = liveSecondsDefault } = options;
  const server = await startLogsvc(options);
  const writer = startPacedWriter(server.url);
  const count = writtenPerSecond * (seconds + startMs / 1000 + 2);
  const writing = writer.write({ from: 0, count: Math.round(count), perSecond: writtenPerSecond });
  const page = await openPage(browser, server, viewer, filter);
  try {
    await page.firstEntryMs();
    await pause(startMs);
    const heldAtStart = await page.heldBytes();
    const countAtStart = (await page.ask<number>(viewer.count)) ?? Number.NaN;
    const before = await processorSeconds(browser);
    await page.watch();
    await pause(seconds * 1000);
    const report = await page.report();
    const arrived = ((await page.ask<number>(viewer.count)) ?? Number.NaN) - countAtStart;
    const worked = (await processorSeconds(browser)) - before;
    return {
      "arrived, entries/s": arrived / report.seconds,
      "frames/s": report.framesPerSecond,
      "longest frame, ms": report.frameMsMax,
      "tasks over 100 ms": report.longTasks,
      "longest task, ms": report.taskMsMax,
      "held at start, MB": heldAtStart / 1e6,
      "held at end, MB": (await page.heldBytes()) / 1e6,
      "browser cores": worked / report.seconds,
    };
  } finally {
    await page.close();
    await writing;
    await writer.stop();
    await server.stop();
  }
}

/** Of all the browser's processes up to now. */
async function processorSeconds(browser: Browser): Promise<number> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0);
}

const scrolledEntries = 1_000_000;
const loadMsMax = 180_000;
const scrollSeconds = 5;
/** As fast as a wheel is turned. */
const pxPerFrame = 60;

export const dashboardScroll: BenchCase = {
  name: "dashboard-scroll",
  title:
    `${scrolledEntries.toLocaleString("en").replaceAll(",", " ")} entries in the page, which came while it followed the log (as many as came in ${loadMsMax / 60_000} minutes, where that is fewer). ` +
    `Then ${scrollSeconds} s of scrolling up by ${pxPerFrame} pixels a frame, and ${scrollSeconds} s of jumps to other places, ten a second, as with the scroll bar.`,
  columns: [
    "entries in the page",
    "loading, s",
    "scrolling, frames/s",
    "longest frame, ms",
    "jumping, frames/s",
    "longest frame of jumps, ms",
    "held, MB",
  ],
  rounds: 1,
  warmUp: false,
  open: (options) =>
    withBrowser(async (browser) =>
      viewers.map((viewer) => ({ name: viewer.name, run: () => scroll(browser, viewer, options) })),
    ),
};

async function scroll(browser: Browser, viewer: Viewer, options: BenchOptions): Promise<Figures> {
  const { entries = scrolledEntries } = options;
  const server = await startLogsvc(options);
  await writeMany(server, 0, 500);
  const page = await openPage(browser, server, viewer, "");
  try {
    await page.firstEntryMs();
    const began = performance.now();
    await writeMany(server, 500, entries - 500);
    let count = 0;
    while (count < entries && performance.now() - began < loadMsMax) {
      count = (await page.ask<number>(viewer.count)) ?? count;
      await pause(100);
    }
    const loadMs = performance.now() - began;
    const by = await scrolling(page, viewer, `element.scrollTop -= ${pxPerFrame}`);
    const jumps = await scrolling(
      page,
      viewer,
      `if (frames % 6 === 0) element.scrollTop = element.scrollHeight * Math.abs(Math.sin(frames))`,
    );
    return {
      "entries in the page": count,
      "loading, s": loadMs / 1000,
      "scrolling, frames/s": by.framesPerSecond,
      "longest frame, ms": by.frameMsMax,
      "jumping, frames/s": jumps.framesPerSecond,
      "longest frame of jumps, ms": jumps.frameMsMax,
      "held, MB": (await page.heldBytes()) / 1e6,
    };
  } finally {
    await page.close();
    await server.stop();
  }
}

/** Does something to the scrolled element in each frame. Figures are absent when the page did not answer. */
async function scrolling(
  page: WatchedPage,
  { scroller }: Viewer,
  step: string,
): Promise<{ readonly framesPerSecond: number; readonly frameMsMax: number }> {
  const frameMs = await page.ask<number[]>(`new Promise((resolve) => {
    const element = document.querySelector("${scroller}");
    const began = performance.now();
    const times = [];
    let [frames, last] = [0, began];
    const frame = () => {
      const now = performance.now();
      times.push(now - last);
      last = now;
      frames++;
      ${step};
      if (now - began < ${scrollSeconds * 1000}) requestAnimationFrame(frame);
      else resolve(times);
    };
    requestAnimationFrame(frame);
  })`);
  if (frameMs === undefined) return { framesPerSecond: Number.NaN, frameMsMax: Number.NaN };
  const ms = frameMs.reduce((sum, value) => sum + value, 0);
  return { framesPerSecond: (frameMs.length * 1000) / ms, frameMsMax: Math.max(...frameMs) };
}

/** Stores entries, as fast as they are taken. */
async function writeMany({ url }: BenchServer, from: number, count: number): Promise<void> {
  const client = createNodeClient({ url });
  try {
    await client.upload(numbered(from, count));
  } finally {
    client.close();
  }
}

function* numbered(from: number, count: number): Generator<ReturnType<typeof entryAt>> {
  for (let index = from; index < from + count; index++) yield entryAt(index);
}
