/**
 * What a reader does with what the dashboard found: an entry's details, its
 * neighbours and its trace, links, copies, files, columns; the metrics; the
 * keyboard; and a server that wants a token.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test, { type TestContext } from "node:test";
import { create } from "@bufbuild/protobuf";
import { LogEntrySchema } from "@logsvc/proto";
import axe from "axe-core";
import type { Browser, Download, Page } from "playwright-core";
import { chromiumAdvice, openBrowser } from "../browser/chromium.ts";
import { parseNdjson } from "../harness/curl.ts";
import { batchOf, connectRpc } from "../harness/rpc.ts";
import { type Server, startServer } from "../harness/server.ts";
import { waitFor } from "../harness/wait-for.ts";
import { assertContent, buildDashboard, type DashboardPage, openDashboard } from "./dashboard-page.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const failure = [
  '\u001b[31mrequest failed\u001b[0m {"user":{"id":12345678901234567890},"ok":false}',
  "TypeError: x is not a function",
  "    at pay (/app/src/pay.ts:41:13)",
  "    at next (/app/node_modules/express/lib/router.js:95:5)",
].join("\n");

test("an entry and what can be done with it", { timeout: 240_000 }, async (t) => {
  const browser = await openBrowser(t);
  if (browser === undefined) return t.skip(chromiumAdvice);
  await buildDashboard();
  const server = await startServer(t);
  await write(t, server);
  const open = (t: TestContext, path: string): Promise<DashboardPage> =>
    openDashboard(t, browser, server, { path });

  await t.test("its details: message, fields, filters, columns", (t) => showsDetails(t, open));
  await t.test("its neighbours and its trace", (t) => showsNeighbours(t, open));
  await t.test("a link to it, to one that is gone, and to none", (t) => links(t, browser, server));
  await t.test("copies, over plain HTTP as well", (t) => copies(t, browser, server));
  await t.test("by the keyboard alone", (t) => usesKeys(t, open));
  await t.test("files of exactly what is filtered", (t) => exports(t, browser, server));
  await t.test("columns and their order", (t) => choosesColumns(t, open));
  await t.test("metrics, through a restart", (t) => watchesMetrics(t, browser));
  await t.test("a token, missing, wrong, right, kept", (t) => asksForToken(t, browser, server));
  await t.test("a system without a language", (t) => opensWithoutLanguage(t, browser, server));
});

type Open = (t: TestContext, path: string) => Promise<DashboardPage>;

const details = (page: Page): ReturnType<Page["locator"]> => page.locator(".details");
const param = (page: Page, name: string): string | null => new URL(page.url()).searchParams.get(name);

/** Sixty entries, of which one is an error of a trace that has three. */
async function write(t: TestContext, server: Server): Promise<void> {
  const rpc = connectRpc(t, server.url);
  const entries = Array.from({ length: 60 }, (_, index) =>
    create(LogEntrySchema, {
      level: index % 2 === 0 ? "info" : "warn",
      message: `GET /items/${index}`,
      service: index % 3 === 0 ? "api" : "worker",
      attributes: { status: "200", path: `/items/${index}`, formula: "=1+1" },
    }),
  );
  const ofTrace = { traceId, spanId: "00f067aa0ba902b7" };
  for (const entry of [entries[29], entries[31]]) Object.assign(entry ?? {}, ofTrace);
  entries[30] = create(LogEntrySchema, {
    ...ofTrace,
    level: "error",
    message: failure,
    service: "checkout",
    attributes: { status: "500", payload: '{"cart":[1,2,3]}' },
  });
  await rpc.writeLogs({ entries });
}

async function openFailure(t: TestContext, open: Open): Promise<DashboardPage> {
  const tab = await open(t, "/");
  await tab.page.getByText("request failed").first().click();
  await details(tab.page)
    .getByRole("heading", { name: /^ERROR at/ })
    .waitFor();
  return tab;
}

async function assertAccessible(page: Page, part: string): Promise<void> {
  await page.evaluate(axe.source);
  const violations: unknown = await page.evaluate(
    `axe.run(${JSON.stringify(part)}).then((result) => result.violations.map(({ id, nodes }) => id + ': ' + nodes.map((node) => node.html).join(' ')))`,
  );
  assert.deepEqual(violations, []);
}

