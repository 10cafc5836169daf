import assert from "node:assert/strict";
import { channel } from "node:diagnostics_channel";
import { Writable } from "node:stream";
import { test } from "node:test";
import { pino } from "pino";
import { logEngine } from "./engine-log.ts";

test("a lasting failure is told once, its end too, and what was deleted and merged", (t) => {
  const messages: string[] = [];
  const stream = new Writable({
    write: (line, _encoding, callback) => {
      messages.push(String(/"msg":"([^"]*)"/.exec(String(line))?.[1]));
      callback();
    },
  });
  const stop = logEngine(pino({ level: "debug" }, stream));
  t.after(stop);
  const failure = channel("logsvc:engine:failure");
  failure.publish({ message: "disk full" });
  failure.publish({ message: "disk full" });
  channel("logsvc:engine:commit").publish({ entries: 1 });
  channel("logsvc:engine:commit").publish({ entries: 1 });
  failure.publish({ message: "disk full" });
  channel("logsvc:engine:retention").publish({ entries: 5 });
  channel("logsvc:engine:merge").publish({ blocks: 9 });
  stop();
  failure.publish({ message: "another" });
  assert.deepEqual(messages, [
    "the engine failed: disk full",
    "the engine commits again",
    "the engine failed: disk full",
    "retention deleted the oldest entries",
    "blocks were merged into one",
  ]);
});
