/**
 * Many tabs of a real browser, over HTTP/1.1, where six connections have to do
 * for all of them; and tabs that are hidden, frozen or left.
 */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { assertSameLines } from "../harness/lines-match.ts";
import { batchOf, connectRpc, type LogRpc, readStats } from "../harness/rpc.ts";
import { type Server, startServer } from "../harness/server.ts";
import { waitFor } from "../harness/wait-for.ts";
import { chromiumAdvice, openBrowser } from "./chromium.ts";
import { hostPage } from "./page-host.ts";

const tabsCount = 10;
/** A call that had to wait for a tail's connection would take until that tail's end. */
const callMsMax = 5_000;

test("many tabs share a server's connections", { timeout: 240_000 }, async (t) => {
  const browser = await openBrowser(t);
  if (browser === undefined) return t.skip(chromiumAdvice);
  const hostPort = await hostPage(t);
  const here = `http://127.0.0.1:${hostPort}`;

  await t.test("ten visible tabs all follow, and their calls are answered", async (t) => {
    await tenTabs(t, browser, here, await startServer(t));
  });

  // A browser without a screen hides no tabs, so it freezes none, and it keeps none that is left: the
  // events are the test's.
  for (const [what, leave, comeBack] of [
    ["frozen", `document.dispatchEvent(new Event("freeze"))`, `document.dispatchEvent(new Event("resume"))`],
    ["left", transition("pagehide"), transition("pageshow")],
  ] as const) {
    await t.test(
      `a tab that is ${what} holds no connection, and goes on where it was when it is back`,
      async (t) => {
        const server = await startServer(t);
        const tab = await openTab(await openContext(t, browser), here, server);
        await awayTab(connectRpc(t, server.url), tab, leave, comeBack);
      },
    );
  }

  await t.test(
    "without shared locks hidden tabs hold no connection, and catch up when they are shown",
    async (t) => {
      const insecure = `http://other-site.test:${hostPort}`;
      await insecureTabs(t, browser, insecure, await startServer(t, { flags: ["--cors-origin", insecure] }));
    },
  );
});

async function tenTabs(t: TestContext, browser: Browser, origin: string, server: Server): Promise<void> {
  const context = await openContext(t, browser);
  const tabs: Page[] = [];
  for (let tab = 0; tab < tabsCount; tab++) tabs.push(await openTab(context, origin, server));
  const rpc = connectRpc(t, server.url);
  await Promise.all(tabs.map((tab) => isFollowing(tab)));
  const messages: string[] = [];
  for (let round = 0; round < 20; round++) {
    const texts = Array.from({ length: 10 }, (_, index) => `entry ${round * 10 + index}`);
    messages.push(...texts);
    await rpc.writeLogs(batchOf(texts));
    const { tail } = await readStats(rpc);
    assert.ok((tail?.open ?? 0n) <= 4n, `${tail?.open} tails are connected`);
    await calledInTime(tabs[round % tabsCount], messages.length);
  }
  await Promise.all(tabs.map((tab) => hasAll(tab, messages)));
  for (const tab of tabs) {
    assert.equal(await tab.evaluate("tailPage.error"), "");
    assert.deepEqual(await tab.evaluate("tailPage.states"), ["connecting", "live"], "turns do not show");
  }
}

async function awayTab(rpc: LogRpc, tab: Page, leave: string, comeBack: string): Promise<void> {
  await isFollowing(tab);
  await rpc.writeLogs(batchOf(["before"]));
  await hasAll(tab, ["before"]);
  await tab.evaluate(leave);
  await openTails(rpc, 0n);
  await rpc.writeLogs(batchOf(["meanwhile"]));
  await tab.evaluate(comeBack);
  await hasAll(tab, ["before", "meanwhile"]);
}

/** How the browser tells that a page goes into its back/forward cache, or comes out of it. */
function transition(type: "pagehide" | "pageshow"): string {
  return `dispatchEvent(new PageTransitionEvent("${type}", { persisted: true }))`;
}

async function insecureTabs(t: TestContext, browser: Browser, origin: string, server: Server): Promise<void> {
  const context = await openContext(t, browser);
  const rpc = connectRpc(t, server.url);
  const tabs: Page[] = [];
  for (let tab = 0; tab < tabsCount; tab++) {
    const page = await openTab(context, origin, server);
    assert.equal(await page.evaluate("navigator.locks === undefined"), true);
    await isFollowing(page);
    tabs.push(page);
    if (tab < tabsCount - 1) await show(page, "hidden");
  }
  await openTails(rpc, 1n);
  await rpc.writeLogs(batchOf(["one", "two"]));
  const [hidden, visible] = [tabs[0], tabs.at(-1)];
  assert.ok(hidden && visible);
  await hasAll(visible, ["one", "two"]);
  await calledInTime(hidden, 2);
  assert.deepEqual(await hidden.evaluate("tailPage.messages"), []);
  await show(hidden, "visible");
  await hasAll(hidden, ["one", "two"]);
}

async function openContext(t: TestContext, browser: Browser): Promise<BrowserContext> {
  const context = await browser.newContext();
  t.after(() => context.close());
  return context;
}

async function openTab(context: BrowserContext, origin: string, server: Server): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${origin}/?server=${encodeURIComponent(server.url)}`);
  return page;
}

/** A browser without a screen takes all its tabs for visible. */
async function show(page: Page, visibility: "visible" | "hidden"): Promise<void> {
  await page.evaluate(`Object.defineProperty(document, "visibilityState", { value: "${visibility}", configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));`);
}

async function isFollowing(page: Page): Promise<void> {
  await waitFor("the tab to follow", async () =>
    Boolean(await page.evaluate(`tailPage.states.includes("live")`)),
  );
}

async function calledInTime(page: Page | undefined, entries: number): Promise<void> {
  const late = `new Promise((resolve) => setTimeout(resolve, ${callMsMax}, "late"))`;
  assert.equal(await page?.evaluate(`Promise.race([tailPage.count(), ${late}])`), entries);
}

async function hasAll(page: Page, messages: readonly string[]): Promise<void> {
  await waitFor(
    "the tab's entries",
    async () => Number(await page.evaluate("tailPage.messages.length")) >= messages.length,
  );
  assertSameLines(await page.evaluate<string[]>("tailPage.messages"), [...messages]);
}

async function openTails(rpc: LogRpc, count: bigint): Promise<void> {
  await waitFor(`${count} open tails`, async () => (await readStats(rpc)).tail?.open === count);
}