async function showsDetails(t: TestContext, open: Open): Promise<void> {
  const tab = await openFailure(t, open);
  const { page } = tab;
  const panel = details(page);
  // The message in parts: colours, JSON with all its digits, frames told apart.
  await panel.locator(".ansi-fg-1", { hasText: "request failed" }).waitFor();
  await panel.getByText("12345678901234567890").waitFor();
  assert.match((await panel.locator(".stack-library").textContent()) ?? "", /node_modules/);
  assert.match((await panel.locator(".stack-frame").textContent()) ?? "", /pay\.ts/);
  await panel.getByText("severity 17").waitFor();
  await panel.getByText(traceId).waitFor();
  await assertAccessible(page, ".details");

  await panel.getByRole("button", { name: "Only entries with this service" }).click();
  await waitFor("the filter", () => param(page, "q") === "service:=checkout");
  await panel.getByRole("button", { name: "Only entries with this service", pressed: true }).click();
  await waitFor("the filter to be gone", () => param(page, "q") === null);
  await panel.getByRole("button", { name: "No entries with this status" }).click();
  await waitFor("the filter", () => /^(?:-|NOT )status:=500$/.test(param(page, "q") ?? ""));
  await panel.getByRole("button", { name: "No entries with this status" }).click();
  await panel.getByRole("button", { name: "More for status" }).click();
  await page.getByRole("menuitem", { name: "Only entries that have it" }).click();
  await waitFor("the filter", () => param(page, "q") === "status:*");
  await panel.getByRole("button", { name: "More for status" }).click();
  await page.getByRole("menuitem", { name: "Add as a column" }).click();
  await waitFor("the column", () => param(page, "columns") === "status");

  await panel.getByRole("button", { name: "Next entry" }).click();
  await panel.getByRole("heading", { name: /^WARN at/ }).waitFor();
  await panel.getByRole("button", { name: "Close the details" }).click();
  await panel.waitFor({ state: "detached" });
  await waitFor("the address", () => param(page, "entry") === null);
  await assertContent(tab);
}

async function showsNeighbours(t: TestContext, open: Open): Promise<void> {
  const tab = await openFailure(t, open);
  const { page } = tab;
  const around = details(page).getByRole("region", { name: "Entries around this one" });
  await around.locator("[aria-current=true]", { hasText: "request failed" }).waitFor();
  assert.equal(await around.getByRole("listitem").count(), 11);
  await around.getByRole("button", { name: "More" }).click();
  await waitFor("more of them", async () => (await around.getByRole("listitem").count()) === 51);
  const id = await waitFor("the address", () => param(page, "entry") ?? undefined);
  await around.getByRole("button", { name: "Show in the list" }).click();
  await waitFor("the list", () => param(page, "around") === id);
  await page.getByRole("region", { name: "Entries", exact: true }).getByText("GET /items/32").waitFor();

  await details(page).getByRole("button", { name: "Whole trace" }).click();
  await waitFor("the trace's filter", () => param(page, "q") === `trace_id:=${traceId}`);
  const entries = page.getByRole("region", { name: "Entries", exact: true });
  await entries.getByText("GET /items/31").waitFor();
  await entries.getByText("GET /items/32").waitFor({ state: "detached" });
  await assertContent(tab);
}

/** What a page over plain HTTP does without, as in most networks of companies: this machine's own is secure. */
const withoutSecureContext = `
  Object.defineProperty(navigator, "clipboard", { value: undefined });
  delete globalThis.showSaveFilePicker;`;

async function openInsecure(
  t: TestContext,
  browser: Browser,
  server: Server,
  path: string,
): Promise<DashboardPage> {
  const context = await browser.newContext({ locale: "en-US", viewport: { width: 1440, height: 900 } });
  t.after(() => context.close());
  await context.addInitScript(withoutSecureContext);
  return openDashboard(t, browser, server, { path, context });
}

/** What is in the clipboard, by the only way that a page over plain HTTP leaves: pasting. */
async function pasted(page: Page): Promise<string> {
  // A menu that closes gives the focus back a moment later: each of these takes it first.
  const filter = page.getByRole("combobox", { name: "Filter" });
  await filter.press("Control+a");
  await filter.press("Control+v");
  const text = await filter.inputValue();
  await filter.fill("");
  return text;
}

async function copies(t: TestContext, browser: Browser, server: Server): Promise<void> {
  const tab = await openFailure(t, (t, path) => openInsecure(t, browser, server, path));
  const { page } = tab;
  assert.equal(await page.evaluate("navigator.clipboard"), undefined);
  const copy = async (way: string, what: string): Promise<string> => {
    await details(page).getByRole("button", { name: "Copy…" }).click();
    await page.getByRole("menuitem", { name: way }).click();
    await details(page)
      .getByRole("status")
      .filter({ hasText: `Copied ${what}.` })
      .waitFor();
    return pasted(page);
  };
  const id = await waitFor("the address", () => param(page, "entry") ?? undefined);
  const json: unknown = JSON.parse(await copy("As JSON", "the entry as JSON"));
  assert.ok(typeof json === "object" && json !== null && "id" in json);
  assert.equal(json.id, id);
  assert.match(await copy("As text", "the entry as text"), /^\S+Z ERROR checkout request failed/);
  assert.equal(
    await copy("As a curl command", "the curl command"),
    `curl -s '${server.url}/query?around=${id}&limit=21'`,
  );
  assert.match(
    await copy("As a logsvc command", "the logsvc command"),
    new RegExp(`^logsvc query --around ${id} .*--url http`),
  );
  assert.equal(await copy("Its id", "the id"), id);
  await assertContent(tab);
}

