/**
 * pino as its users run it: a program of its own, each of pino's documented ways
 * to have a transport, and each way in which a program ends. The last line
 * before the end must be there.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { runLogsvc } from "./harness/program.ts";
import { startTypeScript } from "./harness/sample.ts";
import { type Server, startServer } from "./harness/server.ts";
import { tempFolder } from "./harness/temp-folder.ts";

const target = `{ target: "@logsvc/client-node/pino", options: { url: "http://localhost:50051", service: "app" } }`;

/** How a program may have it, as pino documents it. */
const ways: Readonly<Record<string, string>> = {
  transport: `const log = pino({ transport: ${target} });`,
  targets: `const log = pino({ transport: { targets: [
    { level: "info", ...${target} },
    { level: "error", target: "pino/file", options: { destination: 2 } },
  ] } });`,
  multistream: `const log = pino({}, pino.multistream([
    { stream: pino.transport(${target}) },
    { level: "error", stream: process.stderr },
  ]));`,
};

/** How a program may end, and the last thing that it says. */
const ends: Readonly<Record<string, string>> = {
  "process.exit after fatal": `log.fatal("last words"); process.exit(1);`,
  "an uncaught exception": `
    process.on("uncaughtException", (error) => { log.fatal(error, "last words"); process.exit(1); });
    setTimeout(() => { throw new Error("boom"); }, 20);`,
  "an exception that nobody catches": `log.info("last words"); throw new Error("boom");`,
  "nothing left to do": `log.info("last words");`,
};

for (const [way, create] of Object.entries(ways)) {
  for (const [end, last] of Object.entries(ends)) {
    test(`${way}, ${end}: the last line arrives`, { timeout: 60_000 }, async (t) => {
      const server = await startServer(t);
      const program = await startTypeScript(
        t,
        server,
        `import pino from "pino";\n${create}\nfor (let n = 0; n < 100; n++) log.info({ n }, "line");\n${last}\n`,
      );
      await program.ended;
      const stored = await query(t, server);
      assert.equal(stored.filter(({ message }) => message === "line").length, 100, program.stderr);
      assert.equal(stored.at(-1)?.message, "last words", program.stderr);
      assert.ok(stored.every(({ service }) => service === "app"));
    });
  }
}

test("levels, bindings, errors and traces become what they are; own keys and levels too", async (t) => {
  const server = await startServer(t);
  const program = await startTypeScript(
    t,
    server,
    `import pino from "pino";
    const log = pino({
      base: { pid: 1 }, messageKey: "text", errorKey: "failure", customLevels: { audit: 35 },
      transport: { target: "@logsvc/client-node/pino", options: { url: "http://localhost:50051" } },
    });
    const child = log.child({ request: { id: "r1", tags: ["a", "b"] } });
    child.warn({ trace_id: "4bf92f3577b34da6a3ce929d0e0e4736", span_id: "00f067aa0ba902b7" }, "slow");
    child.audit("signed in");
    child.error(Object.assign(new TypeError("no such user"), { code: "E_USER" }));
    log.flush((error) => { if (error) throw error; console.log("flushed"); });
    `,
  );
  await program.succeeded();
  assert.equal(program.stdout, "flushed\n");
  const [slow, audit, failed] = await query(t, server);
  assert.deepEqual(slow?.attributes, { pid: "1", "request.id": "r1", "request.tags": '["a","b"]' });
  assert.deepEqual(
    [slow?.level, slow?.message, slow?.trace_id, slow?.span_id],
    ["WARN", "slow", "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"],
  );
  assert.deepEqual(
    [audit?.level, audit?.message, audit?.attributes["log.level"]],
    ["INFO", "signed in", "audit"],
  );
  assert.deepEqual([failed?.level, failed?.message], ["ERROR", "no such user"]);
  assert.match(failed?.attributes["failure.stack"] ?? "", /^TypeError: no such user\n {4}at /);
  assert.equal(failed?.attributes["failure.code"], "E_USER");
});

test("what can't be delivered is told to the application, and waits in the spool", {
  timeout: 90_000,
}, async (t) => {
  const server = await startServer(t);
  const spool = JSON.stringify(join(await tempFolder(t), "spool"));
  const start = (line: string, more: string) =>
    startTypeScript(
      t,
      server,
      `import pino from "pino";
      const transport = pino.transport({
        target: "@logsvc/client-node/pino",
        options: { url: "http://localhost:50051", spool: ${spool}, closeTimeoutMs: 500 },
      });
      transport.on("rejected", ({ message, reason }) => console.log(message.length, reason));
      const log = pino(transport);
      ${more}
      log.fatal(${JSON.stringify(line)});
      `,
    );
  await server.kill();
  await (await start("while the server is away", "")).succeeded();
  await server.start();
  const program = await start(
    "and back",
    `log.info("x".repeat(2_000_000)); await new Promise((done) => log.flush(done));`,
  );
  await program.succeeded();
  assert.match(program.stdout, /^2000000 .*limit is 1048576/);
  assert.match(program.stderr, /logsvc: 1 log entry refused/);
  const messages = (await query(t, server)).map(({ message }) => message);
  assert.deepEqual(messages, ["while the server is away", "and back"]);
});

test("in the same thread, what is not sent at process.exit is sent by the next run", {
  timeout: 60_000,
}, async (t) => {
  const server = await startServer(t);
  const spool = JSON.stringify(join(await tempFolder(t), "spool"));
  const start = (end: string) =>
    startTypeScript(
      t,
      server,
      `import pino from "pino";
      import { createShipper, flushOnExit } from "@logsvc/client-node";
      import { createPinoStream } from "@logsvc/client-node/pino";
      const shipper = createShipper({ url: "http://localhost:50051", spool: ${spool} });
      flushOnExit(shipper, process);
      const log = pino({ name: "api" }, pino.multistream([{ stream: createPinoStream({ shipper }) }]));
      ${end}
      `,
    );
  await (await start(`log.fatal("first"); process.exit(0);`)).succeeded();
  await (await start(`log.info("second"); await shipper.close();`)).succeeded();
  const stored = await query(t, server);
  assert.deepEqual(
    stored.map(({ message, service }) => [message, service]),
    [
      ["first", "api"],
      ["second", "api"],
    ],
  );
});

interface StoredLine {
  readonly message: string;
  readonly level: string;
  readonly service?: string;
  readonly trace_id?: string;
  readonly span_id?: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** What is stored, the oldest first. */
async function query(t: TestContext, server: Server): Promise<StoredLine[]> {
  const flags = ["--url", server.url, "--limit", "0", "--order", "oldest", "--output", "json"];
  const { lines } = await runLogsvc(t, "query", ...flags);
  return lines.map((line) => ({ attributes: {}, ...JSON.parse(line) }));
}
