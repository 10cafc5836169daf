/**
 * Where the built page is, for who serves it. A published package has it; a
 * checkout builds it the first time it is asked for, and again when something
 * has changed that goes into it. What it was built from is told by a hash that
 * lies beside it, so that every other start costs a few milliseconds.
 *
 * It is built aside, by another process (Vite's memory is not a server's), and
 * moved into place whole: two that build at once disturb nobody.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

/** What happens on the way, in lines for people. */
export interface DashboardProgress {
  /** It has changed, or was never built: this takes some seconds. */
  readonly onBuild?: () => void;
  /** It can't be built. An older one is used if there is one. */
  readonly onFailure?: (reason: string) => void;
}

const packageFolder = join(import.meta.dirname, "..");
const workspaceFolder = join(packageFolder, "../..");
const builtFolder = join(packageFolder, "dist");
const hashFile = ".source-hash";

/** What goes into the page: paths from the workspace's folder, folders with all that is in them. */
const sourcePaths = [
  "apps/dashboard/build",
  "apps/dashboard/index.html",
  "apps/dashboard/package.json",
  "apps/dashboard/src",
  "apps/dashboard/vite.config.ts",
  "packages/client-web/src",
  "packages/client/src",
  "packages/filter/src",
  "packages/proto/src",
  "pnpm-lock.yaml",
];

/** A build that takes so long hangs. */
const buildTimeoutMs = 120_000;

/** The folder of the built page, built now if need be. Undefined: there is none. */
export async function dashboardFolder(progress: DashboardProgress = {}): Promise<string | undefined> {
  if (existsSync(join(packageFolder, "vite.config.ts"))) await buildWhenChanged(progress);
  return existsSync(join(builtFolder, "index.html")) ? builtFolder : undefined;
}

async function buildWhenChanged({ onBuild, onFailure }: DashboardProgress): Promise<void> {
  try {
    const hash = hashSources();
    if (hash === readIfThere(join(builtFolder, hashFile))) return;
    onBuild?.();
    await build(hash);
  } catch (error) {
    onFailure?.(reasonOf(error));
  }
}

/** Builds aside, and puts it in the place of the one before. */
async function build(hash: string): Promise<void> {
  // Ignored by git, on the same disk, and not looked at by anything that walks the sources.
  const aside = join(packageFolder, "node_modules/.build", `${process.pid}`);
  const [fresh, old] = [join(aside, "new"), join(aside, "old")];
  await mkdir(aside, { recursive: true });
  try {
    const args = [programPath("build"), fresh];
    await promisify(execFile)(process.execPath, args, { timeout: buildTimeoutMs, cwd: packageFolder });
    await writeFile(join(fresh, hashFile), hash);
    await rename(builtFolder, old).catch(ignoring("ENOENT"));
    // Another start may have put its own there meanwhile: the same.
    await rename(fresh, builtFolder).catch(ignoring("ENOTEMPTY", "EEXIST", "EPERM"));
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/** A hash of names and contents. Tests are no part of the page. */
function hashSources(): string {
  const hash = createHash("sha256");
  for (const path of sourcePaths.flatMap(filesAt)) {
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(workspaceFolder, path)))
      .update("\0");
  }
  return hash.digest("hex");
}

function filesAt(path: string): string[] {
  const whole = join(workspaceFolder, path);
  if (/\.\w+$/.test(path)) return existsSync(whole) ? [path] : [];
  return readdirSync(whole, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.test\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(workspaceFolder.length + 1))
    .sort();
}

const programPath = (name: string): string => join(import.meta.dirname, `${name}.ts`);

function readIfThere(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

function ignoring(...codes: readonly string[]): (error: NodeJS.ErrnoException) => void {
  return (error) => {
    if (!codes.includes(error.code ?? "")) throw error;
  };
}

/** What Vite says is on its standard error; the first lines are the reason. */
function reasonOf(error: unknown): string {
  const said = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
  const whole = said === "" ? String(error instanceof Error ? error.message : error) : said;
  return whole.split("\n").slice(0, 8).join("\n");
}