async function links(t: TestContext, browser: Browser, server: Server): Promise<void> {
  const tab = await openDashboard(t, browser, server);
  const { page, context } = tab;
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.getByText("request failed").first().click();
  await details(page).getByRole("button", { name: "Copy link" }).click();
  await details(page).getByText("Copied the link").waitFor();
  const link = new URL(String(await page.evaluate("navigator.clipboard.readText()")));
  const id = link.searchParams.get("entry") ?? "";

  const linked = await openDashboard(t, browser, server, { path: link.pathname + link.search });
  await details(linked.page)
    .getByRole("heading", { name: /^ERROR at/ })
    .waitFor();
  await linked.page
    .getByRole("region", { name: "Entries", exact: true })
    .getByText("request failed")
    .waitFor();
  await assertContent(linked);

  // In the list of a filter that it does not pass it is shown all the same.
  const apart = await openDashboard(t, browser, server, { path: `/?q=level:info&entry=${id}` });
  await details(apart.page).getByText("request failed").first().waitFor();
  const gone = await openDashboard(t, browser, server, {
    path: `/?entry=${id.replace(/\d+$/, "9999999")}`,
  });
  await details(gone.page).getByText("no longer in the log").waitFor();
  const none = await openDashboard(t, browser, server, { path: "/?entry=nonsense" });
  await details(none.page).getByText("no such entry").waitFor();
  await none.page.keyboard.press("Escape");
  await details(none.page).waitFor({ state: "detached" });
  await assertContent(none);
}

async function usesKeys(t: TestContext, open: Open): Promise<void> {
  const tab = await open(t, "/");
  const { page } = tab;
  await page.getByText("GET /items/59").first().waitFor();
  await page.keyboard.press("?");
  const help = page.getByRole("dialog", { name: "Keyboard and filter" });
  await help.getByText("Follow the log live").waitFor();
  await assertAccessible(page, "dialog");
  await page.keyboard.press("Escape");
  await help.waitFor({ state: "detached" });

  await page.keyboard.press("k");
  await page.keyboard.press("k");
  await page.keyboard.press("Enter");
  await details(page).waitFor();
  const first = await waitFor("an entry", () => param(page, "entry") ?? undefined);
  assert.equal(await page.evaluate("document.activeElement.closest('.details') !== null"), true);
  await page.keyboard.press("k");
  await waitFor("another entry", () => param(page, "entry") !== first);
  await page.keyboard.press("a");
  await waitFor("its neighbours", () => param(page, "around") !== null);
  await page.keyboard.press("Escape");
  await details(page).waitFor({ state: "detached" });
  await page.keyboard.press("Escape");
  await waitFor("the way back", () => param(page, "around") === null);
  await page.keyboard.press("w");
  await waitFor("broken lines", () => param(page, "wrap") === "1");
  // What is typed into a field is the field's.
  await page.keyboard.press("/");
  await page.keyboard.type("wjk?");
  assert.equal(await page.getByRole("combobox", { name: "Filter" }).inputValue(), "wjk?");
  assert.equal(await help.count(), 0);
  await assertContent(tab);
}

async function exports(t: TestContext, browser: Browser, server: Server): Promise<void> {
  // Over plain HTTP no browser can write files: they are downloads.
  const tab = await openInsecure(t, browser, server, "/?q=level:>=warn&columns=path");
  const { page } = tab;
  const save = async (format: RegExp): Promise<string> => {
    await page.getByRole("button", { name: /^Export/ }).click();
    await page.getByRole("radio", { name: format }).check();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save" }).click(),
    ]);
    const text = await textOf(download);
    await page.getByText(/^\d+ entries, .* in logsvc-/).waitFor();
    await page.keyboard.press("Escape");
    return text;
  };
  const answer = await fetch(`${server.url}/query?filter=level:%3E%3Dwarn&order=oldest&limit=all`);
  const expected = await answer.text();
  assert.equal(parseNdjson(expected).length, 31);
  assert.deepEqual(parseNdjson(await save(/^NDJSON/)), parseNdjson(expected));

  const [header, first] = (await save(/^CSV, the columns shown/)).split("\r\n");
  assert.equal(header, "timestamp,level,service,path,message");
  assert.match(first ?? "", /^\S+Z,WARN,worker,\/items\/1,GET \/items\/1$/);
  const all = await save(/^CSV, all columns/);
  assert.match(all, /^timestamp,level,service,message,trace_id,span_id,id,received_at,.*attributes\r\n/);
  assert.match(all, /,'=1\+1,/);
  await assertContent(tab);
}

