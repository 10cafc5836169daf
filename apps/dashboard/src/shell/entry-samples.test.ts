import assert from "node:assert/strict";
import { test } from "node:test";
import { curlSample, shipSample } from "./entry-samples.ts";

test("the lines name this page's server, and not more than they must", () => {
  assert.equal(
    curlSample("http://127.0.0.1:8080", false),
    "curl http://127.0.0.1:8080/logsvc.LogService/WriteLogs -H 'content-type: application/json'" +
      ` -d '{"entries":[{"level":"info","message":"hello","service":"curl"}]}'`,
  );
  assert.match(curlSample("https://logs.example.com", true), /Bearer \$LOGSVC_TOKEN/);
  assert.match(shipSample("https://logs.example.com"), /--url https:\/\/logs\.example\.com$/);
  assert.doesNotMatch(shipSample("http://localhost:50051"), /--url/);
});
