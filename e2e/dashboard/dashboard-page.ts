/**
 * The dashboard in a real browser, as a test sees it: the page, what it
 * complained of, and what it and the server spoke.
 */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { dashboardFolder } from "@logsvc/dashboard";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import type { Server } from "../harness/server.ts";

/** A tab that shows the dashboard. */
export interface DashboardPage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors of the page and of the browser about it, breaches of its policy among them. */
  readonly complaints: readonly string[];
  /** What the tab and the server spoke, such as "HTTP/2.0". */
  readonly versions: ReadonlySet<string>;
}

/** How to open it. */
export interface DashboardOptions {
  /** A path and query on the server. Default: "/". */
  readonly path?: string;
  /** The browser's surroundings: theme, size, time zone. Default: 1440 by 900, light, UTC. */
  readonly browser?: BrowserContextOptions;
  /** Another tab of the same reader. */
  readonly context?: BrowserContext;
}

/** What a machine without a network says of a server that was stopped on purpose is no fault of the page. */
const isOfConnection = (text: string): boolean => /net::ERR_|Failed to load resource/.test(text);

/** Opens a tab on the server's dashboard; it is closed after the test. */
export async function openDashboard(
  t: TestContext,
  browser: Browser,
  server: Pick<Server, "url">,
  options: DashboardOptions = {},
): Promise<DashboardPage> {
  const context = options.context ?? (await openContext(t, browser, options.browser));
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.stack ?? error.message));
  page.on("console", (message) => {
    const isBad = message.type() === "error" || message.type() === "warning";
    if (isBad && !isOfConnection(message.text())) complaints.push(message.text());
  });
  const versions = new Set<string>();
  page.on("response", (response) => {
    if (!response.url().startsWith(server.url)) return;
    response.httpVersion().then(
      (version) => versions.add(version),
      // The browser forgets it when the page is closed first.
      () => undefined,
    );
  });
  await page.addInitScript(`globalThis.policyBreaches = [];
    addEventListener("securitypolicyviolation", (breach) =>
      policyBreaches.push(breach.violatedDirective + " " + breach.blockedURI));`);
  await page.goto(server.url + (options.path ?? "/"));
  return { page, context, complaints, versions };
}

async function openContext(
  t: TestContext,
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<BrowserContext> {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    viewport: { width: 1440, height: 900 },
    timezoneId: "UTC",
    locale: "en-US",
    ...options,
  });
  t.after(() => context.close());
  return context;
}

/** Fails when the page, or the browser about the page, complained of anything. */
export async function assertContent({ page, complaints }: DashboardPage): Promise<void> {
  assert.deepEqual(complaints, []);
  assert.deepEqual(await page.evaluate("policyBreaches"), []);
}

/** Builds the dashboard if it has changed, so that no server's start has to wait for it. */
export async function buildDashboard(): Promise<void> {
  const reasons: string[] = [];
  await dashboardFolder({ onFailure: (reason) => reasons.push(reason) });
  assert.deepEqual(reasons, []);
}
