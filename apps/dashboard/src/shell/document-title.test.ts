import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError } from "@logsvc/client-web";
import type { SourceState } from "../log/source-state.ts";
import { documentTitle } from "./document-title.ts";

const logs = { page: "logs", filter: "" } as const;
const error = new ConnectError("no", Code.Unavailable);
const snapshotOf = (state: SourceState, paused = false, waiting = 0) => ({ state, paused, waiting });

test("the title says what is looked at, and what is wrong first", () => {
  assert.equal(documentTitle(logs, snapshotOf({ kind: "live" })), "logsvc");
  assert.equal(
    documentTitle({ ...logs, filter: "level:error" }, snapshotOf({ kind: "live" })),
    "level:error · logsvc",
  );
  assert.equal(documentTitle(logs, snapshotOf({ kind: "live" }, true, 1_234)), "(1.2K) Paused · logsvc");
  assert.equal(documentTitle(logs, snapshotOf({ kind: "live" }, true)), "Paused · logsvc");
  const retrying = snapshotOf({ kind: "retrying", error, attempt: 1, delayMs: 1 });
  assert.equal(documentTitle(logs, retrying), "⚠ Disconnected · logsvc");
  assert.equal(
    documentTitle(logs, snapshotOf({ kind: "failed", cause: "request", error })),
    "⚠ Stopped · logsvc",
  );
  assert.equal(documentTitle({ page: "stats", filter: "x" }, undefined), "Metrics · logsvc");
  assert.ok(documentTitle({ ...logs, filter: "x".repeat(200) }, undefined).length < 60);
});
