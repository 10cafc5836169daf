/**
 * Every state of the dashboard, looked at: by axe for readers who can't see it
 * well, and by people if LOGSVC_SHOTS names a folder for pictures of each. In
 * both themes, on a phone, a laptop and a wall.
 */
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import type { Browser, Page } from "playwright-core";
import { chromiumAdvice, openBrowser } from "../browser/chromium.ts";
import { type Server, startServer } from "../harness/server.ts";
import { violations } from "./accessibility.ts";
import { assertContent, buildDashboard, openDashboard } from "./dashboard-page.ts";
import { type Look, looks } from "./looks.ts";
import { writeShowcase } from "./showcase-log.ts";

/** Pictures of everything go there. */
const shotsFolder = process.env["LOGSVC_SHOTS"];
/** Every state in every theme and width, and not each in one of them. */
const isLong = shotsFolder !== undefined || process.env["LOGSVC_LONG"] === "1";

const screens = {
  phone: { width: 360, height: 740 },
  laptop: { width: 1440, height: 900 },
  wall: { width: 3840, height: 2160 },
} as const;
const themes = ["light", "dark"] as const;
const surroundings = Object.entries(screens).flatMap(([screen, viewport]) =>
  themes.map((theme) => ({ name: `${screen}-${theme}`, viewport, theme })),
);

test("every state can be read, in both themes and three widths", { timeout: 600_000 }, async (t) => {
  const browser = await openBrowser(t);
  if (browser === undefined) return t.skip(chromiumAdvice);
  await buildDashboard();
  if (shotsFolder !== undefined) await mkdir(shotsFolder, { recursive: true });
  const [full, empty] = await Promise.all([startServer(t), startServer(t)]);
  await writeShowcase(t, full);
  for (const [place, look] of looks.entries()) {
    const some = isLong
      ? surroundings
      : surroundings.filter((_, index) => index === place % surroundings.length);
    await t.test(look.name, (t) => showIn(t, browser, look.onEmptyLog ? empty : full, look, some));
  }
});

async function showIn(
  t: TestContext,
  browser: Browser,
  server: Server,
  look: Look,
  some: typeof surroundings,
): Promise<void> {
  const context = await browser.newContext({ viewport: screens.laptop, locale: "en-US", timezoneId: "UTC" });
  t.after(() => context.close());
  await look.prepare?.(context);
  const tab = await openDashboard(t, browser, server, { context, path: look.path });
  const { page } = tab;
  await look.show?.(page);
  const found: string[] = [];
  for (const { name, viewport, theme } of some) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    await isPainted(page);
    if (shotsFolder !== undefined) {
      await page.screenshot({ path: join(shotsFolder, `${look.name}-${name}.png`) });
    }
    for (const violation of await violations(page)) found.push(`${name}: ${violation}`);
    await assertFits(page);
  }
  await assertContent(tab);
  assert.deepEqual(found, []);
}

/** Colours that change do so over some frames. */
async function isPainted(page: Page): Promise<void> {
  await page.evaluate(`Promise.all(document.getAnimations().filter((animation) =>
    animation.effect.getComputedTiming().endTime < Infinity).map((animation) => animation.finished.catch(() => {})))`);
  await page.evaluate(
    "new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))",
  );
}

/** The window itself never scrolls, in no direction. */
async function assertFits(page: Page): Promise<void> {
  const [width, height, innerWidth, innerHeight] = await page.evaluate<number[]>(`[
    document.documentElement.scrollWidth, document.documentElement.scrollHeight, innerWidth, innerHeight]`);
  assert.deepEqual([width, height], [innerWidth, innerHeight]);
}
