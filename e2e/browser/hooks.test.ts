/** The React hooks in a real browser, mounted in StrictMode, against a real server. */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import type { Browser, Page } from "playwright-core";
import { assertSameLines } from "../harness/lines-match.ts";
import { batchOf, connectRpc, type LogRpc, readStats } from "../harness/rpc.ts";
import { startServer } from "../harness/server.ts";
import { waitFor } from "../harness/wait-for.ts";
import { chromiumAdvice, openBrowser } from "./chromium.ts";
import { hostPage } from "./page-host.ts";

test("the React hooks", { timeout: 180_000 }, async (t) => {
  const browser = await openBrowser(t);
  if (browser === undefined) return t.skip(chromiumAdvice);
  const hostPort = await hostPage(t, "hooks-page");
  const server = await startServer(t);
  const rpc = connectRpc(t, server.url);
  const page = await openPage(
    t,
    browser,
    `http://127.0.0.1:${hostPort}/?server=${encodeURIComponent(server.url)}`,
  );

  await t.test("useTail shows each entry once, also after another filter, a death and a pause", async () => {
    await follow(rpc, page, server);
  });

  await t.test("useTail renders once a frame, and holds as many rows as it is told", async () => {
    await flood(rpc, page);
  });

  await t.test("useQuery loads page after page", async () => {
    await search(page);
  });

  await t.test("what is not shown any more holds no connection", async () => {
    await show(page, {});
    await openTails(rpc, 0n);
  });
});

async function follow(
  rpc: LogRpc,
  page: Page,
  server: { kill(): Promise<void>; start(): Promise<void> },
): Promise<void> {
  await rpc.writeLogs(batchOf(["old 1", "old 2", "old 3"], "a"));
  await show(page, { tail: { filter: "service:=a", last: 2 } });
  await lists(page, "#tail", ["old 2", "old 3"]);
  await openTails(rpc, 1n);
  await rpc.writeLogs(batchOf(["new", "new too"], "a"));
  await lists(page, "#tail", ["old 2", "old 3", "new", "new too"]);

  // The same options in another object are no change.
  await show(page, { tail: { filter: "service:=a", last: 2 } });
  await server.kill();
  await server.start();
  await waitFor("the server", () =>
    rpc.writeLogs(batchOf(["after"], "a")).then(
      () => true,
      () => false,
    ),
  );
  await lists(page, "#tail", ["old 2", "old 3", "new", "new too", "after"]);

  await show(page, { tail: { filter: "service:=a", last: 2, enabled: false } });
  await openTails(rpc, 0n);
  await rpc.writeLogs(batchOf(["while it paused"], "a"));
  await show(page, { tail: { filter: "service:=a", last: 2, enabled: true } });
  await lists(page, "#tail", ["old 2", "old 3", "new", "new too", "after", "while it paused"]);

  await show(page, { tail: { filter: "service:=b", last: 1 } });
  await rpc.writeLogs(batchOf(["of b"], "b"));
  await lists(page, "#tail", ["of b"]);
  await show(page, { tail: { filter: "service:" } });
  await waitFor("the filter's error", async () =>
    Boolean(await page.evaluate("hooksPage.tail.state.error?.code === 3")),
  );
}

async function flood(rpc: LogRpc, page: Page): Promise<void> {
  await show(page, { tail: { filter: "service:=flood", rowsMax: 50 } });
  await openTails(rpc, 1n);
  await waitFor("the tail", async () => (await page.locator("#tail").getAttribute("data-state")) === "live");
  const before = Number(await page.evaluate("hooksPage.renders()"));
  const began = performance.now();
  const texts = Array.from({ length: 5_000 }, (_, index) => `entry ${index}`);
  for (let start = 0; start < texts.length; start += 20) {
    await rpc.writeLogs(batchOf(texts.slice(start, start + 20), "flood"));
  }
  await lists(page, "#tail", texts.slice(-50));
  const frames = (performance.now() - began) / (1_000 / 60) + 2;
  const renders = Number(await page.evaluate("hooksPage.renders()")) - before;
  // StrictMode renders everything twice.
  assert.ok(renders <= 2 * frames, `${renders} renders in ${frames} frames`);
  assert.equal(await page.evaluate("hooksPage.tail.dropped"), 4_950);
}

async function search(page: Page): Promise<void> {
  await show(page, { query: { filter: "service:=flood", order: "oldest", limit: 30 } });
  const texts = Array.from({ length: 60 }, (_, index) => `entry ${index}`);
  await lists(page, "#query", texts.slice(0, 30));
  assert.equal(await page.evaluate("hooksPage.query.hasMore"), true);
  await page.evaluate("hooksPage.query.loadMore()");
  await lists(page, "#query", texts);
  await show(page, { query: { filter: "service:=a", limit: 30 } });
  await lists(page, "#query", ["while it paused", "after", "new too", "new", "old 3", "old 2", "old 1"]);
  assert.equal(await page.evaluate("hooksPage.query.hasMore"), false);
  assert.equal(await page.evaluate("hooksPage.query.progress.matches"), 7);
  await show(page, { query: { filter: "service:" } });
  await waitFor("the filter's error", async () =>
    Boolean(await page.evaluate("hooksPage.query.error?.code === 3")),
  );
}

async function openPage(t: TestContext, browser: Browser, url: string): Promise<Page> {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  page.on("pageerror", (error) => assert.fail(error));
  page.on("console", (line) => {
    if (line.type() === "error") t.diagnostic(`the page says: ${line.text()}`);
  });
  await page.goto(url);
  return page;
}

async function show(page: Page, options: unknown): Promise<void> {
  await page.evaluate(`hooksPage.show(${JSON.stringify(options)})`);
}

/** Waits for a list to have as many lines, which then must be these. */
async function lists(page: Page, selector: string, texts: readonly string[]): Promise<void> {
  await waitFor(`${texts.length} lines in ${selector}`, async () => {
    const lines = await page.locator(`${selector} li`).allTextContents();
    return lines.length === texts.length && lines.at(-1) === texts.at(-1);
  });
  assertSameLines(await page.locator(`${selector} li`).allTextContents(), [...texts]);
}

async function openTails(rpc: LogRpc, count: bigint): Promise<void> {
  await waitFor(`${count} open tails`, async () => (await readStats(rpc)).tail?.open === count);
}
