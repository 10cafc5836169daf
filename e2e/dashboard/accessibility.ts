/** What axe has to say against a page, as text that tells what to mend and where. */
import axe, { type AxeResults } from "axe-core";
import type { Page } from "playwright-core";

/** The violations on a page. A page that was just changing its colours is looked at again. */
export async function violations(page: Page): Promise<string[]> {
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
