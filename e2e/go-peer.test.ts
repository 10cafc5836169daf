/**
 * A Go client of the original contract, run by Go itself. Compiling it needs Go
 * and a minute, so this runs only when asked: LOGSVC_GO_PEER=1.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import { startProgram } from "./harness/program.ts";
import { startServer } from "./harness/server.ts";

const skip = process.env["LOGSVC_GO_PEER"] === "1" ? false : "it takes Go: run it with LOGSVC_GO_PEER=1";

test("a Go client of the original contract", { skip, timeout: 300_000 }, async (t) => {
  const server = await startServer(t);
  const go = startProgram(t, "go", [
    ...["-C", join(import.meta.dirname, "go-peer"), "run", "."],
    ...["-address", new URL(server.url).host, "-entries", "20000"],
  ]);
  go.endInput();
  await go.succeeded();
  assert.equal(go.stdout, "20000 answered, 20000 accepted, 20000 ids\n");
});
