import assert from "node:assert/strict";
import { test } from "node:test";
import { compileFilter, type FilterableEntry, parseFilter } from "@logsvc/filter";
import fc from "fast-check";
import {
  addCondition,
  type ConditionMode,
  hasCondition,
  namedValues,
  standingOf,
  toggleChoice,
  withoutChoices,
} from "./filter-edit.ts";

test("a condition is added after what is there, which stays as it was written", () => {
  assert.equal(addCondition("", "service", "api", "include"), "service:=api");
  assert.equal(addCondition("  ", "service", "api", "include"), "service:=api");
  assert.equal(addCondition("*", "service", "api", "include"), "service:=api");
  assert.equal(addCondition("time*  AND 'x'", "service", "api", "include"), "time*  AND 'x' service:=api");
  assert.equal(addCondition("-a", "service", "api", "exclude"), "-a -service:=api");
  assert.equal(addCondition("a", "user id", "b c", "exists"), 'a "user id":*');
});

test("what has an OR is put into parentheses first", () => {
  assert.equal(addCondition("a OR b", "service", "api", "include"), "(a OR b) service:=api");
  assert.equal(addCondition("(a OR b)", "service", "api", "include"), "((a OR b)) service:=api");
  assert.equal(addCondition("(a OR b) c", "x", "1", "exclude"), "(a OR b) c -x:=1");
  assert.equal(addCondition("level:(a OR b)", "x", "1", "exclude"), "(level:(a OR b)) -x:=1");
});

test("values are quoted as the language needs", () => {
  assert.equal(addCondition("", "path", 'a "b" (c)', "include"), 'path:="a \\"b\\" (c)"');
  assert.equal(addCondition("", "message", "two words", "include"), '="two words"');
  assert.equal(addCondition("", "and", "-x", "include"), "and:=-x");
});

test("a level is the word for it", () => {
  assert.equal(addCondition("", "level", "ERROR", "include"), "level:error");
  assert.equal(addCondition("", "level", "AUDIT", "include"), "level:=AUDIT");
  assert.equal(addCondition("a", "level", "WARN", "exclude"), "a -level:warn");
});

test("an empty value is a field that is not there", () => {
  assert.equal(addCondition("", "user", "", "include"), 'user:""');
  assert.equal(addCondition("", "user", "", "exclude"), "user:*");
  assert.equal(addCondition('user:""', "user", "", "exists"), "user:*");
});

test("a condition that is there is taken out, however it is written", () => {
  assert.equal(addCondition("a service:=api b", "service", "api", "include"), "a b");
  assert.equal(addCondition("service:in(api)", "service", "api", "include"), "");
  assert.equal(addCondition("a AND level:=ERR", "level", "ERROR", "include"), "a");
  assert.equal(addCondition("a service:!=api", "service", "api", "exclude"), "a");
  assert.equal(addCondition("a -user:*", "user", "", "include"), "a");
  assert.equal(hasCondition("a NOT service:=api", "service", "api", "exclude"), true);
  assert.equal(hasCondition("a service:api", "service", "api", "include"), false);
});

test("the opposite of a condition makes way for it", () => {
  assert.equal(addCondition("a -service:=api", "service", "api", "include"), "a service:=api");
  assert.equal(addCondition("level:error", "level", "ERROR", "exclude"), "-level:error");
  assert.equal(addCondition("user:*", "user", "", "include"), 'user:""');
});

test("a condition inside an OR is left alone", () => {
  assert.equal(addCondition("x OR y:=1", "y", "1", "include"), "(x OR y:=1) y:=1");
});

test("what would not be a filter leaves the filter as it was", () => {
  assert.equal(addCondition("a", "x", "y".repeat(9000), "include"), "a");
  assert.equal(addCondition("a", "k".repeat(200), "y", "include"), "a");
  assert.equal(addCondition("a", "timestamp", "1", "include"), "a");
  assert.equal(addCondition("a (", "x", "1", "include"), "a (");
});

test("values are chosen beside each other", () => {
  const one = toggleChoice("a", "service", "api");
  assert.equal(one, "a service:=api");
  const two = toggleChoice(one, "service", "web ui");
  assert.equal(two, 'a service:in(api, "web ui")');
  assert.equal(toggleChoice(two, "service", "api"), 'a service:="web ui"');
  assert.equal(toggleChoice(toggleChoice(two, "service", "api"), "service", "web ui"), "a");
  assert.equal(toggleChoice("level:error", "level", "WARN"), "level:in(error, warn)");
  assert.equal(toggleChoice("level:(error OR warn)", "level", "ERROR"), "level:warn");
  assert.equal(toggleChoice("-service:=api", "service", "api"), "service:=api");
});

