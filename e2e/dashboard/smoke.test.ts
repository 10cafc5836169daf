/** The dashboard opens, from a real server in a real browser, and shows what is written while it looks. */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import type { Browser } from "playwright-core";
import { chromiumAdvice, openBrowser } from "../browser/chromium.ts";
import { batchOf, connectRpc } from "../harness/rpc.ts";
import { type Server, startServer } from "../harness/server.ts";
import { waitFor } from "../harness/wait-for.ts";
import { assertContent, buildDashboard, openDashboard } from "./dashboard-page.ts";

test("the dashboard in Chromium", { timeout: 180_000 }, async (t) => {
  const browser = await openBrowser(t);
  if (browser === undefined) return t.skip(chromiumAdvice);
  await buildDashboard();

  for (const tls of [false, true]) {
    await t.test(`opens and follows, ${tls ? "over TLS" : "over HTTP/1.1"}`, async (t) => {
      const server = await startServer(t, { tls });
      await followFromEmpty(t, browser, server, tls ? "HTTP/2.0" : "http/1.1");
    });
  }

  await t.test("a server that is away is told, and what it missed is shown", async (t) => {
    const server = await startServer(t);
    await followThroughRestart(t, browser, server);
  });

  await t.test("a link that is half understood is told", async (t) => {
    const server = await startServer(t);
    const tab = await openDashboard(t, browser, server, { path: "/?q=(level&tz=Mars/Base" });
    await tab.page
      .getByRole("alert")
      .getByText(/can't be understood.*no time zone Mars\/Base/)
      .waitFor();
    await assertContent(tab);
  });

  await t.test("an entry's neighbours are shown where it is, again and again", async (t) => {
    const server = await startServer(t);
    await showNeighbours(t, browser, server);
  });

  await t.test("the metrics, and back", async (t) => {
    const server = await startServer(t);
    const tab = await openDashboard(t, browser, server, { path: "/?q=level:error" });
    const { page } = tab;
    await page.getByRole("link", { name: "Metrics" }).click();
    await page.getByRole("main", { name: "Live metrics" }).waitFor();
    assert.equal(new URL(page.url()).search, "?page=stats&q=level:error");
    assert.equal(await page.title(), "Metrics · logsvc");
    await page.goBack();
    await page.getByRole("main", { name: "Log" }).waitFor();
    assert.equal(new URL(page.url()).search, "?q=level:error");
    assert.equal(await page.title(), "level:error · logsvc");
    await assertContent(tab);
  });
});

async function followFromEmpty(
  t: TestContext,
  browser: Browser,
  server: Server,
  version: string,
): Promise<void> {
  const rpc = connectRpc(t, server.url);
  const tab = await openDashboard(t, browser, server);
  const { page } = tab;
  // An empty log shows how to write to it.
  await page.getByRole("heading", { name: "The log is empty" }).waitFor();
  await page.getByText(`curl ${server.url}/logsvc.LogService/WriteLogs`).waitFor();
  await page.getByRole("status").filter({ hasText: "Up to date" }).waitFor({ state: "attached" });

  await rpc.writeLogs(batchOf(["the first entry", "the second entry"]));
  const entries = page.getByRole("region", { name: "Entries" });
  await entries.getByText("the first entry").waitFor();
  await entries.getByText("the second entry").waitFor();
  await rpc.writeLogs(batchOf(["the third entry"]));
  await entries.getByText("the third entry").waitFor();
  assert.equal(await page.getByRole("heading", { name: "The log is empty" }).count(), 0);

  await assertContent(tab);
  assert.deepEqual(
    [...tab.versions].map((spoken) => spoken.toLowerCase()),
    [version.toLowerCase()],
  );
  assert.deepEqual(server.errors, []);
}

async function followThroughRestart(t: TestContext, browser: Browser, server: Server): Promise<void> {
  const rpc = connectRpc(t, server.url);
  await rpc.writeLogs(batchOf(["before"]));
  const tab = await openDashboard(t, browser, server);
  const { page } = tab;
  const entries = page.getByRole("region", { name: "Entries" });
  await entries.getByText("before").waitFor();
  await server.kill();
  await page.getByText("the server can't be reached").first().waitFor({ state: "attached" });
  await waitFor("the title to tell", async () => (await page.title()).includes("Disconnected"));
  await server.start();
  await rpc.writeLogs(batchOf(["meanwhile"]));
  // No sooner than this would the reader have to wait.
  await page
    .getByRole("button", { name: "Try now" })
    .click({ timeout: 2_000 })
    .catch(() => undefined);
  await entries.getByText("meanwhile").waitFor();
  assert.equal(await entries.getByText("before").count(), 1);
  assert.equal(await page.title(), "logsvc");
  await assertContent(tab);
}

async function showNeighbours(t: TestContext, browser: Browser, server: Server): Promise<void> {
  const rpc = connectRpc(t, server.url);
  await rpc.writeLogs(batchOf(Array.from({ length: 600 }, (_, index) => `entry ${index}`)));
  const tab = await openDashboard(t, browser, server, { path: "/?q=*" });
  const { page } = tab;
  await page.getByRole("row", { name: "entry 599" }).waitFor();
  for (const steps of [2, 20]) {
    await page.getByRole("status").filter({ hasText: "Up to date" }).waitFor({ state: "attached" });
    await page.locator(".log:not([data-stale]) .log-row").first().waitFor();
    for (let step = 0; step < steps; step++) await page.keyboard.press("k");
    await page.keyboard.press("a");
    await page.getByText("Entries before and after one").waitFor();
    const selected = page.locator('.log-row[aria-selected="true"]');
    await waitFor("the entry to be seen", () =>
      selected.evaluate((row) => {
        const { top, bottom } = row.getBoundingClientRect();
        const list = row.closest(".log-scroller")?.getBoundingClientRect();
        return list !== undefined && top >= list.top && bottom <= list.bottom;
      }),
    );
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await page.getByText("Entries before and after one").waitFor({ state: "detached" });
  }
  await assertContent(tab);
}
