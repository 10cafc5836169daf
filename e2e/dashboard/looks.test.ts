/**
 * Every state of the dashboard, looked at: by axe for readers who can't see it
 * well, and by people if LOGSVC_SHOTS names a folder for pictures of each. In
 * both themes, on a phone, a laptop and a wall.
 */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { chromiumAdvice, openBrowser } from "../browser/chromium.ts";
import { type Server, startServer } from "../harness/server.ts";
import { assertContent, buildDashboard, openDashboard } from "./dashboard-page.ts";
import { lookAt, shotsFolder, themes } from "./look-at.ts";
import { type Look, looks } from "./looks.ts";
import { writeShowcase } from "./showcase-log.ts";

/** Every state in every theme and width, and not each in one of them. */
const isLong = shotsFolder !== undefined || process.env["LOGSVC_LONG"] === "1";

const screens = {
  phone: { width: 360, height: 740 },
  laptop: { width: 1440, height: 900 },
  wall: { width: 3840, height: 2160 },
} as const;
const surroundings = Object.entries(screens).flatMap(([screen, viewport]) =>
  themes.map((theme) => ({ name: `${screen}-${theme}`, viewport, theme })),
);

test("every state can be read, in both themes and three widths", { timeout: 600_000 }, async (t) => {
  const browser = await openBrowser(t);
  if (browser === undefined) return t.skip(chromiumAdvice);
  await buildDashboard();
  const [full, empty] = await Promise.all([startServer(t), startServer(t)]);
  await writeShowcase(t, full);
  const shared = await openContext(t, browser);
  for (const [place, look] of looks.entries()) {
    const some = isLong
      ? surroundings
      : surroundings.filter((_, index) => index === place % surroundings.length);
    await t.test(look.name, async (t) => {
      // What is prepared for one look is not there for the others.
      const context = look.prepare === undefined ? shared : await openContext(t, browser);
      await showIn(t, look, { browser, context, server: look.onEmptyLog ? empty : full, some });
    });
  }
});

async function openContext(t: TestContext, browser: Browser): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: screens.laptop, locale: "en-US", timezoneId: "UTC" });
  t.after(() => context.close());
  return context;
}

interface LookOptions {
  readonly browser: Browser;
  readonly context: BrowserContext;
  readonly server: Server;
  readonly some: typeof surroundings;
}

async function showIn(t: TestContext, look: Look, options: LookOptions): Promise<void> {
  const { browser, context, server, some } = options;
  await look.prepare?.(context);
  const tab = await openDashboard(t, browser, server, { context, path: look.path });
  const { page } = tab;
  await look.show?.(page);
  const found: string[] = [];
  for (const { name, viewport, theme } of some) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    found.push(...(await lookAt(page, `${look.name}-${name}`)));
    await assertFits(page);
  }
  await assertContent(tab);
  assert.deepEqual(found, []);
  await page.close();
}

/** The window itself never scrolls, in no direction. */
async function assertFits(page: Page): Promise<void> {
  const [width, height, innerWidth, innerHeight] = await page.evaluate<number[]>(`[
    document.documentElement.scrollWidth, document.documentElement.scrollHeight, innerWidth, innerHeight]`);
  assert.deepEqual([width, height], [innerWidth, innerHeight]);
}