test("how a filter takes a value", () => {
  assert.equal(standingOf("service:in(a, b)", "service", "b"), "chosen");
  assert.equal(standingOf("-service:in(a, b)", "service", "b"), "excluded");
  assert.equal(standingOf("level:warning", "level", "WARN"), "chosen");
  assert.equal(standingOf("service:=a OR x", "service", "a"), "open");
  assert.equal(standingOf("(", "service", "a"), "open");
});

test("the values that a filter names", () => {
  assert.deepEqual(namedValues("service:in(a, b) -service:=c x:=d", "service"), ["a", "b", "c"]);
  assert.deepEqual(namedValues("level:(err OR audit) -level:warn", "level"), ["WARN"]);
  assert.deepEqual(namedValues("level:(err OR fatal)", "level"), ["ERROR", "FATAL"]);
  assert.deepEqual(namedValues("user:* (", "user"), []);
});

test("a field's list of values is counted without its own choices", () => {
  assert.equal(withoutChoices("a service:=x -service:=y level:>=warn", "service"), "a level:>=warn");
  assert.equal(withoutChoices("a  level:>=warn", "level"), "a  level:>=warn");
  assert.equal(withoutChoices("service:=x", "service"), "");
});

const word = fc.constantFrom(
  "a",
  "b",
  "A b",
  "",
  "in",
  "or",
  '"',
  "\\",
  "x:y",
  "(",
  "é",
  "-",
  "error",
  "AUDIT",
);
const field = fc.constantFrom("message", "level", "service", "x", "a b", "or", "x:y");
const piece = fc.oneof(
  fc.constantFrom("a", "b*", '"a b"', "level:>=warn", "-x:*", "x:in(a, b)", 'x:""', "service:(a OR b)"),
  fc.tuple(field, word).map(([name, text]) => addCondition("", name, text, "include")),
  fc.tuple(field, word).map(([name, text]) => addCondition("", name, text, "exclude")),
);
const filterText = fc
  .array(fc.tuple(fc.constantFrom(" ", " AND ", " OR ", " NOT ", " ("), piece), { maxLength: 5 })
  .map((parts) => {
    const text = parts.map(([join, part], index) => (index === 0 ? part : join + part)).join("");
    return text + ")".repeat(parts.slice(1).filter(([join]) => join === " (").length);
  });
const entry: fc.Arbitrary<FilterableEntry> = fc.record({
  level: fc.constantFrom("ERROR", "WARN", "INFO", "AUDIT"),
  message: word,
  service: word,
  traceId: fc.constant(""),
  spanId: fc.constant(""),
  attributes: fc.dictionary(fc.constantFrom("x", "a b", "or", "x:y"), word, { maxKeys: 3 }),
});
const mode = fc.constantFrom<ConditionMode>("include", "exclude", "exists");

function hasOpposite(text: string, name: string, value: string, how: ConditionMode): boolean {
  if (how === "exists") return hasCondition(text, name, "", "include");
  return hasCondition(text, name, value, how === "include" ? "exclude" : "include");
}

test("the result always parses, and passes what passes the filter and the condition", () => {
  const property = fc.property(
    filterText,
    field,
    word,
    mode,
    fc.array(entry),
    (text, name, value, how, entries) => {
      const before = compileFilter(parseFilter(text));
      const condition = compileFilter(parseFilter(addCondition("", name, value, how)));
      const after = addCondition(text, name, value, how);
      const passes = compileFilter(parseFilter(after));
      if (hasCondition(text, name, value, how)) {
        // Taken out: what passed before passes still.
        for (const one of entries) assert.ok(!before(one) || passes(one), after);
        assert.equal(hasCondition(after, name, value, how), false);
        return;
      }
      assert.equal(hasCondition(after, name, value, how), true, after);
      const hadOpposite = hasOpposite(text, name, value, how);
      for (const one of entries) {
        if (hadOpposite) assert.ok(!passes(one) || condition(one), after);
        else assert.equal(passes(one), before(one) && condition(one), after);
      }
    },
  );
  fc.assert(property, { numRuns: 2000 });
});

test("choosing adds a value that is not chosen, and takes back one that is", () => {
  const property = fc.property(filterText, field, word, (text, name, value) => {
    const toggled = toggleChoice(text, name, value);
    parseFilter(toggled);
    const expected = standingOf(text, name, value) === "chosen" ? "open" : "chosen";
    assert.equal(standingOf(toggled, name, value) === "chosen", expected === "chosen", toggled);
  });
  fc.assert(property, { numRuns: 2000 });
});
