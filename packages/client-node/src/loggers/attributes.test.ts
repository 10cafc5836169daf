import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "@logsvc/client";
import { flattenAttributes } from "./attributes.ts";

test("values of every kind become texts, and nested names are joined by dots", () => {
  const error = Object.assign(new TypeError("no", { cause: new Error("gone") }), { code: "E_NO" });
  const circular: Record<string, unknown> = { a: 1 };
  circular["self"] = circular;
  const attributes = flattenAttributes({
    text: "t",
    number: 1.5,
    big: 2n,
    yes: true,
    nothing: null,
    absent: undefined,
    date: new Date(1_795_340_200_123),
    wrong: new Date(Number.NaN),
    list: [1, "a", { b: null }],
    map: new Map([["k", 1]]),
    bytes: Uint8Array.of(1, 2),
    empty: {},
    nested: { deep: { er: "x" } },
    own: { toJSON: () => ({ shown: 1 }) },
    call: function named() {
      return 1;
    },
    symbol: Symbol("s"),
    circular,
    err: error,
    message: "reserved",
  });
  const { "err.stack": stack, "err.cause.stack": causeStack, ...others } = attributes;
  assert.match(stack ?? "", /^TypeError: no\n {4}at /);
  assert.match(causeStack ?? "", /^Error: gone/);
  assert.deepEqual(others, {
    text: "t",
    number: "1.5",
    big: "2",
    yes: "true",
    nothing: "null",
    date: "2026-11-22T09:36:40.123Z",
    wrong: "Invalid Date",
    list: '[1,"a",{"b":null}]',
    map: '[["k",1]]',
    bytes: "[1,2]",
    empty: "{}",
    "nested.deep.er": "x",
    "own.shown": "1",
    call: "[Function: named]",
    symbol: "Symbol(s)",
    "circular.a": "1",
    "circular.self": "[Circular]",
    "err.type": "TypeError",
    "err.message": "no",
    "err.code": "E_NO",
    "err.cause.type": "Error",
    "err.cause.message": "gone",
    "log.message": "reserved",
  });
});

test("what is too deep stays JSON, also with itself inside", () => {
  const top: Record<string, unknown> = {};
  let at = top;
  for (let depth = 0; depth < 20; depth++) {
    const next: Record<string, unknown> = { top: depth === 15 ? at : 1 };
    at["n"] = next;
    at = next;
  }
  const [key = "", text = ""] =
    Object.entries(flattenAttributes({ top })).find(([name]) => name.endsWith("n.n.n.n.n.n.n")) ?? [];
  assert.equal(key.split(".").length, 8);
  assert.equal(JSON.parse(text).n.top, 1);
});

test("what is beyond the limits is kept together", () => {
  const long = "k".repeat(limits.attributeKeyBytesMax + 1);
  const fields: Record<string, unknown> = { [long]: 1, "a.b": 2, a: { b: 3 }, "log.rest": 4 };
  for (let n = 0; n < 300; n++) fields[`field ${n}`] = n;
  const attributes = flattenAttributes(fields);
  assert.equal(Object.keys(attributes).length, limits.attributesMax);
  assert.equal(attributes["a.b"], "2");
  const rest: Record<string, string> = JSON.parse(attributes["log.rest"] ?? "");
  assert.deepEqual([rest[long], rest["a.b"], rest["log.rest"], rest["field 299"]], ["1", "3", "4", "299"]);
});

test("text that UTF-8 can't hold is replaced, and a name that sets a prototype is kept beside", () => {
  const attributes = flattenAttributes(JSON.parse('{"a":"\\ud800","__proto__":"x"}'));
  assert.deepEqual(attributes, { a: "\uFFFD", "log.__proto__": "x" });
});
