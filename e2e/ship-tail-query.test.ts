/**
 * The main job, end to end: a log is shipped by one process, followed live by
 * another and found again by a third, with all its lines in their order, none
 * missing and none twice, also when the server dies in the middle.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { generateLog } from "./harness/generated-log.ts";
import { assertSameLines } from "./harness/lines-match.ts";
import { type RunningProgram, runLogsvc, startLogsvc } from "./harness/program.ts";
import { connectRpc, readStats } from "./harness/rpc.ts";
import { type Server, startServer } from "./harness/server.ts";
import { tempFolder } from "./harness/temp-folder.ts";
import { waitFor } from "./harness/wait-for.ts";

const log = generateLog(32_000);
const partLines = 8000;
const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join("");

test("a file is shipped, tailed live and found again", { timeout: 120_000 }, async (t) => {
  const server = await startServer(t);
  const path = join(await tempFolder(t), "app.log");
  await writeFile(path, textOf(log));
  const tail = await startTail(t, server);

  const ship = await runLogsvc(t, "ship", "--url", server.url, "--service", "app", path);
  await ship.succeeded();
  await tail.waitForLines(log.length);
  assertSameLines(tail.lines, log);
  assertSameLines(await query(t, server), log);

  await t.test("the parts that a filter names", async (t) => {
    const words = await query(t, server, '"Failed password"');
    assertSameLines(
      words,
      log.filter((line) => line.includes("Failed password")),
    );
    assertSameLines(await query(t, server, "service:other"), []);
  });
});

test("the server is killed in the middle of shipping", { timeout: 180_000 }, async (t) => {
  const server = await startServer(t);
  const tail = await startTail(t, server);
  const ship = startLogsvc(t, "ship", "--url", server.url, "--service", "app");

  // Killed three times, each time with a part of the log under way. From the
  // second part on lines also come while the server is away.
  const parts = [0, 1, 2, 3].map((part) => log.slice(part * partLines, (part + 1) * partLines));
  for (const [index, part] of parts.entries()) {
    const written = ship.write(textOf(part));
    if (index > 0) await server.start();
    await written;
    if (index === parts.length - 1) break;
    await tail.waitForLines(index * partLines + 1, 60_000);
    await server.kill();
  }
  ship.endInput();
  await ship.succeeded();
  t.diagnostic(ship.stderr.trimEnd().split("\n").at(-1) ?? "");

  await tail.waitForLines(log.length, 60_000);
  assertSameLines(tail.lines, log);
  assertSameLines(await query(t, server), log);
});

/** A tail of everything from now on, which is open when this resolves. */
async function startTail(t: TestContext, server: Server): Promise<RunningProgram> {
  const rpc = connectRpc(t, server.url);
  const tail = startLogsvc(t, "tail", "--url", server.url, "--last", "0", "--output", "raw");
  await waitFor("the tail to open", async () => (await readStats(rpc)).tail?.open === 1n);
  return tail;
}

/** The lines that match, the oldest first. */
async function query(t: TestContext, server: Server, filter = ""): Promise<string[]> {
  const flags = ["--url", server.url, "--limit", "0", "--order", "oldest", "--output", "raw"];
  const { lines } = await runLogsvc(t, "query", ...(filter === "" ? [] : [filter]), ...flags);
  return lines;
}
