import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { formatJson, jsonDepthMax, jsonSummary, parseJsonAt } from "./json-tree.ts";
import { firstLine, type MessagePart, splitMessage } from "./message-parts.ts";

const kindsOf = (message: string): string[] => splitMessage(message).map((part) => part.kind);
const stackOf = (message: string): string[] =>
  splitMessage(message)
    .filter((part): part is Extract<MessagePart, { kind: "stack" }> => part.kind === "stack")
    .flatMap((part) => part.lines.map((line) => line.kind));

describe("JSON", () => {
  test("is found as the whole message, after a prefix, and with text after it", () => {
    assert.deepEqual(kindsOf('{"a":1}'), ["json"]);
    assert.deepEqual(kindsOf("  [1, 2]\n"), ["text", "json", "text"]);
    assert.deepEqual(kindsOf('request {"path":"/x"} took 3 ms'), ["text", "json", "text"]);
    assert.deepEqual(kindsOf('got [{"id":1}] and {"ok":true}'), ["text", "json", "text", "json"]);
  });

  test("prose with brackets stays text", () => {
    for (const text of [
      "retry [1]",
      "set {}",
      "[main] started",
      "a [1, 2, 3] b",
      "{not json}",
      '{"open": 1',
      "",
    ]) {
      assert.deepEqual(kindsOf(text), text === "" ? [] : ["text"], text);
    }
  });

  test("keeps digits, order and repeated members", () => {
    const text = '{"2":12345678901234567890,"1":1.10,"2":"ü\\n\\u00e9"}';
    const parsed = parseJsonAt(text, 0);
    assert.ok(parsed);
    assert.equal(parsed.end, text.length);
    assert.equal(formatJson(parsed.node), '{\n  "2": 12345678901234567890,\n  "1": 1.10,\n  "2": "ü\\né"\n}');
    assert.equal(jsonSummary(parsed.node, 80), '{2: 12345678901234567890, 1: 1.10, 2: "ü\\né"}');
  });

  test("cuts a summary off", () => {
    const parsed = parseJsonAt(`[${"1,".repeat(1000)}1]`, 0);
    assert.ok(parsed);
    assert.ok(jsonSummary(parsed.node, 20).length < 40);
    assert.match(jsonSummary(parsed.node, 20), /, …]$/);
  });

  test("agrees with JSON.parse on what is JSON", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const expected: unknown = JSON.parse(text);
        const parsed = parseJsonAt(text, 0);
        if (typeof expected !== "object" || expected === null) assert.equal(parsed, undefined);
        else {
          assert.ok(parsed);
          assert.equal(parsed.end, text.length);
          assert.deepEqual(JSON.parse(formatJson(parsed.node)), expected);
        }
      }),
    );
  });

  test("a string of a megabyte is one", () => {
    const message = JSON.stringify({ text: "a\\n".repeat(200_000), plain: "b".repeat(600_000) });
    assert.deepEqual(kindsOf(message), ["json"]);
  });

  test("what nests too deep, or never ends, is text, and quickly so", () => {
    assert.deepEqual(kindsOf("[".repeat(jsonDepthMax + 1) + "]".repeat(jsonDepthMax + 1)).at(0), "text");
    for (const piece of ["[", '{"a":', '["a",', '{"a":[1,', '"\\', "[1,"]) {
      const started = performance.now();
      splitMessage(piece.repeat(150_000));
      assert.ok(performance.now() - started < 2_000, piece);
    }
  });
});

