/** Opens SQLite engines for tests, in folders that go when the test ends. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { EngineUnderTest } from "../../contract/engine-under-test.ts";
import type { Engine } from "../../engine.ts";
import { openSqliteEngine, type SqliteEngineOptions } from "../sqlite-engine.ts";

/** A new, empty folder. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "logsvc-engine-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** An engine on a new folder, with what tests of this engine need besides. */
export interface TestEngine extends EngineUnderTest {
  readonly folder: string;
  reopen(options?: Partial<SqliteEngineOptions>): Promise<Engine>;
}

/** Opens an engine on a new folder. */
export async function openTestEngine(
  t: TestContext,
  options: Partial<SqliteEngineOptions> = {},
): Promise<TestEngine> {
  // Registered before the folder's own clean-up would be too late: hooks run in the order they were registered.
  let engine: Engine | undefined;
  t.after(() => engine?.close());
  const folder = await temporaryFolder(t);
  const reopen = async (changed: Partial<SqliteEngineOptions> = {}) => {
    await engine?.close();
    engine = await openSqliteEngine({ path: folder, ...options, ...changed });
    return engine;
  };
  const opened = await reopen();
  return {
    folder,
    get engine() {
      return engine ?? opened;
    },
    reopen,
  };
}
