import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LogClient, QueryOptions, StoredEntry } from "@logsvc/client-web";
import fc from "fast-check";
import { allColumns, chosenColumns, csvField, csvHeader, csvLines } from "./csv.ts";
import {
  boundsOf,
  type ExportRequest,
  type ExportResult,
  exportEntries,
  exportName,
  snapshotOf,
} from "./export-entries.ts";
import { BlobSink } from "./file-sink.ts";

function stored(index: number, attributes: Record<string, string> = {}): StoredEntry {
  return {
    id: `id-${index}`,
    receivedAt: 1_790_000_000_000_000_000n,
    entry: {
      level: "INFO",
      message: `message ${index}`,
      timestamp: 1_790_000_000_000_000_001n,
      service: "api",
      attributes,
      traceId: "",
      spanId: "",
      sequence: 0n,
    },
    // The message's own fields are of no matter here.
  } as unknown as StoredEntry;
}

/** A reader of RFC 4180, to hold the writer against. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  const pattern = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/y;
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text);
    assert.ok(match, "not RFC 4180");
    rows.at(-1)?.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "");
    if (match[3] === "\r\n") rows.push([]);
  }
  return rows.slice(0, -1);
}

describe("CSV", () => {
  test("quotes what needs it, and makes formulas text", () => {
    assert.equal(csvField("plain"), "plain");
    assert.equal(csvField('a "b", c'), '"a ""b"", c"');
    assert.equal(csvField("two\nlines"), '"two\nlines"');
    assert.equal(csvField("=SUM(A1)"), "'=SUM(A1)");
    assert.equal(csvField("@x"), "'@x");
    assert.equal(csvField("-2+3"), "'-2+3");
    assert.equal(csvField('=HYPERLINK("a","b")'), `"'=HYPERLINK(""a"",""b"")"`);
    assert.deepEqual(["-12.5", "+1", "-1e9"].map(csvField), ["-12.5", "+1", "-1e9"]);
  });

  test("has the chosen columns, or all and the rest as JSON", () => {
    const entry = stored(1, { status: "500", path: "/a,b", constructor: "x" });
    const chosen = chosenColumns(["status", "service"]);
    assert.deepEqual(parseCsv(csvHeader(chosen) + csvLines([entry, stored(2)], chosen)), [
      ["timestamp", "level", "service", "status", "message"],
      ["2026-09-21T14:13:20.000000001Z", "INFO", "api", "500", "message 1"],
      ["2026-09-21T14:13:20.000000001Z", "INFO", "api", "", "message 2"],
    ]);
    const [names, values] = parseCsv(
      csvHeader(allColumns(["path"])) + csvLines([entry], allColumns(["path"])),
    );
    assert.deepEqual(names?.slice(-3), ["received_at", "path", "attributes"]);
    assert.equal(values?.at(-2), "/a,b");
    assert.deepEqual(JSON.parse(values?.at(-1) ?? ""), { status: "500", constructor: "x" });
  });

  test("an attribute that is called as a field of the entry is not taken for it", () => {
    const entry = stored(1, { id: "mine", attributes: "too" });
    const columns = allColumns(["id", "attributes"]);
    const [names, values] = parseCsv(csvHeader(columns) + csvLines([entry], columns));
    assert.deepEqual(names?.slice(-5), [
      "id",
      "received_at",
      "attributes.id",
      "attributes.attributes",
      "attributes",
    ]);
    assert.deepEqual([values?.at(-5), ...(values?.slice(-3) ?? [])], ["id-1", "mine", "too", ""]);
    const chosen = chosenColumns(["id", "trace_id"]);
    assert.deepEqual(parseCsv(csvHeader(chosen))[0], [
      "timestamp",
      "level",
      "service",
      "id",
      "trace_id",
      "message",
    ]);
    assert.equal(parseCsv(csvLines([entry], chosen))[0]?.[3], "mine");
  });

  test("reads back as it was, but for apostrophes before formulas", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.string()), (attributes) => {
        const names = Object.keys(attributes);
        const text = csvLines([stored(1, attributes)], {
          columns: names.map((name) => ({ kind: "attribute", name })),
          rest: false,
        });
        if (names.length === 0) return;
        const [row = []] = parseCsv(`${text}`);
        // A single empty field is an empty line.
        const expected = names.map((name) => (attributes[name] ?? "").replace(/^(?=[=+\-@\t\r])/, "'"));
        const plain = (value: string): string => value.replace(/^'(?=[+-]?[\d.eE+-]+$)/, "");
        assert.deepEqual(row.map(plain), expected.map(plain));
      }),
    );
  });
});

test("a range is as the API has it", () => {
  const nowMs = 1_790_000_000_000;
  assert.deepEqual(boundsOf({ kind: "live" }, nowMs), {});
  assert.deepEqual(boundsOf({ kind: "last", durationMs: 1_000 }, nowMs), {
    start: 1_789_999_999_000_000_000n,
  });
  assert.deepEqual(boundsOf({ kind: "between", start: 5n, end: 9n }, nowMs), { start: 5n, end: 9n });
  assert.equal(exportName("csv", nowMs), "logsvc-20260921T141320Z.csv");
});

/** A client of so many batches of ten entries. */
function clientOf(
  batches: number,
  onQuery: (options: QueryOptions) => void = () => undefined,
): Pick<LogClient, "query"> {
  return {
    query: (options = {}) => {
      onQuery(options);
      return {
        batches: async function* () {
          for (let batch = 0; batch < batches; batch++) {
            await Promise.resolve();
            yield Array.from({ length: 10 }, (_, index) => stored(batch * 10 + index));
          }
        },
      } as unknown as ReturnType<LogClient["query"]>;
    },
  };
}

