/** The states that the dashboard can be in, and how to get it there. */
import type { BrowserContext, Locator, Page } from "playwright-core";

/** A state. */
export interface Look {
  /** Also of its pictures. */
  readonly name: string;
  readonly path: string;
  /** Instead of the one that is full. */
  readonly onEmptyLog?: boolean;
  /** What is to be done before the page is opened. */
  prepare?(context: BrowserContext): Promise<unknown>;
  /** Brings the page into the state, and waits until it is. */
  show?(page: Page): Promise<void>;
}

const rpcs = "**/logsvc.LogService/";
const day = "/?range=1d&tz=UTC";

const rows = (page: Page): Locator => page.locator(".log-row");
const hasRows = (page: Page): Promise<void> => rows(page).first().waitFor();
const says =
  (text: string | RegExp) =>
  (page: Page): Promise<void> =>
    page.getByText(text).first().waitFor();

/** Whole: the list, the chart and the fields are there. */
async function isWhole(page: Page): Promise<void> {
  await hasRows(page);
  const chart = page.getByRole("region", { name: "Entries over time" });
  await chart.getByRole("button", { name: /^ERROR/ }).waitFor();
}

async function openFailure(page: Page): Promise<void> {
  await page.getByText("request failed").first().click();
  await page.locator(".details").getByText("charge-card.ts").first().waitFor();
  await page.locator(".details .ansi-fg-1").first().waitFor();
}

const press =
  (name: string | RegExp) =>
  async (page: Page): Promise<void> => {
    await hasRows(page);
    await page.getByRole("button", { name }).click();
  };

type Prepare = (context: BrowserContext) => Promise<unknown>;

/** Calls that are never answered. */
const stalls =
  (call: string): Prepare =>
  (context) =>
    context.route(rpcs + call, () => undefined);

/** Calls whose connections break. */
const breaks =
  (call: string): Prepare =>
  (context) =>
    context.route(rpcs + call, (route) => route.abort());

const withRows: readonly Look[] = [
  { name: "live", path: "/?tz=UTC", show: isWhole },
  {
    name: "paused",
    path: "/?tz=UTC",
    show: async (page) => {
      await isWhole(page);
      await page.keyboard.press(" ");
      await page.getByRole("button", { name: /^paused/ }).waitFor();
    },
  },
  { name: "range", path: day, show: isWhole },
  { name: "columns", path: `${day}&columns=method,status,path,missing`, show: isWhole },
  { name: "wrap", path: `${day}&wrap=1`, show: isWhole },
  { name: "details", path: "/?tz=UTC&q=service:billing", show: openFailure },
  {
    name: "around",
    path: "/?tz=UTC&q=service:billing",
    show: async (page) => {
      await openFailure(page);
      await page.keyboard.press("a");
      await says("Entries before and after one")(page);
    },
  },
  {
    name: "active",
    path: day,
    show: async (page) => {
      await isWhole(page);
      await page.keyboard.press("j");
      await page.keyboard.press("j");
    },
  },
];

const withPopups: readonly Look[] = [
  {
    name: "completion",
    path: day,
    show: async (page) => {
      await isWhole(page);
      await page.getByRole("combobox", { name: "Filter" }).pressSequentially("level:>=warn service:");
      await page.getByRole("option", { name: /^checkout/ }).waitFor();
      await page.keyboard.press("ArrowDown");
    },
  },
  {
    name: "filter-fault",
    path: `${day}&q=timeout`,
    show: async (page) => {
      await hasRows(page);
      await page.getByRole("combobox", { name: "Filter" }).fill("timeout level:>=high");
      await says("can't be compared")(page);
    },
  },
  { name: "range-picker", path: day, show: press(/^Time range/) },
  { name: "columns-menu", path: `${day}&columns=method,path`, show: press(/^Columns/) },
  { name: "export-menu", path: day, show: press(/^Export/) },
  { name: "settings", path: day, show: press("Settings") },
  {
    name: "copy-menu",
    path: day,
    show: async (page) => {
      await openFailure(page);
      await page.getByRole("button", { name: "Copy…" }).click();
      await page.getByRole("menuitem", { name: "As JSON" }).waitFor();
    },
  },
  { name: "help", path: day, show: press("Keyboard and filter help") },
  {
    name: "token",
    path: "/",
    prepare: (context) => context.route(`${rpcs}*`, (route) => route.fulfill({ status: 401 })),
    show: (page) => page.getByRole("dialog", { name: "This log wants a token" }).waitFor(),
  },
];

const withoutRows: readonly Look[] = [
  { name: "empty", path: "/", onEmptyLog: true, show: says("The log is empty") },
  { name: "no-match", path: "/?range=15m&q=nobody-ever-wrote-this", show: says("Nothing matches") },
  { name: "no-match-yet", path: "/?q=nobody-ever-wrote-this", show: says("Nothing matches yet") },
  { name: "connecting", path: "/", prepare: stalls("*"), show: says("Connecting…") },
  { name: "searching", path: "/?range=1d", prepare: stalls("QueryLogs"), show: says("Searching…") },
  { name: "disconnected", path: "/", prepare: breaks("*"), show: says("Disconnected") },
  { name: "failed", path: "/?around=nonsense", show: says("Not in this log") },
  { name: "filter-refused", path: "/?range=1d&q=(level", show: says("can't be understood") },
  { name: "entry-gone", path: "/?entry=nonsense", show: says("no such entry") },
];

const ofMetrics: readonly Look[] = [
  { name: "metrics", path: "/?page=stats", show: says("Entries stored") },
  {
    name: "metrics-connecting",
    path: "/?page=stats",
    prepare: stalls("WatchStats"),
    show: says("Connecting"),
  },
  {
    name: "metrics-disconnected",
    path: "/?page=stats",
    prepare: breaks("WatchStats"),
    show: says("Disconnected"),
  },
];

/** All of them. */
export const looks: readonly Look[] = [...withRows, ...withPopups, ...withoutRows, ...ofMetrics];
