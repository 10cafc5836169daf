/**
 * The dashboard follows the log whatever happens: the server is killed, the
 * network cut and the tab hidden, again and again while entries are written;
 * retention overtakes a tab that sleeps; the server drains; a token expires.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request } from "node:http";
import test, { type TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { createNodeClient, openBatchSender } from "@logsvc/client-node";
import type { Browser, Page } from "playwright-core";
import { chromiumAdvice, openBrowser } from "../browser/chromium.ts";
import { assertSameLines } from "../harness/lines-match.ts";
import { type NetworkProxy, startProxy } from "../harness/network-proxy.ts";
import { batchOf, connectRpc, readStats } from "../harness/rpc.ts";
import { type Server, startServer } from "../harness/server.ts";
import { waitFor } from "../harness/wait-for.ts";
import { assertContent, buildDashboard, openDashboard } from "./dashboard-page.ts";
import { endsWith, readList } from "./entry-list.ts";
import { lookInBothThemes } from "./look-at.ts";

/** Each outage lasts for so many entries; a minute, at a hundred a second, in the long form. */
const isLong = process.env["LOGSVC_LONG"] === "1";
const entriesOfOutage = isLong ? 6_000 : 20;
const roundsLong = 10;
const writtenEveryMs = 50;
const writtenAtOnce = 5;
const longMs = 3_600_000;

test("the dashboard rides through outages", { timeout: isLong ? longMs * 2 : 300_000 }, async (t) => {
  const browser = await openBrowser(t);
  if (browser === undefined) return t.skip(chromiumAdvice);
  await buildDashboard();

  for (const { tls, rounds } of [
    { tls: true, rounds: roundsLong },
    { tls: false, rounds: isLong ? roundsLong : 1 },
  ]) {
    const wire = tls ? "TLS" : "HTTP/1.1";
    await t.test(`${rounds} × killed, cut and hidden, over ${wire}: every entry once, in order`, (t) =>
      rideThrough(t, browser, tls, rounds),
    );
  }
  await t.test("retention overtakes a sleeping tab: a gap with its count", (t) => findGap(t, browser));
  await t.test("a server that drains is said, and what comes after it is shown", (t) => drains(t, browser));
  await t.test("a token expires while the log is followed", (t) => expires(t, browser));
});

async function rideThrough(t: TestContext, browser: Browser, tls: boolean, rounds: number): Promise<void> {
  const server = await startServer(t, { tls });
  const proxy = await startProxy(t, server.port);
  const url = server.url.replace(`${server.port}`, `${proxy.port}`);
  const tab = await openDashboard(
    t,
    browser,
    { url },
    { browser: { viewport: { width: 1200, height: 2000 } } },
  );
  const { page } = tab;
  await page.getByRole("heading", { name: "The log is empty" }).waitFor();
  const writer = startWriter(t, server);
  await page.locator(".log-row").first().waitFor();
  for (let round = 0; round < rounds; round++) {
    await server.kill();
    await writer.goesOn();
    await server.start();
    await cutNetwork(page, proxy, () => writer.goesOn());
    await hideTab(page, () => writer.goesOn());
  }
  const written = await writer.stop();
  await endsWith(page, written.at(-1) ?? "");
  const [oldest, ...entries] = await readList(page);
  assert.match(oldest ?? "", /The log begins here/);
  assertSameLines(entries, written);
  await assertContent(tab);
}

interface Writer {
  /** Resolves when as many entries were handed over as an outage lasts for. */
  goesOn(): Promise<void>;
  /** Resolves with all that were written, when they are stored. */
  stop(): Promise<string[]>;
}

/** Writes a hundred entries a second, each until it is stored. */
function startWriter(t: TestContext, server: Server): Writer {
  // The server's certificate is its own.
  const tls = { rejectUnauthorized: false };
  const client = createNodeClient({ url: server.url, ...(server.url.startsWith("https:") && { tls }) });
  t.after(() => client.close());
  const sender = openBatchSender(client);
  const written: string[] = [];
  let isOver = false;
  const writing = (async () => {
    while (!isOver) {
      const messages = Array.from({ length: writtenAtOnce }, (_, index) => `entry ${written.length + index}`);
      written.push(...messages);
      await sender.send(messages.map((message) => ({ message, level: "info", service: "writer" })));
      await pause(writtenEveryMs);
    }
  })();
  return {
    goesOn: async () => {
      const end = written.length + entriesOfOutage;
      await waitFor(`entry ${end}`, () => written.length >= end, longMs);
    },
    stop: async () => {
      isOver = true;
      await writing;
      await sender.close();
      return written;
    },
  };
}

async function cutNetwork(page: Page, proxy: NetworkProxy, meanwhile: () => Promise<void>): Promise<void> {
  await page.context().setOffline(true);
  // Emulation alone leaves open connections as they are.
  proxy.cutAll();
  await meanwhile();
  await page.context().setOffline(false);
}

/** A browser without a screen takes all its tabs for visible, and freezes none: the events are the test's. */
async function hideTab(page: Page, meanwhile: () => Promise<void>): Promise<void> {
  const show = (state: string): string =>
    `Object.defineProperty(document, "visibilityState", { value: "${state}", configurable: true });
     document.dispatchEvent(new Event("visibilitychange"));`;
  await page.evaluate(`${show("hidden")} document.dispatchEvent(new Event("freeze"));`);
  await meanwhile();
  await page.evaluate(`document.dispatchEvent(new Event("resume")); ${show("visible")}`);
}