const request: ExportRequest = { filter: "level:info", end: 9n, format: { kind: "ndjson" } };

describe("a snapshot", () => {
  const { signal } = new AbortController();

  test("ends just after the newest entry there is, whatever the clocks say", async () => {
    let asked: QueryOptions = {};
    const client = clientOf(1, (options) => {
      asked = options;
    });
    const range = { kind: "between", start: 5n, end: 2n ** 62n } as const;
    assert.deepEqual(await snapshotOf(client, { filter: "a", range }, 0, signal), {
      filter: "a",
      start: 5n,
      end: 1_790_000_000_000_000_002n,
    });
    assert.deepEqual([asked.order, asked.limit, asked.end], ["newest", 1, 2n ** 62n]);
  });

  test("is none where nothing matches", async () => {
    assert.equal(
      await snapshotOf(clientOf(0), { filter: "", range: { kind: "live" } }, 0, signal),
      undefined,
    );
  });
});

describe("an export", () => {
  let saved: Blob | undefined;
  const sinkOf = (bytesMax?: number): BlobSink => {
    saved = undefined;
    return new BlobSink("x.ndjson", bytesMax, (blob) => {
      saved = blob;
    });
  };
  const run = (
    batches: number,
    sink: BlobSink,
    signal = new AbortController().signal,
  ): Promise<ExportResult> => exportEntries(clientOf(batches), request, sink, () => undefined, signal);

  test("asks for everything, oldest first", async () => {
    let asked: QueryOptions = {};
    await exportEntries(
      clientOf(0, (options) => {
        asked = options;
      }),
      request,
      sinkOf(),
      () => undefined,
      new AbortController().signal,
    );
    const { signal: _, ...options } = asked;
    assert.deepEqual(options, {
      filter: "level:info",
      end: 9n,
      order: "oldest",
      limit: Number.POSITIVE_INFINITY,
    });
  });

  test("has every entry, a line each", async () => {
    const result = await run(50, sinkOf());
    const lines = (await saved?.text())?.trimEnd().split("\n") ?? [];
    assert.equal(result.complete, true);
    assert.equal(result.entries, 500);
    assert.equal(saved?.size, result.bytes);
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).id),
      Array.from({ length: 500 }, (_, i) => `id-${i}`),
    );
  });

  test("stops at the bound, says so, and keeps whole lines", async () => {
    const result = await run(50, sinkOf(10_000));
    assert.equal(result.complete, false);
    assert.ok(result.bytes <= 10_000 && result.entries > 0 && result.entries < 500);
    assert.equal((await saved?.text())?.trimEnd().split("\n").length, result.entries);
  });

  test("a cancelled one saves nothing", async () => {
    const stop = new AbortController();
    const sink = sinkOf();
    const running = exportEntries(clientOf(50), request, sink, () => stop.abort(), stop.signal);
    await assert.rejects(running, { name: "AbortError" });
    assert.equal(saved, undefined);
  });
});
