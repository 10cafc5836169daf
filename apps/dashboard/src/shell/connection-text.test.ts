import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError } from "@logsvc/client-web";
import { connectionText, reasonText } from "./connection-text.ts";

const broken = new ConnectError("Failed to fetch", Code.Unknown);
const retrying = { kind: "retrying", error: broken, attempt: 2, delayMs: 4_000 } as const;

test("a connection that is well says little", () => {
  assert.deepEqual(connectionText({ kind: "live" }, 0), { tone: "good", label: "Up to date" });
  assert.equal(connectionText({ kind: "behind", lag: 12_345 }, 0).label, "12,345 behind");
  assert.equal(connectionText({ kind: "connecting", waiting: false }, 0).label, "Connecting…");
});

test("a broken one says why, when it is tried again, and can be told to try now", () => {
  assert.deepEqual(connectionText(retrying, 3_400), {
    tone: "poor",
    label: "Trying again in 3 s",
    reason: "the server can't be reached",
    action: "wake",
  });
  assert.equal(connectionText(retrying, 0).label, "Trying again…");
});

test("what no retry mends says what does", () => {
  const failed = (cause: "token" | "permission" | "filter" | "position" | "request", code: Code) =>
    connectionText({ kind: "failed", cause, error: new ConnectError("the reason", code) }, 0);
  assert.equal(failed("token", Code.Unauthenticated).action, "token");
  assert.equal(failed("permission", Code.PermissionDenied).action, "token");
  assert.equal(failed("request", Code.Internal).action, "retry");
  assert.equal(failed("filter", Code.InvalidArgument).action, undefined);
  assert.equal(failed("position", Code.OutOfRange).label, "Not in this log");
  assert.equal(failed("filter", Code.InvalidArgument).reason, "the reason");
});

test("a browser's words for a broken connection are replaced, the server's are not", () => {
  for (const message of [
    "Failed to fetch",
    "NetworkError when attempting to fetch resource.",
    "Load failed",
  ]) {
    assert.equal(reasonText(new ConnectError(message, Code.Unknown)), "the server can't be reached");
  }
  assert.equal(reasonText(new ConnectError("", Code.Unavailable)), "the server can't be reached");
  assert.equal(
    reasonText(new ConnectError("the server is draining", Code.Unavailable)),
    "the server is draining",
  );
  assert.equal(
    reasonText(new ConnectError("fetch of attributes", Code.InvalidArgument)),
    "fetch of attributes",
  );
});
