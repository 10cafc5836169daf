import assert from "node:assert/strict";
import { test } from "node:test";
import type { ListValuesResponse, LogClient, ValuesOptions } from "@logsvc/client-web";
import { parseFilter } from "@logsvc/filter";
import fc from "fast-check";
import {
  applyCompletion,
  type CompletionContext,
  completionAt,
  filterAround,
  writeField,
  writeValue,
} from "./completion.ts";
import { CompletionSource } from "./completion-source.ts";
import { FilterHistory } from "./filter-history.ts";
import { suggestionsFor } from "./suggestions.ts";

/** The context at the `|` in a text. */
function at(marked: string): { text: string; context: CompletionContext } {
  const caret = marked.indexOf("|");
  const text = marked.slice(0, caret) + marked.slice(caret + 1);
  return { text, context: completionAt(text, caret) };
}

test("what is typed at the caret", () => {
  const cases: readonly (readonly [string, string, string, string?])[] = [
    ["|", "term", ""],
    ["ser|", "term", "ser"],
    ["se|r:x", "term", "se"],
    ["a |", "term", ""],
    ["a AND |", "term", ""],
    ["((|", "term", ""],
    ["x: |", "term", ""],
    ["service:|", "value", "", "service"],
    ["service:che|ckout", "value", "che", "service"],
    ['"http status":4|', "value", "4", "http status"],
    ["-x:|a b", "value", "", "x"],
    ["NOT level:e|", "value", "e", "level"],
    ["x:!y|", "value", "y", "x"],
    ['x:"a b|', "value", "a b", "x"],
    ['x:"a \\"b|"', "value", 'a "b', "x"],
    ["level:>=|", "operand", "", "level"],
    ["level:>= w|", "operand", "w", "level"],
    ["x:!=|", "operand", "", "x"],
    ["x:(a =b|)", "operand", "b", "x"],
    ["method:in(|", "listed", "", "method"],
    ["method:in(GET, P|", "listed", "P", "method"],
    ['method:in("a b", "c|', "listed", "c", "method"],
    ["path:(/a OR /b|)", "grouped", "/b", "path"],
    ["path:(a (b OR c|))", "grouped", "c", "path"],
    ["(path:(a) c|)", "term", "c"],
    ["x:~a|", "none", "a"],
    ["x:*|", "none", ""],
    ["x:a OR y:b|) c", "value", "b", "y"],
  ];
  for (const [marked, place, typed, field] of cases) {
    const { context } = at(marked);
    assert.deepEqual([context.place, context.typed, context.field], [place, typed, field], marked);
  }
});

test("every cursor position has a context, inside the text", () => {
  const piece = fc.constantFrom(
    "a",
    "x:",
    "level:",
    ">=",
    "in(",
    "(",
    ")",
    ",",
    " ",
    '"',
    "`",
    "-",
    "!",
    "NOT ",
    " OR ",
    "*",
    "~",
    "=",
    "\\",
    "é",
  );
  const property = fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
    const text = pieces.join("");
    for (let caret = 0; caret <= text.length; caret++) {
      const context = completionAt(text, caret);
      const { start, end, condition } = context;
      assert.ok(0 <= start && start <= caret && caret <= end && end <= text.length, `${text} ${caret}`);
      assert.ok(
        condition.start <= start && end <= condition.end && condition.end <= text.length,
        `${text} ${caret}`,
      );
    }
  });
  fc.assert(property, { numRuns: 1000 });
});

test("values are counted without the condition that is being edited", () => {
  const around = (marked: string): string => {
    const { text, context } = at(marked);
    return filterAround(text, context).replaceAll(/\s+/g, " ").trim();
  };
  assert.equal(around("a service:che| b"), "a * b");
  assert.equal(around("a -service:| b"), "a * b");
  assert.equal(around("a NOT service:x| OR b"), "a * OR b");
  assert.equal(around("a method:in(GET, | b"), "a *");
  assert.equal(around("a method:in(GET, |) b"), "a * b");
  assert.equal(around("path:(/a OR /b|) b"), "* b");
  assert.equal(around("level:>=| b"), "* b");
  assert.equal(around("a ser|"), "a *");
  for (const marked of ["a service:che| b", "(x:|) c", "a (b OR -y:in(1,|)) c"])
    assert.doesNotThrow(() => parseFilter(around(marked)), marked);
});

test("a value is written so that it reads back as itself, at every place", () => {
  const marks = ["x:|", "x:=|", "x:in(|)", "x:in(a, |)", "x:(|)", "x:(a OR |)", "-x:|", "level:|"];
  const value = fc.array(
    fc.constantFrom(
      "a",
      "B",
      " ",
      ":",
      '"',
      "'",
      "\\",
      "(",
      ")",
      ",",
      "*",
      "=",
      "-",
      "in",
      "or",
      "é",
      "~",
      "`",
    ),
    { minLength: 1, maxLength: 5 },
  );
  const property = fc.property(fc.constantFrom(...marks), value, (marked, parts) => {
    const { text, context } = at(marked);
    const written = writeValue(parts.join(""), context);
    const tree = JSON.stringify(parseFilter(applyCompletion(text, context, written, true).text));
    assert.ok(tree.includes(JSON.stringify(parts.join(""))), `${written}: ${tree}`);
  });
  fc.assert(property, { numRuns: 1000 });
});

