/** Every key of the help sheet does what the sheet says: a key that is added there fails this test until it is tried here. */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import type { Browser, Page } from "playwright-core";
import { chromiumAdvice, openBrowser } from "../browser/chromium.ts";
import { parseNdjson } from "../harness/curl.ts";
import { batchOf, connectRpc } from "../harness/rpc.ts";
import { startServer } from "../harness/server.ts";
import { waitFor } from "../harness/wait-for.ts";
import { assertContent, buildDashboard, openDashboard } from "./dashboard-page.ts";
import { endsWith, pillOf } from "./entry-list.ts";

const entryCount = 300;

test("every key of the help sheet", { timeout: 120_000 }, async (t) => {
  const browser = await openBrowser(t);
  if (browser === undefined) return t.skip(chromiumAdvice);
  await buildDashboard();
  await pressAll(t, browser);
});

const param = (page: Page, name: string): string | null => new URL(page.url()).searchParams.get(name);
const activeMessage = (page: Page): Promise<string | null> =>
  page.locator(".log-row[data-active] .log-message").textContent();

/** The keyboard is at this entry. */
async function isAt(page: Page, number: number): Promise<void> {
  await waitFor(`entry ${number}`, async () => (await activeMessage(page)) === `entry ${number}`);
}

/** What each key of the sheet does, from the end of the log with nothing open. */
const tries: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  "/": async (page) => {
    await page.keyboard.press("/");
    await page.keyboard.type("/l");
    assert.equal(await page.getByRole("combobox", { name: "Filter" }).inputValue(), "/l");
    await page.getByRole("combobox", { name: "Filter" }).fill("");
    await page.keyboard.press("Escape");
  },
  Space: async (page) => {
    await page.keyboard.press(" ");
    await pillOf(page).waitFor();
    await page.keyboard.press(" ");
    await pillOf(page).waitFor({ state: "detached" });
  },
  l: async (page) => {
    await page.goto(new URL("/?range=1h", page.url()).href);
    await page.getByText("Complete").first().waitFor({ state: "attached" });
    await page.keyboard.press("l");
    await waitFor("live", () => param(page, "range") === null);
  },
  k: async (page) => {
    await page.keyboard.press("k");
    await isAt(page, entryCount - 1);
    await page.keyboard.press("k");
    await isAt(page, entryCount - 2);
  },
  "↑": async (page) => {
    await page.keyboard.press("k");
    await page.keyboard.press("ArrowUp");
    await isAt(page, entryCount - 2);
  },
  j: async (page) => {
    await goBack(page, 3);
    await page.keyboard.press("j");
    await isAt(page, entryCount - 2);
  },
  "↓": async (page) => {
    await goBack(page, 3);
    await page.keyboard.press("ArrowDown");
    await isAt(page, entryCount - 2);
  },
  g: (page) => goesToTop(page, "g"),
  Home: (page) => goesToTop(page, "Home"),
  G: (page) => goesToEnd(page, "G"),
  End: (page) => goesToEnd(page, "End"),
  w: async (page) => {
    await page.keyboard.press("w");
    await waitFor("broken lines", () => param(page, "wrap") === "1");
    await page.keyboard.press("w");
    await waitFor("lines as they are", () => param(page, "wrap") === null);
  },
  Enter: async (page) => {
    await goBack(page, 2);
    await page.keyboard.press("Enter");
    await page
      .locator(".details")
      .getByText(`entry ${entryCount - 2}`)
      .first()
      .waitFor();
  },
  a: async (page) => {
    await goBack(page, 2);
    await page.keyboard.press("a");
    await waitFor("its neighbours", () => param(page, "around") !== null);
    await page.getByText("Entries before and after one").waitFor();
  },
  c: async (page) => {
    await goBack(page, 2);
    await page.keyboard.press("c");
    await page.getByText("Copied as JSON").waitFor();
    const [entry] = parseNdjson(await page.evaluate("navigator.clipboard.readText()"));
    assert.ok(typeof entry === "object" && entry !== null && "message" in entry);
    assert.equal(entry.message, `entry ${entryCount - 2}`);
  },
  Esc: async (page) => {
    await goBack(page, 2);
    await page.keyboard.press("Enter");
    await page.locator(".details").waitFor();
    await page.keyboard.press("Escape");
    await page.locator(".details").waitFor({ state: "detached" });
  },
  "?": async (page) => {
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard and filter" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
  },
};

async function pressAll(t: TestContext, browser: Browser): Promise<void> {
  const server = await startServer(t);
  const messages = Array.from({ length: entryCount }, (_, index) => `entry ${index}`);
  await connectRpc(t, server.url).writeLogs(batchOf(messages));
  const tab = await openDashboard(t, browser, server);
  const { page } = tab;
  await tab.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await endsWith(page, `entry ${entryCount - 1}`);
  await page.keyboard.press("?");
  const sheet = page.getByRole("dialog", { name: "Keyboard and filter" });
  const keys = await sheet.locator("kbd").allTextContents();
  assert.deepEqual(new Set(keys), new Set(Object.keys(tries)));
  for (const [key, tryIt] of Object.entries(tries)) {
    await t.test(key, async () => {
      await page.goto(server.url);
      await endsWith(page, `entry ${entryCount - 1}`);
      await tryIt(page);
    });
  }
  await assertContent(tab);
}

/** So many entries up from the end: 1 is the newest. */
async function goBack(page: Page, steps: number): Promise<void> {
  for (let step = 0; step < steps; step++) await page.keyboard.press("k");
  await isAt(page, entryCount - steps);
}

async function goesToTop(page: Page, key: string): Promise<void> {
  await page.keyboard.press(key);
  await isAt(page, 0);
  await pillOf(page).waitFor();
}

async function goesToEnd(page: Page, key: string): Promise<void> {
  await goesToTop(page, "Home");
  await page.keyboard.press(key);
  await isAt(page, entryCount - 1);
  await pillOf(page).waitFor({ state: "detached" });
}
