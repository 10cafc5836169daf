/**
 * A real browser follows the log over a network that fails in the ways of
 * networks: a proxy that cuts every connection, one that goes silent without
 * closing anything, and a machine that is offline now and then.
 */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { Page } from "playwright-core";
import { assertSameLines } from "../harness/lines-match.ts";
import { startProxy } from "../harness/network-proxy.ts";
import { batchOf, connectRpc, type LogRpc } from "../harness/rpc.ts";
import { startServer } from "../harness/server.ts";
import { waitFor } from "../harness/wait-for.ts";
import { chromiumAdvice, openBrowser } from "./chromium.ts";
import { hostPage } from "./page-host.ts";

test("Chromium follows the log over a bad network", { timeout: 180_000 }, async (t) => {
  const browser = await openBrowser(t);
  if (browser === undefined) return t.skip(chromiumAdvice);
  const hostPort = await hostPage(t);
  const server = await startServer(t);
  const rpc = connectRpc(t, server.url);
  const proxy = await startProxy(t, server.port);
  const openPage = async (t: TestContext): Promise<Page> => {
    const context = await browser.newContext();
    t.after(() => context.close());
    const page = await context.newPage();
    await page.goto(
      `http://127.0.0.1:${hostPort}/?server=${encodeURIComponent(`http://127.0.0.1:${proxy.port}`)}`,
    );
    await waitFor("the tail", async () => Boolean(await page.evaluate(`tailPage.states.includes("live")`)));
    return page;
  };

  await t.test("a proxy that cuts every connection after 300 ms", async (t) => {
    proxy.cutMs = 300;
    t.after(() => {
      proxy.cutMs = 0;
    });
    const page = await openPage(t);
    const sent = await writeSlowly(rpc, "cut", 60);
    await hasAll(page, sent);
    const states = await page.evaluate<string[]>("tailPage.states");
    assert.ok(states.filter((state) => state === "retrying").length >= 3, states.join(" "));
  });

  await t.test("a machine that is offline now and then", async (t) => {
    const page = await openPage(t);
    const sent: string[] = [];
    for (let round = 0; round < 5; round++) {
      await page.context().setOffline(true);
      // Emulation alone leaves open connections as they are.
      proxy.cutAll();
      sent.push(...(await writeSlowly(rpc, `offline ${round}`, 5)));
      await page.context().setOffline(false);
      await hasAll(page, sent);
    }
  });

  await t.test("a connection that goes silent, and is given up when the network is back", async (t) => {
    const page = await openPage(t);
    proxy.isSilent = true;
    const sent = await writeSlowly(rpc, "silent", 5);
    assert.deepEqual(await page.evaluate("tailPage.messages"), []);
    proxy.isSilent = false;
    // The connection stays silent. A heartbeat is due every 15 s.
    await page.evaluate(`dispatchEvent(new Event("online"))`);
    const began = performance.now();
    await hasAll(page, sent);
    assert.ok(performance.now() - began < 20_000);
  });
});

async function writeSlowly(rpc: LogRpc, name: string, count: number): Promise<string[]> {
  const texts = Array.from({ length: count }, (_, index) => `${name} ${index}`);
  for (const text of texts) {
    await rpc.writeLogs(batchOf([text]));
    await pause(30);
  }
  return texts;
}

async function hasAll(page: Page, messages: readonly string[]): Promise<void> {
  await waitFor("the page's entries", async () => {
    const error = await page.evaluate("tailPage.error");
    if (error !== "") throw new Error(`the page's tail ended: ${String(error)}`);
    return Number(await page.evaluate("tailPage.messages.length")) >= messages.length;
  });
  assertSameLines(await page.evaluate<string[]>("tailPage.messages"), [...messages]);
}