test("a suggestion takes the place of what is typed", () => {
  const apply = (marked: string, insert: string, complete: boolean): string => {
    const { text, context } = at(marked);
    const result = applyCompletion(text, context, insert, complete);
    return `${result.text.slice(0, result.caret)}|${result.text.slice(result.caret)}`;
  };
  assert.equal(apply("a ser|", writeField("service"), false), "a service:|");
  assert.equal(apply("se|r:x", writeField("service"), false), "service:|x");
  assert.equal(apply("service:ch|", "=checkout", true), "service:=checkout |");
  assert.equal(apply("service:ch|eck b", "=checkout", true), "service:=checkout| b");
  assert.equal(apply("(service:ch|)", "=checkout", true), "(service:=checkout|)");
  assert.equal(apply("x:in(a, b|)", "bc", true), "x:in(a, bc|)");
  assert.equal(apply("-x:|a b", "=c", true), "-x:=c| b");
});

test("what is suggested, place by place", () => {
  const labels = (
    marked: string,
    counted: readonly (readonly [string, bigint])[] = [],
    history: readonly string[] = [],
  ): string[] => {
    const { text, context } = at(marked);
    const values = counted.map(([value, count]) => ({ value, count }));
    return suggestionsFor(context, text, values, history).map(({ label }) => label);
  };
  assert.deepEqual(
    labels("se|", [
      ["service", 5n],
      ["session id", 2n],
    ]),
    ["service", "session id"],
  );
  assert.deepEqual(labels("a o|"), ["OR"]);
  assert.deepEqual(labels("n|"), ["NOT"]);
  assert.deepEqual(labels("level:>=|").slice(0, 2), ["fatal", "error"]);
  assert.deepEqual(labels("level:>=w|", [["WARN", 3n]]), ["warn"]);
  assert.equal(labels("level:|")[0], "level:>=");
  assert.deepEqual(
    labels("status:>|", [
      ["200", 3n],
      ["unknown", 1n],
    ]),
    ["200"],
  );
  assert.deepEqual(labels("user:|", [["ann", 3n]]).slice(0, 2), ["ann", "user:="]);
  assert.deepEqual(labels("x:~a|"), []);
  assert.deepEqual(labels("err|", [], ["level:error", "other", "err"]), ["level:error"]);
  assert.ok(labels("|", [], ["level:error"]).includes("level:error"));
});

test("the server is asked once for what it answered in full", async () => {
  const asked: ValuesOptions[] = [];
  const values = [
    { value: "api", count: 2n },
    { value: "Auth", count: 1n },
  ];
  const client = {
    values: (options: ValuesOptions = {}): Promise<ListValuesResponse> => {
      asked.push(options);
      return Promise.resolve({ values, distinct: 2n, truncated: false } as unknown as ListValuesResponse);
    },
  } satisfies Pick<LogClient, "values">;
  let nowMs = 0;
  const source = new CompletionSource(client, () => nowMs);
  const question = { field: "service", prefix: "", filter: "a (", range: { kind: "live" } } as const;
  const { signal } = new AbortController();
  await source.list(question, signal);
  assert.equal(asked[0]?.filter, "", "a text that is no filter is not sent");
  assert.deepEqual(await source.list({ ...question, prefix: "au" }, signal), [values[1]]);
  assert.equal(asked.length, 1);
  await source.list({ ...question, field: "host" }, signal);
  assert.equal(asked.length, 2);
  nowMs = 60_000;
  assert.equal(source.remembered(question), undefined);
});

test("the history keeps the last 50, newest first, where the browser lets it", () => {
  const stored = new Map<string, string>();
  const storage = {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => stored.set(key, value),
  };
  const history = new FilterHistory(() => storage as unknown as Storage);
  for (let index = 0; index < 60; index++) history.add(`f${index}`);
  history.add("f30");
  history.add("  ");
  assert.equal(history.filters.length, 50);
  assert.deepEqual(history.filters.slice(0, 2), ["f30", "f59"]);
  assert.deepEqual(new FilterHistory(() => storage as unknown as Storage).filters, history.filters);
  stored.set("logsvc.filters", "not JSON");
  assert.deepEqual(new FilterHistory(() => storage as unknown as Storage).filters, []);
  const refusing = new FilterHistory(() => {
    throw new Error("denied");
  });
  refusing.add("a");
  assert.deepEqual(refusing.filters, ["a"]);
});
