/**
 * Asking the log from the dashboard: the filter bar with its completion and
 * errors, the range of time, the histogram and the facets; on a log of some ten
 * thousand entries of the last day, by keyboard where there is a way.
 */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { create } from "@bufbuild/protobuf";
import { LogEntrySchema } from "@logsvc/proto";
import type { Browser, Page } from "playwright-core";
import { chromiumAdvice, openBrowser } from "../browser/chromium.ts";
import { batchOf, connectRpc } from "../harness/rpc.ts";
import { type Server, startServer } from "../harness/server.ts";
import { waitFor } from "../harness/wait-for.ts";
import { assertContent, buildDashboard, type DashboardPage, openDashboard } from "./dashboard-page.ts";

const entryCount = 30_000;
const dayMs = 86_400_000;
/** One in so many entries. */
const errorStep = 50;
const oddStep = 10_000;

test("asking the log from the dashboard", { timeout: 240_000 }, async (t) => {
  const browser = await openBrowser(t);
  if (browser === undefined) return t.skip(chromiumAdvice);
  await buildDashboard();
  const server = await startServer(t);
  await writeDay(t, server);
  const open = (t: TestContext, path: string): Promise<DashboardPage> =>
    openDashboard(t, browser, server, { path });

  await t.test("a filter is completed by the keyboard and applied", (t) => completes(t, open));
  await t.test("a fault is shown under its character, and what is typed stays", (t) => shows(t, open));
  await t.test("how AND and OR are read is said", (t) => groups(t, open));
  await t.test("a filter from outside is shown, unless somebody types", (t) => followsOutside(t, open));
  await t.test("undo takes back what a suggestion wrote", (t) => undoes(t, open));
  await t.test("a range is chosen, typed, and refused with its field", (t) => ranges(t, open));
  await t.test("the histogram: figures, dragging, zooming, levels", (t) => charts(t, open));
  await t.test("facets choose, leave out, search, and make columns", (t) => facets(t, open));
  await t.test("a server that is away is said", (t) => losesServer(t, browser));
});

type Open = (t: TestContext, path: string) => Promise<DashboardPage>;

const filterBox = (page: Page): ReturnType<Page["locator"]> => page.getByRole("combobox", { name: "Filter" });
const query = (page: Page): string | null => new URL(page.url()).searchParams.get("q");

async function completes(t: TestContext, open: Open): Promise<void> {
  const tab = await open(t, "/?range=1d");
  const { page } = tab;
  await page.keyboard.press("/");
  await filterBox(page).pressSequentially("serv");
  const list = page.getByRole("listbox", { name: "Suggestions" });
  await list.getByRole("option", { name: /^service/ }).waitFor();
  assert.equal(await filterBox(page).getAttribute("aria-expanded"), "true");
  await page.keyboard.press("Tab");
  assert.equal(await filterBox(page).inputValue(), "service:");
  await list.getByRole("option", { name: /^checkout/ }).waitFor();
  await page.keyboard.type("che");
  await page.keyboard.press("ArrowDown");
  const active = await filterBox(page).getAttribute("aria-activedescendant");
  assert.match((await page.locator(`[id="${active}"]`).textContent()) ?? "", /^checkout/);
  await page.keyboard.press("Enter");
  assert.equal(await filterBox(page).inputValue(), "service:=checkout ");
  await page.keyboard.type("level:>=e");
  await list.getByRole("option", { name: /^error/ }).waitFor();
  await page.keyboard.press("Escape");
  await list.waitFor({ state: "detached" });
  await page.keyboard.type("rror");
  await page.keyboard.press("Enter");
  await waitFor("the filter to be applied", () => query(page) === "service:=checkout level:>=error");
  // Values are counted without the condition that is being edited.
  await page.keyboard.press("Home");
  for (let step = 0; step < "service:=".length; step++) await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowDown");
  await list.getByRole("option", { name: /^web/ }).waitFor();
  // The history outlives the page.
  await page.reload();
  await filterBox(page).fill("");
  await page.keyboard.press("ArrowDown");
  await list.getByRole("option", { name: "service:=checkout level:>=error" }).waitFor();
  await page.getByRole("button", { name: "Clear the filter" }).waitFor({ state: "detached" });
  await assertContent(tab);
}

async function shows(t: TestContext, open: Open): Promise<void> {
  const tab = await open(t, "/?q=timeout&range=1d");
  const { page } = tab;
  await filterBox(page).fill("timeout level:>=high");
  const status = page.getByRole("search").getByRole("status");
  await status.getByText("`high` can't be compared").waitFor();
  assert.match((await status.textContent()) ?? "", /Not applied\. Character 17:/);
  assert.equal(await filterBox(page).getAttribute("aria-invalid"), "true");
  assert.equal(query(page), "timeout");
  const mark = await page.locator(".filter-fault-mark").boundingBox();
  const fault = await page.locator(".token-faulty").boundingBox();
  assert.ok(mark !== null && fault !== null && Math.abs(mark.x - fault.x) < 2 && mark.y >= fault.y);
  await page.keyboard.press("Enter");
  assert.equal(await filterBox(page).inputValue(), "timeout level:>=high");
  await filterBox(page).fill("timeout level:>=warn");
  await waitFor("the mended filter to be applied", () => query(page) === "timeout level:>=warn");
  await assertContent(tab);
}

