/** A folder of a test's own, gone when the test is over. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

/** Makes an empty folder, which is removed after the test. */
export async function tempFolder(t: TestContext): Promise<string> {
  const folder = await makeFolder();
  t.after(() => removeFolder(folder));
  return folder;
}

/** Makes an empty folder that its maker removes. */
export async function makeFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "logsvc-e2e-"));
}

/** Removes a folder with all that is in it. */
export async function removeFolder(folder: string): Promise<void> {
  // Retries: the last write of a program that was killed may come while this deletes.
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
