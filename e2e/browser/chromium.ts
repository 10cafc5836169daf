/**
 * A real Chromium for the tests. It comes as an npm package, packed, and is
 * unpacked once into a folder beside the system's other temporary files.
 */

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import packed, { inflate } from "@sparticuz/chromium";
import { type Browser, chromium } from "playwright-core";

/** How to run the tests where the package has no Chromium for the platform. */
export const chromiumAdvice =
  "there is no packed Chromium for this platform: run it with LOGSVC_CHROMIUM=/path/to/chromium (or chrome)";

/** Names the unpacked folder: change it with the package's version. */
const unpackedFolder = join(
  tmpdir(),
  `logsvc-chromium-${versionOf(import.meta.resolve("@sparticuz/chromium"))}`,
);

/**
 * For a machine without a screen, and without a network that it may talk to.
 * Not the package's own arguments: those switch off CORS, which is tested here.
 */
const args = [
  "--no-sandbox",
  "--no-zygote",
  "--no-first-run",
  "--disable-gpu",
  "--disable-quic",
  "--disable-sync",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-dev-shm-usage",
  // A site of another name, on this machine.
  "--host-resolver-rules=MAP other-site.test 127.0.0.1",
];

/** Starts the browser, which ends with the test. Undefined: there is none for this platform. */
export async function openBrowser(t: TestContext): Promise<Browser | undefined> {
  const browser = await launchBrowser();
  t.after(() => browser?.close());
  return browser;
}

/** Starts the browser, for whoever closes it. Undefined: there is none for this platform. */
export async function launchBrowser(): Promise<Browser | undefined> {
  const executablePath = process.env["LOGSVC_CHROMIUM"] ?? (await unpack());
  if (executablePath === undefined) return undefined;
  const env = { ...process.env, LD_LIBRARY_PATH: await libraryPath(executablePath) };
  return chromium.launch({ executablePath, args, env, headless: true });
}

async function unpack(): Promise<string | undefined> {
  if (process.platform !== "linux" || process.arch !== "x64") return undefined;
  if (!existsSync(unpackedFolder)) await unpackInto(unpackedFolder);
  return join(unpackedFolder, "chromium");
}

/** Unpacks aside and moves the whole into place, so that nobody ever starts half a browser. */
async function unpackInto(folder: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  const partial = await mkdtemp(`${folder}-`);
  const { TMPDIR: before } = process.env;
  // The package knows no other way to be told where to unpack.
  process.env["TMPDIR"] = partial;
  try {
    await packed.executablePath();
    await inflate(fileURLToPath(new URL("../bin/al2023.tar.br", import.meta.resolve("@sparticuz/chromium"))));
  } finally {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
  }
  await rename(partial, folder).catch(async (error: unknown) => {
    await rm(partial, { recursive: true });
    // Another test run was faster.
    if (!existsSync(folder)) throw error;
  });
}

/** Where Chromium finds its libraries: the system's, or on a bare system those of the package. */
async function libraryPath(executablePath: string): Promise<string> {
  const system = process.env["LD_LIBRARY_PATH"] ?? "";
  const starts = await promisify(execFile)(executablePath, ["--version", "--no-sandbox"]).then(
    () => true,
    () => false,
  );
  return starts ? system : `${join(dirname(executablePath), "al2023", "lib")}:${system}`;
}

/** The version in a package's path, as pnpm lays packages out. */
function versionOf(resolved: string): string {
  return /chromium@(\d[\w.-]*)/.exec(resolved)?.[1] ?? "unknown";
}
