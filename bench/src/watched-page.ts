/**
 * A page in a real browser whose smoothness is watched from the inside: frames,
 * tasks that block it, and its memory. A page that is too busy to be asked has
 * told what it knew before, once a second.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Browser, CDPSession, Page } from "playwright-core";

/** What a page told of itself since the watch began. */
export interface PageReport {
  readonly seconds: number;
  readonly framesPerSecond: number;
  /** The longest time between two frames, milliseconds. */
  readonly frameMsMax: number;
  /** Tasks that blocked it for more than 100 ms. */
  readonly longTasks: number;
  /** The longest task, milliseconds; 0: none was longer than 50. */
  readonly taskMsMax: number;
}

/** Longer ones are felt. */
const longTaskMs = 100;

/** A page that does not answer for so long is asked no more. */
const answerMsMax = 30_000;

const tellMs = 500;
const askMs = 20;

/** In the page: counts frames and long tasks, and tells them to the console, which is heard even when the page is busy. */
const watchScript = `
  globalThis.watch = () => {
    const began = performance.now();
    const seen = { frames: 0, frameMsMax: 0, longTasks: 0, taskMsMax: 0 };
    let last = began;
    const frame = (now) => {
      seen.frames++;
      seen.frameMsMax = Math.max(seen.frameMsMax, now - last);
      last = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) {
        if (duration > ${longTaskMs}) seen.longTasks++;
        seen.taskMsMax = Math.max(seen.taskMsMax, duration);
      }
    }).observe({ type: "longtask" });
    const tell = () => console.debug("watched " + JSON.stringify(seen));
    setInterval(tell, ${tellMs});
    globalThis.tell = tell;
  };
  new MutationObserver((_, observer) => {
    if (document.querySelector(".log-row, #list > div") === null) return;
    observer.disconnect();
    globalThis.firstEntryMs = performance.now();
  }).observe(document, { childList: true, subtree: true });`;

/** A page, watched. */
export class WatchedPage {
  readonly page: Page;
  readonly #session: CDPSession;
  #told = { frames: 0, frameMsMax: 0, longTasks: 0, taskMsMax: 0 };
  #beganMs = 0;

  private constructor(page: Page, session: CDPSession) {
    this.page = page;
    this.#session = session;
    page.on("console", (message) => {
      const text = message.text();
      if (text.startsWith("watched ")) this.#told = JSON.parse(text.slice("watched ".length));
    });
  }

  /** Opens a page of its own reader, with nothing in its cache. */
  static async open(browser: Browser, url: string, html?: string): Promise<WatchedPage> {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-US" });
    const page = await context.newPage();
    await page.addInitScript(watchScript);
    // A page of the server's own site, so that it may read the answers.
    if (html !== undefined)
      await page.route(url, (route) => route.fulfill({ contentType: "text/html", body: html }));
    const watched = new WatchedPage(page, await context.newCDPSession(page));
    await page.goto(url, { waitUntil: "commit" });
    return watched;
  }

  /** From the beginning of the navigation to the first entry in the page, milliseconds. */
  async firstEntryMs(): Promise<number> {
    // Not `waitForFunction`: the dashboard's policy allows no page to evaluate text.
    for (;;) {
      const ms = await this.page.evaluate<number | undefined>("globalThis.firstEntryMs");
      if (ms !== undefined) return ms;
      await pause(askMs);
    }
  }

  /** Begins to watch. */
  async watch(): Promise<void> {
    await this.page.evaluate("watch()");
    this.#beganMs = performance.now();
  }

  /** What was seen since `watch`. */
  async report(): Promise<PageReport> {
    const seconds = (performance.now() - this.#beganMs) / 1000;
    await this.ask("tell()");
    const { frames, ...others } = this.#told;
    return { seconds, framesPerSecond: frames / seconds, ...others };
  }

  /** What an expression gives; undefined when the page is too busy to answer. */
  async ask<T>(expression: string): Promise<T | undefined> {
    return orLate(this.page.evaluate<T>(expression));
  }

  /** What the page holds after garbage was collected, bytes: JavaScript's objects and buffers, and its elements. */
  async heldBytes(): Promise<number> {
    await orLate(this.#session.send("HeapProfiler.collectGarbage"));
    const usage = await orLate(this.#session.send("Runtime.getHeapUsage"));
    if (usage === undefined) return Number.NaN;
    return usage.usedSize + usage.embedderHeapUsedSize + usage.backingStorageSize;
  }

  close(): Promise<void> {
    return this.page.context().close();
  }
}

/** A promise's value, or undefined when it takes too long or fails: the page is gone. */
async function orLate<T>(promise: Promise<T>): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(late.resolve, answerMsMax, undefined);
  try {
    return await Promise.race([promise.catch(() => undefined), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