async function findGap(t: TestContext, browser: Browser): Promise<void> {
  const server = await startServer(t, { flags: ["--retention-bytes", "1MiB"] });
  const rpc = connectRpc(t, server.url);
  await rpc.writeLogs(batchOf(["before the sleep"]));
  const tab = await openDashboard(t, browser, server);
  const { page } = tab;
  await page.getByText("before the sleep").waitFor();
  let written = 0;
  await hideTab(page, async () => {
    await waitFor("the tab to let go", async () => (await readStats(rpc)).tail?.open === 0n);
    // What can't be compressed, in many blocks.
    for (let batch = 0; batch < 60; batch++, written += 100) {
      await rpc.writeLogs(batchOf(Array.from({ length: 100 }, (_, index) => noise(written + index))));
    }
    // Retention looks at what is stored every few seconds, and at the start.
    await server.stop();
    await server.start();
    await waitFor("retention", async () => ((await readStats(rpc)).storage?.entries ?? 0n) < 5_000n);
  });
  await endsWith(page, noise(written - 1));
  const rows = await readList(page);
  const at = rows.findIndex((row) => row.includes("retention was faster than this page"));
  assert.ok(at > 0, rows.slice(0, 5).join("\n"));
  const missing = Number(/^[\d,]+/.exec(rows[at] ?? "")?.[0].replaceAll(",", ""));
  assert.equal(rows[at - 1], "before the sleep");
  assertSameLines(
    rows.slice(at + 1),
    Array.from({ length: written - missing }, (_, index) => noise(missing + index)),
  );
  await page.keyboard.press("Home");
  assert.deepEqual(await lookInBothThemes(page, "gap"), []);
  await page.locator(".log-gap").getByRole("button", { name: "Load" }).click();
  await page.locator(".log-gap").getByText("can't be loaded any more").waitFor();
  await assertContent(tab);
}

/** The same text for the same number, without much that repeats. */
function noise(number: number): string {
  let state = number + 1;
  const words = Array.from({ length: 60 }, () => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    return (state >>> 0).toString(36);
  });
  return `noise ${number} ${words.join("")}`;
}

async function drains(t: TestContext, browser: Browser): Promise<void> {
  const server = await startServer(t);
  const rpc = connectRpc(t, server.url);
  await rpc.writeLogs(batchOf(["before the drain"]));
  const tab = await openDashboard(t, browser, server);
  const { page } = tab;
  await page.getByText("before the drain").waitFor();
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
  await page.locator(".connection").filter({ hasText: "Trying again" }).waitFor();
  await page.getByText("before the drain").waitFor();
  assert.deepEqual(await lookInBothThemes(page, "drained"), []);
  await server.start();
  await connectRpc(t, server.url).writeLogs(batchOf(["after the drain"]));
  await endsWith(page, "after the drain");
  assert.deepEqual((await readList(page)).slice(1), ["before the drain", "after the drain"]);
  await assertContent(tab);
}

async function expires(t: TestContext, browser: Browser): Promise<void> {
  const server = await startServer(t);
  const rpc = connectRpc(t, server.url);
  await rpc.writeLogs(batchOf(["for the first token"]));
  const guard = await startGuard(t, server.port, "first");
  const tab = await openDashboard(t, browser, { url: guard.url });
  const { page } = tab;
  const dialog = page.getByRole("dialog", { name: "This log wants a token" });
  const enter = async (token: string): Promise<void> => {
    await dialog.getByLabel("Token", { exact: true }).fill(token);
    await page.keyboard.press("Enter");
  };
  await enter("first");
  await page.getByText("for the first token").waitFor();
  guard.renew("second");
  await dialog.getByText("The server refused the token").waitFor();
  // What was read stays behind the dialog.
  assert.equal(await page.getByText("for the first token").count(), 1);
  await rpc.writeLogs(batchOf(["meanwhile"]));
  await enter("second");
  await endsWith(page, "meanwhile");
  await page.locator(".connection").filter({ hasText: "Up to date" }).waitFor();
  assert.deepEqual((await readList(page)).slice(1), ["for the first token", "meanwhile"]);
  assert.deepEqual(await page.evaluate("policyBreaches"), []);
}

/** A reverse proxy that lets calls through only with its token. */
interface Guard {
  readonly url: string;
  /** The token that counted does so no longer: what was let through with it is cut. */
  renew(token: string): void;
}

async function startGuard(t: TestContext, serverPort: number, firstToken: string): Promise<Guard> {
  let token = firstToken;
  const guard = createServer((incoming, outgoing) => {
    const { method, url = "/", headers } = incoming;
    const isCall = url.startsWith("/logsvc.LogService/");
    if (isCall && headers.authorization !== `Bearer ${token}`) {
      outgoing.writeHead(401, { "www-authenticate": "Bearer" }).end();
      return;
    }
    const onward = request({ host: "127.0.0.1", port: serverPort, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    // One that is cut cuts the other.
    onward.on("error", () => outgoing.destroy());
    outgoing.on("close", () => onward.destroy());
    incoming.pipe(onward);
  });
  guard.listen(0, "127.0.0.1");
  await once(guard, "listening");
  t.after(() => {
    guard.close();
    guard.closeAllConnections();
  });
  const address = guard.address();
  if (address === null || typeof address === "string") throw new Error("the guard has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    renew: (next) => {
      token = next;
      guard.closeAllConnections();
    },
  };
}
