import assert from "node:assert/strict";
import { test } from "node:test";
import { startServer } from "../testing/start-server.ts";

test("a field that does not exist is refused by name, and nothing is stored", async (t) => {
  const { engine, url } = await startServer(t);
  const head = engine.head();
  for (const body of [
    '{"entrys": [{"message": "a"}]}',
    '{"entries": [{"message": "a", "attributez": {}}]}',
  ]) {
    const response = await fetch(`${url}/logsvc.LogService/WriteLogs`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    assert.equal(response.status, 400);
    assert.match(await response.text(), /"invalid_argument".*(entrys|attributez)/);
  }
  assert.equal(engine.head(), head);
});
