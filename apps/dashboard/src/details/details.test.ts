import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, ConnectError, type LogClient, type LogEntry, type StoredEntry } from "@logsvc/client-web";
import type { EntryRow } from "../log/log-entry-row.ts";
import { defaultView, parseViewUrl } from "../view/view-url.ts";
import { entryFields } from "./entry-fields.ts";
import { curlCommand, entryNdjson, entryText, logsvcCommand } from "./entry-text.ts";
import { loadEntry } from "./load-entry.ts";
import { permalink } from "./permalink.ts";
import { delayText, relativeTime } from "./relative-time.ts";

const time = 1_790_000_000_123_456_789n;

function rowOf(more: Partial<LogEntry> = {}): EntryRow {
  const entry: LogEntry = {
    $typeName: "logsvc.LogEntry",
    level: "ERROR",
    message: "no \u001b[31mway\u001b[0m",
    timestamp: time,
    service: "api",
    attributes: {},
    traceId: "",
    spanId: "",
    sequence: 0n,
    ...more,
  };
  return { kind: "entry", id: "2cy0i7ap-17", entry, receivedAt: time + 5_000_000n };
}

describe("fields", () => {
  test("are the entry's own, where it has them, and the attributes by name", () => {
    const { entry } = rowOf({ attributes: { b10: "x", b9: "y", a: '{"k":1}' }, traceId: "ab" });
    assert.deepEqual(
      entryFields(entry).map(({ name, json }) => [name, json?.kind]),
      [
        ["service", undefined],
        ["trace_id", undefined],
        ["a", "object"],
        ["b9", undefined],
        ["b10", undefined],
      ],
    );
  });

  test("are JSON only when they are nothing else", () => {
    const { entry } = rowOf({ attributes: { a: "[1] x", b: " [1] ", c: '"text"', d: "12" } });
    assert.deepEqual(
      entryFields(entry)
        .slice(1)
        .map(({ json }) => json?.kind),
      [undefined, "array", undefined, undefined],
    );
  });
});

describe("an entry as text", () => {
  test("is one line where it can be", () => {
    const row = rowOf({ attributes: { status: "500", path: "/a b" } });
    assert.equal(entryText(row), '2026-09-21T14:13:20.123456789Z ERROR api no way status=500 path="/a b"');
    assert.equal(
      entryText(rowOf({ message: "a\nb", spanId: "cd" }))
        .split("\n")
        .at(-1),
      "span_id=cd",
    );
  });

  test("is NDJSON as an export has it", () => {
    assert.deepEqual(JSON.parse(entryNdjson(rowOf())), {
      timestamp: "2026-09-21T14:13:20.123456789Z",
      level: "ERROR",
      service: "api",
      message: "no \u001b[31mway\u001b[0m",
      id: "2cy0i7ap-17",
      received_at: "2026-09-21T14:13:20.128456789Z",
    });
  });

  test("is a command for a shell, whatever the id", () => {
    assert.equal(
      curlCommand("2cy0i7ap-17", "http://localhost:50051", false),
      "curl -s 'http://localhost:50051/query?around=2cy0i7ap-17&limit=21'",
    );
    assert.match(
      curlCommand("a", "https://x", true),
      /^curl -s -H "authorization: Bearer \$LOGSVC_TOKEN" 'https/,
    );
    assert.equal(
      logsvcCommand("2cy0i7ap-17", "http://localhost:50051"),
      "logsvc query --around 2cy0i7ap-17 --limit 21 --url http://localhost:50051",
    );
    assert.equal(logsvcCommand("a'; rm x", "u").includes(`'a'\\''; rm x'`), true);
  });
});

describe("a permalink", () => {
  const viewOf = (link: string) => parseViewUrl(new URL(link).search).view;

  test("has the entry, and a range in which it is", () => {
    const view = { ...defaultView, filter: "level:error", columns: ["status"] };
    const linked = viewOf(permalink(rowOf(), view, "https://logs.example/x/?q=old#top"));
    assert.equal(linked.selectedId, "2cy0i7ap-17");
    assert.equal(linked.filter, "level:error");
    assert.deepEqual(linked.columns, ["status"]);
    assert.equal(linked.range.kind, "between");
    assert.ok(linked.range.kind === "between" && linked.range.start < time && time < linked.range.end);
  });

  test("keeps a range that holds the entry, and no other", () => {
    const range = { kind: "between", start: time, end: time + 1n } as const;
    assert.deepEqual(viewOf(permalink(rowOf(), { ...defaultView, range }, "https://x/")).range, range);
    const before = { kind: "between", start: time - 2n, end: time } as const;
    assert.notDeepEqual(
      viewOf(permalink(rowOf(), { ...defaultView, range: before }, "https://x/")).range,
      before,
    );
  });

  test("of an entry found around another has no filter, which it may not pass", () => {
    const view = { ...defaultView, filter: "level:info", aroundId: "another" };
    const linked = viewOf(permalink(rowOf(), view, "https://x/"));
    assert.deepEqual([linked.filter, linked.aroundId], ["", undefined]);
  });
});

test("times are told in one unit", () => {
  const nowMs = Number(time / 1_000_000n);
  const ago = (ms: number): string => relativeTime(time, nowMs + ms);
  assert.deepEqual([0, 999, 1_000, 59_999, 60_000, 3_600_000, 90_000_000, 40_000_000_000].map(ago), [
    "now",
    "now",
    "1 s ago",
    "59 s ago",
    "1 min ago",
    "1 h ago",
    "1 d ago",
    "1 y ago",
  ]);
  assert.equal(ago(-5_000), "in 5 s");
  assert.equal(delayText(time, time + 12_000_000n), "12 ms later");
  assert.equal(delayText(time, time - 3_000_000_000n), "3 s earlier");
  assert.equal(delayText(time, time + 900_000n), "");
});

describe("loading an entry", () => {
  const { id, entry, receivedAt } = rowOf();
  const stored: StoredEntry = { $typeName: "logsvc.StoredEntry", id, entry, receivedAt };
  const clientOf = (around: LogClient["around"]): Pick<LogClient, "around"> => ({ around });
  const failing = (code: Code): Pick<LogClient, "around"> =>
    clientOf(() => Promise.reject(new ConnectError("no", code)));

  test("finds it", async () => {
    assert.deepEqual(
      await loadEntry(
        clientOf(() => Promise.resolve([stored])),
        id,
      ),
      { kind: "found", row: rowOf() },
    );
  });

  test("tells what is gone from what was never there, and fails for other reasons", async () => {
    assert.deepEqual(await loadEntry(failing(Code.NotFound), id), { kind: "gone" });
    assert.deepEqual(await loadEntry(failing(Code.OutOfRange), id), { kind: "unknown" });
    assert.deepEqual(
      await loadEntry(
        clientOf(() => Promise.resolve([])),
        id,
      ),
      { kind: "gone" },
    );
    await assert.rejects(loadEntry(failing(Code.Unavailable), id), { code: Code.Unavailable });
  });
});
