import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { limits } from "@logsvc/proto";
import { type FilterNeeds, filterNeeds } from "./filter-needs.ts";
import { parseFilter } from "./filter-parser.ts";
import { compileFilter, type FilterableEntry } from "./filter-predicate.ts";
import { FilterSyntaxError } from "./filter-syntax-error.ts";

const page = await readFile(new URL("../../../docs/filter.md", import.meta.url), "utf8");

test("every example of docs/filter.md does what it says", () => {
  const examples = [...page.matchAll(/^```filter\n(.*)\n([^`]*)^```$/gm)];
  assert.ok(examples.length >= 20, `${examples.length} examples`);
  for (const [, filter = "", lines = ""] of examples) {
    const predicate = compileFilter(parseFilter(filter));
    for (const line of lines.trimEnd().split("\n")) {
      assert.match(line, /^[+-] ./, filter);
      assert.equal(predicate(readEntry(line.slice(2))), line.startsWith("+"), `${filter}: ${line}`);
    }
  }
});

/** An entry as `name=value …`, either in quotes where it holds a space. */
function readEntry(line: string): FilterableEntry {
  const fields = new Map<string, string>();
  for (const [, quotedName, name, quoted, plain] of line.matchAll(
    /(?:"([^"]*)"|([^\s="]+))=(?:"([^"]*)"|(\S+))/g,
  )) {
    fields.set(quotedName ?? name ?? "", quoted ?? plain ?? "");
  }
  assert.ok(fields.size > 0, line);
  const {
    level = "INFO",
    message = "",
    service = "",
    trace_id = "",
    span_id = "",
    ...attributes
  } = Object.fromEntries(fields);
  return { level, message, service, traceId: trace_id, spanId: span_id, attributes };
}

test("every form of the table is a filter", () => {
  const table = page.slice(page.indexOf("## All forms"), page.indexOf("**Fields**"));
  const rows = [...table.matchAll(/^\| (`.*?) \|/gm)];
  assert.ok(rows.length >= 15, `${rows.length} rows`);
  for (const [, forms = ""] of rows) {
    for (const [, form = ""] of forms.matchAll(/`([^`]+)`/g)) {
      // Two rows show an operator alone, or empty parentheses, to stand for their like.
      if (!/^(?:[<>]=?|\( \))$/.test(form)) assert.doesNotThrow(() => parseFilter(form), form);
    }
  }
});

test("the page says what each filter skips by", () => {
  const section = page.slice(page.indexOf("## How fast is it"), page.indexOf("## When a filter is refused"));
  const rows = [...section.matchAll(/^\| (`.+?) \| (.+) \|$/gm)];
  assert.ok(rows.length >= 8, `${rows.length} rows`);
  for (const [, filters = "", needed = ""] of rows) {
    for (const filter of codeIn(filters)) {
      const expected = new Set(codeIn(needed));
      assert.deepEqual(new Set(namesIn(filterNeeds(parseFilter(filter)))), expected, filter);
    }
  }
});

/** What stands between backticks in a cell. */
function codeIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code.replaceAll("\\|", "|"));
}

/** The words and fields that are needed. */
function namesIn(needs: FilterNeeds): string[] {
  switch (needs.kind) {
    case "and":
    case "or":
      return needs.needs.flatMap(namesIn);
    case "word":
      return [needs.word];
    case "field":
      return [needs.field];
    case "anything":
    case "nothing":
      return [];
  }
}

test("what the page says is refused is refused, and the limits are as it says", () => {
  const table = page.slice(page.indexOf("| You wrote"));
  const rows = [...table.matchAll(/^\| (`.+?`) \| (.*?) \| /gm)];
  assert.ok(rows.length >= 15, `${rows.length} rows`);
  for (const [, refused = "", instead = ""] of rows) {
    const [filter = ""] = codeIn(refused);
    assert.throws(() => parseFilter(filter), FilterSyntaxError, filter);
    if (!filter.startsWith("~")) continue;
    for (const other of codeIn(instead)) assert.doesNotThrow(() => parseFilter(other), other);
  }
  assert.throws(() => parseFilter("status:>=high"), {
    message: /^filter, character 10: `high` can't be compared/,
  });
  assert.match(page, new RegExp(`at most ${limits.filterRegexpsMax} regular expressions`));
  assert.match(
    page,
    new RegExp(
      `at most ${limits.filterRegexpSizeMax.toLocaleString("en").replace(",", " ")} steps\\s+together`,
    ),
  );
  assert.match(
    page,
    new RegExp(
      `at most ${limits.filterBytesMax / 1024} KiB, and nests at most ${limits.filterDepthMax} deep`,
    ),
  );
});
