import assert from "node:assert/strict";
import { test } from "node:test";
import { flag, idleVariables } from "./flag.ts";

test("a flag's variable has its name", () => {
  assert.equal(flag("-r, --retry-timeout <duration>", "").envVar, "LOGSVC_RETRY_TIMEOUT");
  assert.equal(flag("--no-dedup", "").envVar, "LOGSVC_NO_DEDUP");
});

test("variables that mean no, are empty or were set by Kubernetes do not count", () => {
  const options = [
    flag("--quiet", ""),
    flag("--utc", ""),
    flag("--no-dedup", ""),
    flag("--url <url>", ""),
    flag("--port <port>", ""),
  ];
  const idle = (environment: NodeJS.ProcessEnv): string[] => idleVariables(environment, options);
  assert.deepEqual(idle({ LOGSVC_QUIET: "false", LOGSVC_UTC: "1", LOGSVC_URL: "http://a" }), [
    "LOGSVC_QUIET",
  ]);
  assert.deepEqual(idle({ LOGSVC_NO_DEDUP: "false" }), ["LOGSVC_NO_DEDUP"]);
  assert.deepEqual(idle({ LOGSVC_NO_DEDUP: "1" }), []);
  assert.deepEqual(idle({ LOGSVC_URL: "", LOGSVC_PORT: "tcp://10.0.0.1:50051" }), [
    "LOGSVC_URL",
    "LOGSVC_PORT",
  ]);
  assert.deepEqual(idle({ LOGSVC_PORT: "8080" }), []);
});