describe("stack traces", () => {
  test("of JavaScript, with library frames told apart", () => {
    const message = [
      "TypeError: x is not a function",
      "    at load (/app/src/load.ts:3:5)",
      "    at Router.next (/app/node_modules/express/lib/router.js:280:10)",
      "    at process.processTicksAndRejections (node:internal/process/task_queues:103:5)",
      "    at async main (/app/src/main.ts:9:1)",
    ].join("\n");
    assert.deepEqual(stackOf(message), ["error", "frame", "library", "library", "frame"]);
    assert.deepEqual(kindsOf(`request failed\n${message}\nnext line`), ["text", "stack", "text"]);
  });

  test("of Java, with causes", () => {
    const message = [
      "java.lang.IllegalStateException: pool is closed",
      "\tat com.example.shop.Checkout.pay(Checkout.java:42)",
      "\tat java.base/java.lang.Thread.run(Thread.java:1583)",
      "Caused by: java.io.IOException: connection reset",
      "\tat com.example.shop.Http.read(Http.java:7)",
      "\t... 12 more",
    ].join("\n");
    assert.deepEqual(stackOf(message), ["error", "frame", "library", "error", "frame", "library"]);
  });

  test("of Python, with chained errors", () => {
    const message = [
      "Traceback (most recent call last):",
      '  File "/app/main.py", line 3, in main',
      "    load()",
      "    ~~~~^^",
      '  File "/usr/lib/python3.13/site-packages/flask/app.py", line 9, in load',
      "    return self.f()",
      "KeyError: 'a'",
      "",
      "During handling of the above exception, another exception occurred:",
      "",
      "Traceback (most recent call last):",
      '  File "/app/main.py", line 5, in main',
      "    raise ValueError(1)",
      "ValueError: 1",
    ].join("\n");
    const kinds = stackOf(`${message}\nGET / 500`);
    assert.equal(kinds.length, 14);
    assert.deepEqual(kinds.slice(0, 7), ["error", "frame", "frame", "frame", "library", "library", "error"]);
    assert.deepEqual(kindsOf(`${message}\nGET / 500`), ["stack", "text"]);
  });

  test("of Go, with several goroutines", () => {
    const message = [
      "panic: runtime error: index out of range [3] with length 3",
      "",
      "goroutine 1 [running]:",
      "main.load(...)",
      "\t/app/load.go:12",
      "main.main()",
      "\t/app/main.go:7 +0x1d",
      "",
      "goroutine 18 [chan receive, 2 minutes]:",
      "runtime.gopark(0x0?)",
      "\t/usr/local/go/src/runtime/proc.go:398 +0xce",
      "exit status 2",
    ].join("\n");
    assert.equal(stackOf(message).filter((kind) => kind === "frame").length, 4);
    assert.equal(stackOf(message).filter((kind) => kind === "library").length, 2);
    assert.deepEqual(kindsOf(message), ["stack"]);
  });

  test("prose is none", () => {
    for (const text of [
      "meet me\nat noon",
      "look  at this\n  at all",
      "panic: at the disco\nno trace",
      "one\ntwo",
    ]) {
      assert.deepEqual(stackOf(text), [], text);
    }
  });
});

test("parts put together are the message", () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom(
      "Error: x",
      "    at f (a.js:1:2)",
      '{"a":1,"b":2}',
      "Traceback (most recent call last):",
      "",
      "x: y",
    ),
    fc.constantFrom(
      '  File "a.py", line 1',
      "panic: x",
      "goroutine 1 [running]:",
      "main.f()",
      "\t/a.go:1 +0x1",
    ),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const message = lines.join("\n");
      const parts = splitMessage(message);
      const kinds = parts.map((part) => part.kind);
      // A break between a stack trace and its neighbour belongs to neither.
      const together = parts.reduce((text, part) => {
        const joint =
          text !== "" && message.startsWith(`${text}\n${part.text}`) && !message.startsWith(text + part.text);
        return text + (joint ? "\n" : "") + part.text;
      }, "");
      assert.equal(together.replaceAll("\n", ""), message.replaceAll("\n", ""), kinds.join());
    }),
  );
});

describe("firstLine", () => {
  test("counts what it leaves out", () => {
    assert.deepEqual(firstLine("one", 10), { text: "one", moreLines: 0, cut: false });
    assert.deepEqual(firstLine("one\ntwo\nthree\n\n", 10), { text: "one", moreLines: 2, cut: false });
    assert.deepEqual(firstLine("\n\none\ntwo", 10), { text: "one", moreLines: 1, cut: false });
    assert.deepEqual(firstLine("one\n", 10), { text: "one", moreLines: 0, cut: false });
    assert.deepEqual(firstLine("0123456789abc", 10), { text: "0123456789", moreLines: 0, cut: true });
    assert.equal(firstLine("x\n".repeat(5_000), 10).moreLines, 999);
  });

  test("does not cut a character in two", () => {
    assert.equal(firstLine("123456789😀x", 10).text, "123456789");
  });
});
