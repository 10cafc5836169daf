import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError } from "@logsvc/client-web";
import type { SourceState } from "../log/source-state.ts";
import { defaultView } from "../view/view-url.ts";
import { placeholderOf } from "./placeholder.ts";

const error = new ConnectError("no", Code.Unavailable);
const without = (state: SourceState, filter = "") =>
  placeholderOf({ first: 7, end: 7, state }, { ...defaultView, filter });

test("where there are rows, nothing stands in their place", () => {
  const failed = { kind: "failed", cause: "request", error } as const;
  assert.equal(placeholderOf({ first: 7, end: 8, state: failed }, defaultView), undefined);
});

test("each reason for having none is told apart", () => {
  assert.equal(without({ kind: "connecting", waiting: false }), "connecting");
  assert.equal(without({ kind: "searching", progress: undefined }), "searching");
  assert.equal(without({ kind: "retrying", error, attempt: 1, delayMs: 1 }), "disconnected");
  assert.equal(without({ kind: "failed", cause: "token", error }), "failed");
  assert.equal(without({ kind: "live" }), "noEntries");
  assert.equal(without({ kind: "live" }, "level:error"), "noMatchYet");
  assert.equal(without({ kind: "behind", lag: 5 }, "level:error"), "noMatchYet");
  assert.equal(without({ kind: "done", progress: undefined }), "noMatch");
});
