/**
 * Following the log: new entries come in at the end until the reader looks
 * elsewhere; then nothing moves, what waits is counted, and going on loses
 * nothing. Also with ten tabs over HTTP/1.1, where browsers allow six
 * connections.
 */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { Browser, Page } from "playwright-core";
import { chromiumAdvice, openBrowser } from "../browser/chromium.ts";
import { assertSameLines } from "../harness/lines-match.ts";
import { batchOf, connectRpc, type LogRpc } from "../harness/rpc.ts";
import { type Server, startServer } from "../harness/server.ts";
import { waitFor } from "../harness/wait-for.ts";
import { assertContent, buildDashboard, type DashboardPage, openDashboard } from "./dashboard-page.ts";
import { endsWith, listOf, messagesShown, pillOf, readList, rowCount } from "./entry-list.ts";

const tabsCount = 10;
const writtenEveryMs = 50;
const writtenAtOnce = 5;
/** Enough for more than a screen. */
const backlog = 200;

test("following the log", { timeout: 240_000 }, async (t) => {
  const browser = await openBrowser(t);
  if (browser === undefined) return t.skip(chromiumAdvice);
  await buildDashboard();

  for (const tls of [true, false]) {
    const wire = tls ? "TLS" : "HTTP/1.1";
    await t.test(`scrolled up, nothing moves and nothing is lost, over ${wire}`, (t) =>
      scrollsUp(t, browser, tls),
    );
  }
  await t.test("text that is selected stays so, and is copied", (t) => selectsText(t, browser));
  await t.test("space, a click and the end of the list pause and resume", (t) =>
    pausesAndResumes(t, browser),
  );
  await t.test("another size of the window goes on following", (t) => resizes(t, browser));
  await t.test("a filter shows what matches, from then on as well", (t) => filters(t, browser));
  await t.test(`${tabsCount} tabs over HTTP/1.1 all follow`, (t) => opensManyTabs(t, browser));
});

/** A log that is written to all the time, and a page that follows it. */
interface Flow extends DashboardPage {
  readonly server: Server;
  /** How many entries were stored so far: "entry 0" and so on. */
  written(): number;
  /** Stops writing. Resolves with how many there are. */
  stop(): Promise<number>;
}

async function openFlow(t: TestContext, browser: Browser, tls = false): Promise<Flow> {
  const server = await startServer(t, { tls });
  const rpc = connectRpc(t, server.url);
  let count = 0;
  const write = async (many: number): Promise<void> => {
    await rpc.writeLogs(batchOf(named(count, many)));
    count += many;
  };
  await write(backlog);
  const tab = await openDashboard(t, browser, server);
  await endsWith(tab.page, `entry ${count - 1}`);
  let isOver = false;
  const writing = (async () => {
    while (!isOver) {
      await write(writtenAtOnce);
      await pause(writtenEveryMs);
    }
  })();
  const stop = async (): Promise<number> => {
    isOver = true;
    await writing;
    return count;
  };
  t.after(stop);
  return { ...tab, server, written: () => count, stop };
}

const named = (first: number, many: number): string[] =>
  Array.from({ length: many }, (_, index) => `entry ${first + index}`);

async function flows(flow: Flow, many: number): Promise<void> {
  const end = flow.written() + many;
  await waitFor(`entry ${end}`, () => flow.written() >= end);
}

/** The entries that wait, as the pill says. */
async function waiting(page: Page): Promise<number> {
  const text = (await pillOf(page).textContent()) ?? "";
  return Number((/([\d,]+) new/.exec(text)?.[1] ?? "0").replaceAll(",", ""));
}

/** Where each message on the screen stands. */
function places(page: Page): Promise<[string, number][]> {
  return page.evaluate(`(() => {
    const list = document.querySelector(".log-scroller").getBoundingClientRect();
    return [...document.querySelectorAll(".log-row")]
      .map((row) => [row.querySelector(".log-message").textContent, row.getBoundingClientRect()])
      .filter(([, { top, bottom }]) => top >= list.top && bottom <= list.bottom)
      .map(([message, { top }]) => [message, top]);
  })()`);
}

async function hasEverything({ page }: DashboardPage, count: number): Promise<void> {
  const [oldest, ...entries] = await readList(page);
  assert.match(oldest ?? "", /The log begins here/);
  assertSameLines(entries, named(0, count));
}

async function scrollsUp(t: TestContext, browser: Browser, tls: boolean): Promise<void> {
  const flow = await openFlow(t, browser, tls);
  const { page } = flow;
  await listOf(page).hover();
  await page.mouse.wheel(0, -600);
  await pillOf(page).waitFor();
  // Scrolling is smooth and ends some frames later.
  let before = await places(page);
  await waitFor("the list to stand still", async () => {
    const now = await places(page);
    const isStill = JSON.stringify(now) === JSON.stringify(before);
    before = now;
    return isStill;
  });
  const shown = (await rowCount(page)) - 1;
  await flows(flow, 100);
  assert.deepEqual(await places(page), before);
  const count = await flow.stop();
  await waitFor("the pill to count all", async () => (await waiting(page)) === count - shown);
  assert.deepEqual(await places(page), before);
  await page.keyboard.press(" ");
  await endsWith(page, `entry ${count - 1}`);
  assert.equal(await pillOf(page).count(), 0);
  await hasEverything(flow, count);
  await assertContent(flow);
}

