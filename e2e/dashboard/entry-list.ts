/** The list of entries as a reader sees it: what is on the screen, and all of it, by scrolling. */
import assert from "node:assert/strict";
import type { Locator, Page } from "playwright-core";
import { waitFor } from "../harness/wait-for.ts";

/** The element that scrolls. */
export const listOf = (page: Page): Locator => page.getByRole("grid", { name: "Log entries" });

/** The pill that says what waits. */
export const pillOf = (page: Page): Locator => page.getByRole("button", { name: /^paused/ });

/** Waits until the newest row on the screen is this one. */
export async function endsWith(page: Page, message: string, deadlineMs?: number): Promise<void> {
  await waitFor(
    `the list to end with ${message}`,
    async () => (await messagesShown(page)).at(-1) === message,
    deadlineMs,
  );
}

/** The messages that are in the page now, from the top; some may be a little above or below the screen. */
export function messagesShown(page: Page): Promise<string[]> {
  return page.evaluate(
    `[...document.querySelectorAll(".log-row")].map((row) => row.querySelector(".log-message").textContent)`,
  );
}

/** How many rows the list has, the one before the oldest among them. */
export async function rowCount(page: Page): Promise<number> {
  return Number(await listOf(page).getAttribute("aria-rowcount"));
}

/** Every row's text from the top to the bottom of a list that has all there is, by scrolling through it. */
export async function readList(page: Page): Promise<string[]> {
  await page.keyboard.press("Home");
  await page
    .locator(".log-older")
    .getByText(/The log begins here|Nothing older/)
    .waitFor();
  // Numbered by the list itself, so what it leaves out or has twice shows.
  const rows = await page.evaluate<Record<string, string>>(`(async () => {
    const list = document.querySelector(".log-scroller");
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    const rows = {};
    for (let still = 0; still < 10; ) {
      await frame();
      const before = Object.keys(rows).length;
      for (const row of list.querySelectorAll("[data-key]")) {
        rows[row.ariaRowIndex ?? row.getAttribute("aria-rowindex")] =
          row.querySelector(".log-message")?.textContent ?? row.textContent;
      }
      list.scrollTop += list.clientHeight / 2;
      still = Object.keys(rows).length === before ? still + 1 : 0;
    }
    return rows;
  })()`);
  const numbers = Object.keys(rows).map(Number);
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => index + 1),
    "every row was seen",
  );
  return Object.values(rows);
}
