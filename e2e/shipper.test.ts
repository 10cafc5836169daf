/**
 * A shipper in a process of its own, before a real server: how processes end,
 * full disks, compression and protocols. Faults at random: shipper-faults.test.ts.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { createShipper } from "@logsvc/client-node";
import { type ProgramExit, type RunningProgram, startProgram } from "./harness/program.ts";
import { connectRpc, messagesOf, readAll } from "./harness/rpc.ts";
import { freePort, startServer } from "./harness/server.ts";
import { tempFolder } from "./harness/temp-folder.ts";

/** Starts an application: `body` has `shipper`, `write(from, to)` and `sleep`. Its options are those of createShipper. */
async function startApplication(
  t: TestContext,
  options: object,
  body: string,
  shell?: string,
): Promise<RunningProgram> {
  const path = join(import.meta.dirname, `sample-${randomUUID()}.ts`);
  await writeFile(
    path,
    `import { setTimeout as sleep } from "node:timers/promises";
     import { createShipper, flushOnExit } from "@logsvc/client-node";
     const shipper = createShipper(${JSON.stringify(options)});
     const write = (from: number, to: number) => {
       for (let n = from; n <= to; n++) shipper.write({ message: "entry " + n });
     };
     void [sleep, flushOnExit];
     ${body}`,
  );
  t.after(() => rm(path));
  if (shell === undefined) return startProgram(t, process.execPath, [path]);
  return startProgram(t, "sh", ["-c", `${shell} exec "$0" "$1"`, process.execPath, path]);
}

const numbered = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `entry ${from + index}`);

const well: ProgramExit = { code: 0, signal: null };

async function storedIn(t: TestContext, url: string): Promise<string[]> {
  return messagesOf(await readAll(connectRpc(t, url)));
}

test("an application that has nothing left to do delivers and ends, without a word to the shipper", async (t) => {
  const server = await startServer(t);
  const application = await startApplication(t, { url: server.url }, "write(1, 1000);");
  assert.deepEqual(await application.ended, well, application.stderr);
  assert.deepEqual(await storedIn(t, server.url), numbered(1, 1000));
});

test("an application ends also when the server is away, and its spool has what was asked to be kept", async (t) => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const startedAt = performance.now();
  const careless = await startApplication(t, { url }, "write(1, 10);");
  assert.deepEqual(await careless.ended, well, careless.stderr);
  assert.ok(performance.now() - startedAt < 10_000);
  const spool = await tempFolder(t);
  const careful = await startApplication(
    t,
    { url, spool },
    "write(1, 10); const { spooled } = await shipper.close({ timeoutMs: 100 }); console.log(spooled.entries);",
  );
  assert.deepEqual(await careful.ended, well, careful.stderr);
  assert.equal(careful.stdout, "10\n");
});

/** Ways to end at once, with how the process then ends. */
const ends: Readonly<Record<string, { readonly body: string; readonly exit: ProgramExit }>> = {
  "process.exit, the spool not yet open": { body: "process.exit(3);", exit: { code: 3, signal: null } },
  "process.exit after a while": {
    body: "await sleep(500); process.exit(3);",
    exit: { code: 3, signal: null },
  },
  "an uncaught exception": {
    body: 'await sleep(300); setTimeout(() => { throw new Error("mine"); }); ',
    exit: { code: 1, signal: null },
  },
  SIGTERM: {
    body: 'await sleep(300); setInterval(() => {}, 1000); process.kill(process.pid, "SIGTERM");',
    exit: { code: null, signal: "SIGTERM" },
  },
};

for (const [name, { body, exit }] of Object.entries(ends)) {
  test(`the last lines before ${name} are there after the next start`, async (t) => {
    const spool = await tempFolder(t);
    const away = `http://127.0.0.1:${await freePort()}`;
    const watch = 'flushOnExit(shipper, process, { signals: ["SIGTERM"], timeoutMs: 200 });';
    const application = await startApplication(t, { url: away, spool }, `${watch} write(1, 50); ${body}`);
    assert.deepEqual(await application.ended, exit, application.stderr);
    const server = await startServer(t);
    const next = await startApplication(
      t,
      { url: server.url, spool },
      "write(51, 60); await shipper.close();",
    );
    assert.deepEqual(await next.ended, well, next.stderr);
    assert.deepEqual(await storedIn(t, server.url), numbered(1, 60));
  });
}

test("a full disk under the spool is told; entries go on through memory, and none is lost", async (t) => {
  const server = await startServer(t);
  await server.stop();
  const spool = await tempFolder(t);
  // Files of at most 256 KiB: what is written beyond fails, as on a full disk.
  const shell = "trap '' XFSZ; ulimit -f 512;";
  const body = `
    shipper.on("fault", ({ kind, message }) => console.log(kind + ": " + message));
    shipper.on("dropped", ({ count }) => console.log("dropped " + count));
    const padding = "x".repeat(1000);
    for (let n = 1; n <= 5000; n++) {
      shipper.write({ message: "entry " + n, attributes: { padding } });
      if (n % 100 === 0) await sleep(20);
    }
    console.log("written");
    const { accepted, pending } = await shipper.close({ timeoutMs: 60_000 });
    console.log(accepted + " accepted, " + pending + " pending");`;
  const application = await startApplication(t, { url: server.url, spool }, body, shell);
  await application.waitUntil("all written", () => application.lines.includes("written"));
  await server.start();
  assert.deepEqual(await application.ended, well, application.stderr);
  assert.match(application.stdout, /^spool-unavailable: the spool can't be used now: /m);
  assert.deepEqual(application.lines.at(-1), "5000 accepted, 0 pending", application.stdout);
  assert.doesNotMatch(application.stdout, /dropped/);
  assert.deepEqual(await storedIn(t, server.url), numbered(1, 5000));
});

for (const compression of [undefined, "gzip", "zstd"] as const) {
  for (const protocol of ["connect", "grpc", "grpc-web"] as const) {
    test(`ships over ${protocol}, compressed with ${compression ?? "nothing"}`, async (t) => {
      const server = await startServer(t);
      await using shipper = createShipper({ url: server.url, protocol, ...(compression && { compression }) });
      for (const message of numbered(1, 20_000)) shipper.write({ message });
      const { accepted } = await shipper.close();
      assert.equal(accepted, 20_000);
      assert.deepEqual(await storedIn(t, server.url), numbered(1, 20_000));
    });
  }
}