async function groups(t: TestContext, open: Open): Promise<void> {
  const tab = await open(t, "/?range=1d");
  await filterBox(tab.page).fill("a b OR c");
  await tab.page.getByText("(a AND b) OR c").waitFor();
  await filterBox(tab.page).fill("(a b) OR c");
  await tab.page.getByText("(a AND b) OR c").waitFor({ state: "detached" });
  await assertContent(tab);
}

async function followsOutside(t: TestContext, open: Open): Promise<void> {
  const tab = await open(t, "/?q=timeout&range=1d");
  const { page } = tab;
  await filterBox(page).fill("refused");
  await page.keyboard.press("Enter");
  await waitFor("the filter to be applied", () => query(page) === "refused");
  await page.goBack();
  await waitFor("the bar to follow", async () => (await filterBox(page).inputValue()) === "timeout");
  await filterBox(page).fill("(unfinished");
  await page.evaluate("history.forward()");
  await waitFor("the page to go forward", () => query(page) === "refused");
  assert.equal(await filterBox(page).inputValue(), "(unfinished");
  await assertContent(tab);
}

async function undoes(t: TestContext, open: Open): Promise<void> {
  const tab = await open(t, "/?range=1d");
  const { page } = tab;
  await filterBox(page).click();
  await page.keyboard.type("lev");
  await page
    .getByRole("option", { name: /^level/ })
    .first()
    .click();
  assert.equal(await filterBox(page).inputValue(), "level:");
  await page.keyboard.press("Control+z");
  assert.equal(await filterBox(page).inputValue(), "lev");
  await assertContent(tab);
}

async function ranges(t: TestContext, open: Open): Promise<void> {
  const tab = await open(t, "/?tz=Europe/Berlin");
  const { page } = tab;
  await page.getByRole("button", { name: "Time range: Live" }).press("Enter");
  await page.getByRole("button", { name: "Last 24 hours" }).press("Enter");
  await waitFor("the range to be in the URL", () => page.url().includes("range=1d"));
  await page.getByRole("button", { name: /^Time range:/ }).click();
  await page.getByLabel("From", { exact: true }).fill("2026-11-28 25:00");
  await page.getByRole("button", { name: "Show this range" }).click();
  await page.getByRole("alert").getByText('From: there is no such time of day: "2026-11-28 25:00"').waitFor();
  await page.getByLabel("From", { exact: true }).fill("2026-11-28 10:00");
  await page.getByLabel("To", { exact: true }).fill("2026-11-28T10:30:00Z");
  await page.keyboard.press("Enter");
  await waitFor("the range to be in the URL", () =>
    page.url().includes("range=2026-11-28T09:00:00Z..2026-11-28T10:30:00Z"),
  );
  await page.getByRole("button", { name: "Time range: 2026-11-28 10:00 – 11:30" }).waitFor();
  await assertContent(tab);
}

async function charts(t: TestContext, open: Open): Promise<void> {
  const tab = await open(t, "/?range=1d");
  const { page } = tab;
  const chart = page.getByRole("region", { name: "Entries over time" });
  const errors = (entryCount / errorStep).toLocaleString("en");
  // The first entries of the day are out of it by now.
  const button = chart.getByRole("button", { name: /^ERROR/ });
  await button.waitFor();
  assert.ok(
    Number(((await button.textContent()) ?? "").replaceAll(/\D/g, "")) <= Number(errors.replaceAll(",", "")),
  );
  await chart.getByRole("button", { name: "Figures" }).press("Enter");
  await chart.getByRole("row").nth(20).waitFor();
  await chart.getByRole("button", { name: "Figures" }).click();
  await button.click();
  await waitFor("the level to be filtered by", () => query(page) === "level:error");
  await chart.locator("button[aria-pressed=true]").getByText("ERROR").waitFor();
  await chart.getByRole("button", { name: /^ERROR/ }).click();
  await waitFor("the filter to be taken back", () => query(page) === null);

  const canvas = chart.locator(".u-over");
  const box = await canvas.boundingBox();
  assert.ok(box !== null);
  await page.mouse.move(box.x + box.width / 2, box.y + 20);
  await page.locator(".histogram-tooltip").getByText("all").waitFor();
  await page.mouse.move(box.x + box.width * 0.25, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 20, { steps: 5 });
  await page.mouse.up();
  await waitFor("the range to be what was dragged over", () => page.url().includes(".."));
  const dragged = lengthOf(page);
  assert.ok(dragged > dayMs / 5 && dragged < dayMs / 3, `${dragged} ms`);
  await chart.getByRole("button", { name: "Zoom in" }).press("Enter");
  await waitFor("half the range", () => Math.abs(lengthOf(page) - dragged / 2) < 2);
  await chart.getByRole("button", { name: "Zoom out" }).click();
  await waitFor("the range again", () => Math.abs(lengthOf(page) - dragged) < 2);
  await canvas.dblclick();
  await waitFor("twice the range", () => Math.abs(lengthOf(page) - dragged * 2) < 2);
  await assertContent(tab);
}

