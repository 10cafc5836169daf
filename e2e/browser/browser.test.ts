/**
 * A real browser follows the log through `@logsvc/client-web`, from another
 * origin, over HTTP/1.1 and over TLS, while the server dies and comes back.
 */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import type { Browser, Page } from "playwright-core";
import { assertSameLines } from "../harness/lines-match.ts";
import { batchOf, connectRpc, type LogRpc, messagesOf, readAll, readStats } from "../harness/rpc.ts";
import { type Server, startServer } from "../harness/server.ts";
import { waitFor } from "../harness/wait-for.ts";
import { chromiumAdvice, openBrowser } from "./chromium.ts";
import { hostPage } from "./page-host.ts";

/** A page that follows the log. */
interface TailPage {
  readonly page: Page;
  /** What it and the log server spoke, in all their requests. */
  readonly versions: ReadonlySet<string>;
}

const entriesCount = 10_000;
const batchEntries = 200;
const messages = Array.from({ length: entriesCount }, (_, index) => `entry ${index}`);

test("Chromium follows the log", { timeout: 180_000 }, async (t) => {
  const browser = await openBrowser(t);
  if (browser === undefined) return t.skip(chromiumAdvice);
  const hostPort = await hostPage(t);

  for (const tls of [false, true]) {
    await t.test(`${tls ? "over TLS" : "over HTTP/1.1"}, through a server's death`, async (t) => {
      const server = await startServer(t, { tls });
      const page = await openTailPage(t, browser, `http://127.0.0.1:${hostPort}`, server);
      await followThroughDeath(t, server, page, tls ? "HTTP/2.0" : "HTTP/1.1");
    });
  }

  await t.test("a page of another site can neither read nor write", async (t) => {
    const server = await startServer(t);
    await refuseOtherSite(t, browser, `http://other-site.test:${hostPort}`, server);
  });
});

async function openTailPage(
  t: TestContext,
  browser: Browser,
  origin: string,
  server: Server,
): Promise<TailPage> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  t.after(() => context.close());
  const page = await context.newPage();
  page.on("pageerror", (error) => t.diagnostic(`error in the page: ${error.stack ?? error.message}`));
  const versions = new Set<string>();
  page.on("response", (response) => {
    if (!response.url().startsWith(server.url)) return;
    response.httpVersion().then(
      (version) => versions.add(version),
      // The browser forgets it when the page is closed first.
      () => undefined,
    );
  });
  await page.goto(`${origin}/?server=${encodeURIComponent(server.url)}`);
  return { page, versions };
}

async function followThroughDeath(
  t: TestContext,
  server: Server,
  tailPage: TailPage,
  httpVersion: string,
): Promise<void> {
  const { page, versions } = tailPage;
  const rpc = connectRpc(t, server.url);
  await openTails(rpc, 1n);
  // The first half is under way when the server dies, the second comes while it is away.
  const half = entriesCount / 2;
  const writing = writeAll(rpc, 0, half);
  await receivedAtLeast(page, 1);
  await server.kill();
  const written = writing.then(() => writeAll(rpc, half, entriesCount));
  await server.start();
  await written;
  await receivedAtLeast(page, entriesCount);

  assertSameLines(await textsOf(page, "messages"), messages);
  assertSameLines(messagesOf(await readAll(rpc)), messages);
  const states = await textsOf(page, "states");
  assert.ok(states.includes("retrying"), states.join(" "));
  assert.equal(await page.evaluate("tailPage.missing"), 0);
  assert.equal(await page.evaluate("tailPage.error"), "");
  assert.deepEqual([...versions], [httpVersion]);

  await page.close();
  await openTails(rpc, 0n);
  assert.deepEqual(server.errors, []);
}

/** Writes the messages from one to before another once, however often a batch must be sent. */
async function writeAll(rpc: LogRpc, from: number, to: number): Promise<void> {
  for (let start = from; start < to; start += batchEntries) {
    const batch = batchOf(messages.slice(start, start + batchEntries));
    batch.producerId = "writer";
    batch.firstSequence = BigInt(start + 1);
    await waitFor("the batch to be written", () =>
      rpc.writeLogs(batch).then(
        () => true,
        // The server is away: the same batch again, with the same sequences.
        () => false,
      ),
    );
  }
}

async function refuseOtherSite(
  t: TestContext,
  browser: Browser,
  origin: string,
  server: Server,
): Promise<void> {
  const rpc = connectRpc(t, server.url);
  await rpc.writeLogs(batchOf(["a secret"]));
  const { page } = await openTailPage(t, browser, origin, server);
  const read = await page.evaluate(`fetch(${JSON.stringify(`${server.url}/query`)})
    .then((response) => response.text(), () => "refused")`);
  assert.equal(read, "refused");

  // What a page may send to any site without asking: a form's content types, and no look at the answer.
  const body = JSON.stringify({ entries: [{ message: "from elsewhere" }] });
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/json"]) {
    const init = JSON.stringify({ method: "POST", mode: "no-cors", headers: { "content-type": type }, body });
    await page.evaluate(`fetch(${JSON.stringify(`${server.url}/logsvc.LogService/WriteLogs`)}, ${init})
      .catch(() => undefined).then(() => undefined)`);
  }
  assert.deepEqual(messagesOf(await readAll(rpc)), ["a secret"]);
  assert.deepEqual(await textsOf(page, "messages"), []);
}

async function receivedAtLeast(page: Page, count: number): Promise<void> {
  await waitFor(
    `${count} entries in the page`,
    async () => {
      const error = await page.evaluate("tailPage.error");
      if (error !== "") throw new Error(`the page's tail ended: ${String(error)}`);
      return Number(await page.evaluate("tailPage.messages.length")) >= count;
    },
    60_000,
  );
}

async function textsOf(page: Page, name: "messages" | "states"): Promise<string[]> {
  const texts: unknown = await page.evaluate(`tailPage.${name}`);
  if (!Array.isArray(texts)) throw new Error(`the page has no ${name}`);
  return texts.map(String);
}

async function openTails(rpc: LogRpc, count: bigint): Promise<void> {
  await waitFor(`${count} open tails`, async () => (await readStats(rpc)).tail?.open === count);
}
