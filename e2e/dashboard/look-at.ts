/**
 * Looks at a page: as axe sees it, for readers who can't see it well, and as
 * people do, if LOGSVC_SHOTS names a folder for pictures.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import axe, { type AxeResults } from "axe-core";
import type { Page } from "playwright-core";

/** Where pictures go, if anywhere. */
export const shotsFolder = process.env["LOGSVC_SHOTS"];

/** Both themes. */
export const themes = ["light", "dark"] as const;

/** Looks at a page as it is, in both themes. Returns what is to be mended. */
export async function lookInBothThemes(page: Page, name: string): Promise<string[]> {
  const found: string[] = [];
  for (const theme of themes) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    found.push(...(await lookAt(page, `${name}-${theme}`)));
  }
  return found;
}

/** Looks at a page as it is. Returns what is to be mended, and where. */
export async function lookAt(page: Page, name: string): Promise<string[]> {
  await isPainted(page);
  if (shotsFolder !== undefined) {
    await mkdir(shotsFolder, { recursive: true });
    await page.screenshot({ path: join(shotsFolder, `${name}.png`) });
  }
  return (await violations(page)).map((violation) => `${name}: ${violation}`);
}

/** Colours that change do so over some frames. */
async function isPainted(page: Page): Promise<void> {
  await page.evaluate(`Promise.all(document.getAnimations().filter((animation) =>
    animation.effect.getComputedTiming().endTime < Infinity).map((animation) => animation.finished.catch(() => {})))`);
  await page.evaluate(
    "new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))",
  );
}

/** The violations on a page. A page that was just changing its colours is looked at again. */
async function violations(page: Page): Promise<string[]> {
  return (await runAxe(page)).length === 0 ? [] : runAxe(page);
}

async function runAxe(page: Page): Promise<string[]> {
  if (!(await page.evaluate("'axe' in globalThis"))) await page.evaluate(axe.source);
  const found = await page.evaluate<AxeResults["violations"]>(
    `axe.run({ resultTypes: ["violations"] }).then((results) => results.violations)`,
  );
  return found.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${help}\n${html}\n${failureSummary}`),
  );
}