/** Of the range in the URL, in milliseconds. */
function lengthOf(page: Page): number {
  const [start = "", end = ""] = (new URL(page.url()).searchParams.get("range") ?? "").split("..");
  return Date.parse(end) - Date.parse(start);
}

async function facets(t: TestContext, open: Open): Promise<void> {
  const tab = await open(t, "/?range=1d");
  const { page } = tab;
  const panel = page.getByRole("region", { name: "Fields" });
  await panel.getByRole("button", { name: /^checkout / }).click();
  await waitFor("one service", () => query(page) === "service:=checkout");
  // The others are still there to choose.
  await panel.getByRole("button", { name: /^web / }).click();
  await waitFor("two services", () => query(page) === "service:in(checkout, web)");
  await panel.getByRole("button", { name: "Leave out checkout" }).click();
  await panel.getByRole("button", { name: /^method / }).press("Enter");
  await panel.getByRole("button", { name: /^GET / }).waitFor();
  await panel.getByRole("button", { name: /^user / }).click();
  await panel.getByLabel("Search values of user").fill("user-7");
  await panel.getByRole("button", { name: /^user-77 / }).waitFor();
  await panel.getByRole("button", { name: "Column method" }).click();
  await waitFor("the column", () => page.url().includes("columns=method"));
  await assertContent(tab);
}

async function losesServer(t: TestContext, browser: Browser): Promise<void> {
  const server = await startServer(t);
  await connectRpc(t, server.url).writeLogs(batchOf(["one entry"]));
  const tab = await openDashboard(t, browser, server);
  const { page } = tab;
  const chart = page.getByRole("region", { name: "Entries over time" });
  await chart.getByRole("button", { name: "INFO 1" }).waitFor();
  await server.kill();
  await chart.getByText("The server does not answer.").waitFor();
  // What was counted stays, and is counted again without anybody's doing.
  await chart.getByRole("button", { name: "INFO 1" }).waitFor();
  await server.start();
  await connectRpc(t, server.url).writeLogs(batchOf(["another entry"]));
  await chart.getByRole("button", { name: "INFO 2" }).waitFor();
  await chart.getByText("The server does not answer.").waitFor({ state: "detached" });
  await assertContent(tab);
}

const services = ["checkout", "web", "auth", "search", "billing", "mailer"];
const methods = ["GET", "GET", "GET", "POST", "PUT", "DELETE"];
const paths = ["/", "/cart", "/api/v1/orders", "/api/v1/users", "/search", "/login"];

/** Entries evenly over the last day: more debug in the first half, errors now and then. */
async function writeDay(t: TestContext, server: Server): Promise<void> {
  const rpc = connectRpc(t, server.url);
  const startMs = Date.now() - dayMs;
  const batch = 5_000;
  for (let first = 0; first < entryCount; first += batch) {
    const entries = Array.from({ length: batch }, (_, index) => entryOf(first + index, startMs));
    await rpc.writeLogs({ entries });
  }
}

function entryOf(index: number, startMs: number): ReturnType<typeof create<typeof LogEntrySchema>> {
  const pick = <T>(list: readonly T[], step: number): T =>
    list[Math.floor((index * 7919) / step) % list.length] as T;
  const level =
    index % oddStep === 0
      ? "AUDIT"
      : index % errorStep === 0
        ? "ERROR"
        : index % 17 === 0
          ? "WARN"
          : index % 3 === 0 && index < entryCount / 2
            ? "DEBUG"
            : "INFO";
  const path = pick(paths, 5);
  return create(LogEntrySchema, {
    timestamp: BigInt(startMs + Math.floor(index * (dayMs / entryCount))) * 1_000_000n,
    level,
    service: pick(services, 3),
    message: level === "ERROR" ? `timeout while calling ${path}` : `served ${path}`,
    attributes: {
      method: pick(methods, 11),
      path,
      status: level === "ERROR" ? "504" : "200",
      user: `user-${index % 500}`,
      duration: `${(index * 31) % 900}ms`,
    },
  });
}
