/** What a reader chooses stands in the address, goes back and forward, and is kept; files are what a query returns. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test, { type TestContext } from "node:test";
import type { Browser, Page } from "playwright-core";
import { chromiumAdvice, openBrowser } from "../browser/chromium.ts";
import { parseNdjson } from "../harness/curl.ts";
import { type Server, startServer } from "../harness/server.ts";
import { waitFor } from "../harness/wait-for.ts";
import { assertContent, buildDashboard, openDashboard } from "./dashboard-page.ts";
import { writeShowcase } from "./showcase-log.ts";

test("the view and its files", { timeout: 180_000 }, async (t) => {
  const browser = await openBrowser(t);
  if (browser === undefined) return t.skip(chromiumAdvice);
  await buildDashboard();
  for (const tls of [true, false]) {
    const wire = tls ? "TLS" : "HTTP/1.1";
    await t.test(`over ${wire}`, async (t) => {
      const server = await startServer(t, { tls });
      await writeShowcase(t, server);
      await t.test("back, forward, and a link in another browser", (t) => goesBack(t, browser, server));
      await t.test("columns stand below their names", (t) => alignsColumns(t, browser, server));
      await t.test("colours: the system's, and the reader's own", (t) => choosesColours(t, browser, server));
      await t.test("the time zone, in rows, ranges and links", (t) => choosesTimeZone(t, browser, server));
      await t.test("files are, byte by byte, what a query returns", (t) => savesFiles(t, browser, server));
    });
  }
});

const search = (page: Page): string => decodeURIComponent(new URL(page.url()).search);
const rows = (page: Page): ReturnType<Page["locator"]> => page.locator(".log-row");

async function goesBack(t: TestContext, browser: Browser, server: Server): Promise<void> {
  const tab = await openDashboard(t, browser, server, { path: "/?range=1d" });
  const { page } = tab;
  await rows(page).first().waitFor();
  const visited = [search(page)];
  const visits = async (act: () => Promise<unknown>): Promise<void> => {
    await act();
    await waitFor("another address", () => search(page) !== visited.at(-1));
    visited.push(search(page));
  };
  // Another look of the same question is no step to go back.
  const looksAt = async (act: () => Promise<unknown>): Promise<void> => {
    await visits(act);
    visited.splice(-2, 1);
  };
  await visits(() => page.getByRole("button", { name: /^billing / }).click());
  await visits(() => page.locator(".legend-level", { hasText: "ERROR" }).click());
  await looksAt(async () => {
    await page.getByRole("button", { name: /^Columns/ }).click();
    await page.getByRole("checkbox", { name: /^path/ }).check();
    await page.keyboard.press("Escape");
  });
  await looksAt(() => page.getByText("request failed").first().click());
  await visits(() => page.getByRole("link", { name: "Metrics" }).click());
  const [last = ""] = visited.slice(-1);
  for (const address of visited.slice(0, -1).toReversed()) {
    await page.goBack();
    await waitFor(`${address} again`, () => search(page) === address);
  }
  await waitFor("more than one service", async () => (await services(page)).size > 1);
  for (const address of visited.slice(1)) {
    await page.evaluate("history.forward()");
    await waitFor(`${address} again`, () => search(page) === address);
  }
  assert.equal(search(page), last);
  const link = visited.at(-2) ?? "";
  const other = await openDashboard(t, browser, server, { path: `/${link}` });
  await other.page.locator(".details").getByText("charge-card.ts").first().waitFor();
  await rows(other.page).first().waitFor();
  assert.deepEqual(await services(other.page), new Set(["billing"]));
  assert.equal(
    await other.page.getByRole("combobox", { name: "Filter" }).inputValue(),
    "service:=billing level:error",
  );
  await assertContent(tab);
  await assertContent(other);
}

async function services(page: Page): Promise<Set<string>> {
  return new Set(await page.locator(".log-row .log-service").allTextContents());
}

async function alignsColumns(t: TestContext, browser: Browser, server: Server): Promise<void> {
  const tab = await openDashboard(t, browser, server, { path: "/?range=1d&columns=path,none,status" });
  const { page } = tab;
  await rows(page).nth(30).waitFor();
  const lefts = await page.evaluate<number[][]>(`[document.querySelector(".log-names"),
    ...document.querySelectorAll(".log-row")].map((row) => [...row.querySelectorAll(":scope > span")]
    .map((cell) => Math.round(cell.getBoundingClientRect().left)))`);
  const [names, ...cells] = lefts;
  assert.equal(names?.length, 7);
  for (const row of cells) assert.deepEqual(row, names);
  await assertContent(tab);
}

async function choosesColours(t: TestContext, browser: Browser, server: Server): Promise<void> {
  const tab = await openDashboard(t, browser, server, {
    path: "/?range=1d",
    browser: { colorScheme: "dark" },
  });
  const { page } = tab;
  const isDark = async (): Promise<boolean> => {
    const background = await page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
    const [red = 255] = /\d+/.exec(background)?.map(Number) ?? [];
    return red < 128;
  };
  assert.equal(await isDark(), true);
  await page.emulateMedia({ colorScheme: "light" });
  assert.equal(await isDark(), false);
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByText("Dark", { exact: true }).click();
  assert.equal(await isDark(), true);
  await page.reload();
  await rows(page).first().waitFor();
  assert.equal(await isDark(), true);
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByText("System", { exact: true }).click();
  assert.equal(await isDark(), false);
  await assertContent(tab);
}

async function choosesTimeZone(t: TestContext, browser: Browser, server: Server): Promise<void> {
  const tab = await openDashboard(t, browser, server, { path: "/?range=1d&tz=UTC" });
  const { page } = tab;
  const hour = async (): Promise<number> => {
    const text = (await rows(page).first().locator(".log-time").textContent()) ?? "";
    return Number(/(\d\d):\d\d:\d\d/.exec(text)?.[1]);
  };
  await rows(page).first().waitFor();
  const utc = await hour();
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByLabel("Time zone").selectOption("Asia/Tokyo");
  await waitFor("the zone in the address", () => search(page).includes("tz=Asia/Tokyo"));
  await waitFor("the zone in the rows", async () => (await hour()) === (utc + 9) % 24);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: /^Time range/ }).click();
  await page.getByLabel("From", { exact: true }).fill("2026-11-28 09:00");
  await page.getByLabel("To", { exact: true }).fill("2026-11-28 10:00");
  await page.keyboard.press("Enter");
  await waitFor("the range in UTC", () =>
    search(page).includes("range=2026-11-28T00:00:00Z..2026-11-28T01:00:00Z"),
  );
  await assertContent(tab);
}

async function savesFiles(t: TestContext, browser: Browser, server: Server): Promise<void> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-US" });
  t.after(() => context.close());
  // A dialog of the system, which no test can answer; without it files are downloads.
  await context.addInitScript("delete globalThis.showSaveFilePicker");
  const start = new Date(Date.now() - 86_400_000).toISOString();
  const end = new Date(Date.now() + 86_400_000).toISOString();
  const filter = "level:>=warn";
  const path = `/?q=${filter}&range=${start}..${end}&columns=status,path`;
  const tab = await openDashboard(t, browser, server, { path, context });
  const { page } = tab;
  const save = async (format: RegExp): Promise<string> => {
    await page.getByRole("button", { name: /^Export/ }).click();
    await page.getByRole("radio", { name: format }).check();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save" }).click(),
    ]);
    const text = await readFile(await download.path(), "utf8");
    await page.keyboard.press("Escape");
    return text;
  };
  await rows(page).first().waitFor();
  const question = new URLSearchParams({ filter, start, end, order: "oldest", limit: "all" });
  const answer = await context.request.get(`${server.url}/query?${question}`);
  const expected = await answer.text();
  assert.ok(expected.length > 50_000);
  assert.equal(await save(/^NDJSON/), expected);
  const lines = parseNdjson(expected).map((entry) => csvLine(entry));
  assert.equal(
    await save(/^CSV, the columns shown/),
    ["timestamp,level,service,status,path,message", ...lines, ""].join("\r\n"),
  );
  await assertContent(tab);
}

interface ExportedEntry {
  readonly timestamp: string;
  readonly level: string;
  readonly message: string;
  readonly service?: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** As RFC 4180 has it; what a spreadsheet would take for a formula begins with an apostrophe. */
function csvLine(json: unknown): string {
  const { timestamp, level, service = "", attributes = {}, message } = json as ExportedEntry;
  return [timestamp, level, service, attributes["status"] ?? "", attributes["path"] ?? "", message]
    .map((text) => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text))
    .map((text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text))
    .join(",");
}