async function textOf(download: Download): Promise<string> {
  return readFile(await download.path(), "utf8");
}

async function choosesColumns(t: TestContext, open: Open): Promise<void> {
  const tab = await open(t, "/");
  const { page } = tab;
  await page.getByRole("button", { name: /^Columns/ }).click();
  const menu = page.getByRole("dialog", { name: "Columns" });
  await menu.getByRole("checkbox", { name: /^status/ }).check();
  await menu.getByRole("searchbox").fill("pat");
  await menu.getByRole("checkbox", { name: /^path/ }).check();
  await waitFor("the columns", () => param(page, "columns") === "status,path");
  await menu.getByRole("button", { name: "Move path to the left" }).click();
  await waitFor("the other order", () => param(page, "columns") === "path,status");
  await assertAccessible(page, ".columns-menu");
  await menu.getByRole("button", { name: "Remove all columns" }).click();
  await waitFor("no columns", () => param(page, "columns") === null);
  await assertContent(tab);
}

async function watchesMetrics(t: TestContext, browser: Browser): Promise<void> {
  const server = await startServer(t);
  const tab = await openDashboard(t, browser, server, { path: "/?page=stats" });
  const { page } = tab;
  const main = page.getByRole("main", { name: "Live metrics" });
  const card = (label: string): ReturnType<Page["locator"]> =>
    main.locator("dl", { has: page.getByText(label, { exact: true }) });
  await card("Entries stored").waitFor();
  const rpc = connectRpc(t, server.url);
  await rpc.writeLogs(batchOf(Array.from({ length: 300 }, (_, index) => `message ${index}`)));
  await card("Entries stored").getByText("300", { exact: true }).waitFor();
  await card("Entries").getByText("300 since the start").waitFor();
  await assertAccessible(page, ".page");

  await server.kill();
  await main.getByRole("status").getByText("The figures below are the last that came").waitFor();
  await server.start();
  await main.getByRole("status").waitFor({ state: "hidden" });
  await card("Entries").getByText("0 since the start").waitFor();
  await card("Entries stored").getByText("300", { exact: true }).waitFor();
  await assertContent(tab);
}

async function asksForToken(t: TestContext, browser: Browser, server: Server): Promise<void> {
  const context = await browser.newContext({ locale: "en-US" });
  t.after(() => context.close());
  // Stands in for a server that wants one.
  await context.route("**/logsvc.LogService/*", (route) =>
    route.request().headers()["authorization"] === "Bearer right"
      ? route.continue()
      : route.fulfill({
          status: 401,
          contentType: "application/json",
          body: JSON.stringify({ code: "unauthenticated", message: "a token is needed" }),
        }),
  );
  const tab = await openDashboard(t, browser, server, { context });
  const { page } = tab;
  const dialog = page.getByRole("dialog", { name: "This log wants a token" });
  await dialog.getByText("Ask whoever runs the server").waitFor();
  const enter = async (token: string): Promise<void> => {
    await dialog.getByLabel("Token", { exact: true }).fill(token);
    await page.keyboard.press("Enter");
  };
  await assertAccessible(page, "dialog");
  await enter("not one");
  await dialog.getByRole("alert").getByText("no spaces").waitFor();
  await enter("wrong");
  await dialog.getByText("The server refused the token").waitFor();
  await dialog.getByRole("checkbox", { name: "Remember it" }).check();
  await enter("Bearer right");
  await page.getByText("GET /items/59").first().waitFor();
  assert.equal(await page.evaluate("localStorage.getItem('logsvc.token')"), "right");
  await page.reload();
  await page.getByText("GET /items/59").first().waitFor();
  assert.equal(await dialog.count(), 0);
}

async function opensWithoutLanguage(t: TestContext, browser: Browser, server: Server): Promise<void> {
  const context = await browser.newContext();
  t.after(() => context.close());
  await context.addInitScript(
    'Object.defineProperty(navigator, "language", { configurable: true, value: "en-US@posix" })',
  );
  const tab = await openDashboard(t, browser, server, { context });
  await tab.page.getByText("GET /items/59").first().waitFor();
  await assertContent(tab);
}