async function selectsText(t: TestContext, browser: Browser): Promise<void> {
  const flow = await openFlow(t, browser);
  const { page, context } = flow;
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const selected = (): Promise<string> => page.evaluate("document.getSelection().toString()");
  const rows = page.locator(".log-row");
  // Rows go on moving until the button is down.
  const list = await listOf(page).boundingBox();
  assert.ok(list !== null);
  const [x, y] = [list.x + 160, list.y + list.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + 200, y + 70, { steps: 5 });
  await page.mouse.up();
  const before = await selected();
  assert.equal(before.split("\n").length, 4, before);
  await pillOf(page).waitFor();
  assert.equal(await page.locator(".details").count(), 0, "selecting is not clicking");
  await flows(flow, 50);
  assert.equal(await selected(), before);
  // Far away from what is selected, and back.
  await page.mouse.wheel(0, -3000);
  await flows(flow, 50);
  assert.equal(await selected(), before);
  await page.keyboard.press("Control+c");
  assert.equal(await page.evaluate("navigator.clipboard.readText()"), before);
  await page.evaluate("document.getSelection().removeAllRanges()");
  await page.keyboard.press(" ");
  const count = await flow.stop();
  await endsWith(page, `entry ${count - 1}`);
  assert.ok((await rows.count()) > 10);
  await hasEverything(flow, count);
  await assertContent(flow);
}

async function pausesAndResumes(t: TestContext, browser: Browser): Promise<void> {
  const flow = await openFlow(t, browser);
  const { page } = flow;
  const follows = async (): Promise<void> => {
    await pillOf(page).waitFor({ state: "detached" });
    const { written } = flow;
    const now = written();
    await waitFor("what is written now", async () =>
      (await messagesShown(page)).some((message) => Number(message.slice("entry ".length)) > now),
    );
  };
  const isPaused = async (): Promise<void> => {
    await pillOf(page).waitFor();
    await waitFor("entries to wait", async () => (await waiting(page)) > 10);
  };
  await page.keyboard.press(" ");
  await isPaused();
  await page.keyboard.press(" ");
  await follows();
  await page.keyboard.press("PageUp");
  await page.keyboard.press("k");
  await isPaused();
  await pillOf(page).click();
  await follows();
  await page.keyboard.press("k");
  await isPaused();
  await page.keyboard.press("End");
  await follows();
  await page.keyboard.press("Home");
  await isPaused();
  await page.keyboard.press("l");
  await follows();
  // By the wheel, down to the end.
  await listOf(page).hover();
  await page.mouse.wheel(0, -100);
  await isPaused();
  await waitFor("the end", async () => {
    await page.mouse.wheel(0, 2_000);
    return (await pillOf(page).count()) === 0;
  });
  await follows();
  await hasEverything(flow, await flow.stop());
  await assertContent(flow);
}

async function resizes(t: TestContext, browser: Browser): Promise<void> {
  const flow = await openFlow(t, browser);
  const { page } = flow;
  for (const [width, height] of [
    [360, 740],
    [3840, 2160],
    [800, 300],
    [1440, 900],
  ] as const) {
    await page.setViewportSize({ width, height });
    await flows(flow, 20);
    assert.equal(await pillOf(page).count(), 0, `${width} by ${height}`);
    const now = flow.written() - 1;
    await waitFor("the newest", async () =>
      (await messagesShown(page)).some((message) => Number(message.slice("entry ".length)) >= now),
    );
  }
  await hasEverything(flow, await flow.stop());
}

async function filters(t: TestContext, browser: Browser): Promise<void> {
  const server = await startServer(t);
  const rpc = connectRpc(t, server.url);
  const write = (numbers: readonly number[]): ReturnType<LogRpc["writeLogs"]> =>
    rpc.writeLogs({
      entries: numbers.map((number) => ({
        message: `entry ${number}`,
        level: number % 3 === 0 ? "error" : "info",
        service: "test",
      })),
    });
  await write([0, 1, 2, 3]);
  const tab = await openDashboard(t, browser, server, { path: "/?q=level:error" });
  const { page } = tab;
  await endsWith(page, "entry 3");
  await write([4, 5, 6, 7]);
  await endsWith(page, "entry 6");
  assert.deepEqual(await messagesShown(page), ["entry 0", "entry 3", "entry 6"]);
  await page.getByRole("combobox", { name: "Filter" }).fill("level:info");
  await page.keyboard.press("Enter");
  await endsWith(page, "entry 7");
  assert.deepEqual(await messagesShown(page), ["entry 1", "entry 2", "entry 4", "entry 5", "entry 7"]);
  await write([8, 9]);
  await endsWith(page, "entry 8");
  await page.goBack();
  await endsWith(page, "entry 9");
  assert.deepEqual(await messagesShown(page), ["entry 0", "entry 3", "entry 6", "entry 9"]);
  await assertContent(tab);
}

async function opensManyTabs(t: TestContext, browser: Browser): Promise<void> {
  const server = await startServer(t);
  const rpc = connectRpc(t, server.url);
  await rpc.writeLogs(batchOf(["entry 0"]));
  const context = await browser.newContext({ locale: "en-US", viewport: { width: 800, height: 600 } });
  t.after(() => context.close());
  const tabs: DashboardPage[] = [];
  for (let tab = 0; tab < tabsCount; tab++) tabs.push(await openDashboard(t, browser, server, { context }));
  for (const { page } of tabs) await endsWith(page, "entry 0");
  // Their tails take turns, so this takes seconds.
  await rpc.writeLogs(batchOf(["entry 1"]));
  await Promise.all(tabs.map(({ page }) => endsWith(page, "entry 1")));
  for (const tab of tabs) {
    assert.deepEqual(await messagesShown(tab.page), named(0, 2));
    for (const version of tab.versions) assert.equal(version.toLowerCase(), "http/1.1");
    // What else is asked is answered beside the tails.
    await tab.page
      .getByRole("region", { name: "Entries over time" })
      .getByRole("button", { name: "INFO 2" })
      .waitFor();
    await assertContent(tab);
  }
}
