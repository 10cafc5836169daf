import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import type { StoredEntry } from "@logsvc/proto";
import { createEntryWriter, type OutputFormat } from "./entry-writer.ts";
import { createNotices } from "./notices.ts";
import { createOutput } from "./output.ts";

/** What a stranger may have sent: C1's "clear the screen", and text that runs backwards. */
const message = "a\u009b2J\u202eb";

const stored: StoredEntry = {
  $typeName: "logsvc.StoredEntry",
  id: "1",
  receivedAt: 0n,
  entry: {
    $typeName: "logsvc.LogEntry",
    level: "INFO",
    message,
    timestamp: 0n,
    service: "",
    attributes: {},
    traceId: "",
    spanId: "",
    sequence: 0n,
  },
};

async function printed(format: OutputFormat, isTerminal: boolean): Promise<string> {
  const stream = new PassThrough({ encoding: "utf8" });
  const output = createOutput(stream, new AbortController().signal);
  const notices = createNotices(stream, { isTerminal, quiet: false });
  await createEntryWriter(output, notices, { format, color: false, utc: true, isTerminal }).entries([stored]);
  return String(stream.read());
}

test("every form is harmless for a terminal, and exact for a pipe", async () => {
  for (const format of ["pretty", "json", "raw"] as const) {
    assert.doesNotMatch(await printed(format, true), /[\u0080-\u009f\u202e]/, format);
  }
  assert.equal(await printed("raw", false), `${message}\n`);
  for (const isTerminal of [true, false]) {
    const read: unknown = JSON.parse(await printed("json", isTerminal));
    assert.ok(typeof read === "object" && read !== null && "message" in read);
    assert.equal(read.message, message);
  }
});
