/**
 * Changing a filter by a click: "only this value", "not this value", "has this
 * field". The result is text that a person reads and edits further, so what
 * they wrote stays as they wrote it wherever a condition is only added.
 *
 * A click on what is already so takes it back: adding a condition that stands
 * there takes it out. Its opposite, with which nothing could pass, makes way
 * for it. Both are looked for among the conditions that every entry must pass;
 * one inside an OR is left alone.
 *
 * What would not be a filter (8 KiB, a field's name over its limit, nesting too
 * deep, or a text that was none before) leaves the filter as it was.
 */
import { type FieldMatch, type FilterNode, formatFilter, parseFilter } from "@logsvc/filter";
import { levelNames, normalizeLevel, severities, severityOf } from "@logsvc/proto";

/** The field is the value; is not the value; is there. */
export type ConditionMode = "include" | "exclude" | "exists";

/** How a filter takes a value: the only one or one of the chosen ones, left out, or not at all. */
export type ValueStanding = "chosen" | "excluded" | "open";

/** A filter that every entry must pass, and a condition on top; or without the condition, if it was there. */
export function addCondition(filter: string, field: string, value: string, mode: ConditionMode): string {
  const node = parsed(filter);
  if (node === undefined) return filter;
  const condition = conditionOf(field, value, mode);
  const conjuncts = conjunctsOf(node);
  const key = meaningOf(condition);
  const others = conjuncts.filter((conjunct) => meaningOf(conjunct) !== key);
  if (others.length < conjuncts.length) return print(others, filter);
  const opposite = meaningOf({ kind: "not", node: condition });
  const rest = conjuncts.filter((conjunct) => meaningOf(conjunct) !== opposite);
  if (rest.length < conjuncts.length) return print([...rest, condition], filter);
  return append(filter, node, condition);
}

/** Whether every entry must pass the condition, so that `addCondition` would take it out. */
export function hasCondition(filter: string, field: string, value: string, mode: ConditionMode): boolean {
  const node = parsed(filter);
  if (node === undefined) return false;
  const key = meaningOf(conditionOf(field, value, mode));
  return conjunctsOf(node).some((conjunct) => meaningOf(conjunct) === key);
}

/**
 * Chooses a value beside those that are chosen of its field, or takes it back:
 * `service:=a` becomes `service:in(a, b)`. For lists of values to tick.
 */
export function toggleChoice(filter: string, field: string, value: string): string {
  const node = parsed(filter);
  if (node === undefined) return filter;
  const isSame = (text: string): boolean => textKey(field, text) === textKey(field, value);
  const conjuncts = conjunctsOf(node).flatMap((conjunct): FilterNode[] => {
    const excluded = exclusionOf(conjunct);
    if (excluded?.field !== field || !excluded.texts.some(isSame)) return [conjunct];
    const texts = excluded.texts.filter((text) => !isSame(text));
    return texts.length === 0 ? [] : [simplify({ kind: "not", node: choiceNode(field, texts) })];
  });
  const choices = conjuncts.map(choiceOf);
  const at = choices.findIndex((choice) => choice?.field === field);
  if (at < 0) return addCondition(print(conjuncts, filter), field, value, "include");
  const chosen = choices.some((choice) => choice?.field === field && choice.texts.some(isSame));
  const toggled = conjuncts.flatMap((conjunct, index) => {
    const choice = choices[index];
    if (choice?.field !== field || (!chosen && index !== at)) return [conjunct];
    const texts = chosen ? choice.texts.filter((text) => !isSame(text)) : [...choice.texts, value];
    return texts.length === 0 ? [] : [choiceNode(field, texts)];
  });
  return print(toggled, filter);
}

/** How the filter takes a value of a field. */
export function standingOf(filter: string, field: string, value: string): ValueStanding {
  const node = parsed(filter);
  if (node === undefined) return "open";
  const key = textKey(field, value);
  const holds = (choice: Choice | undefined): boolean =>
    choice?.field === field && choice.texts.some((text) => textKey(field, text) === key);
  const conjuncts = conjunctsOf(node);
  if (conjuncts.some((conjunct) => holds(choiceOf(conjunct)))) return "chosen";
  return conjuncts.some((conjunct) => holds(exclusionOf(conjunct))) ? "excluded" : "open";
}

/** The values of a field that are chosen or left out, as they are stored. */
export function namedValues(filter: string, field: string): string[] {
  const node = parsed(filter);
  if (node === undefined) return [];
  const texts = conjunctsOf(node).flatMap((conjunct) => {
    const choice = choiceOf(conjunct) ?? exclusionOf(conjunct);
    return choice?.field === field ? choice.texts : [];
  });
  return [...new Set(field === "level" ? texts.map(normalizeLevel) : texts)].filter((text) => text !== "");
}

/** The filter without what is chosen and left out of a field: what its list of values is counted under. */
export function withoutChoices(filter: string, field: string): string {
  const node = parsed(filter);
  if (node === undefined) return filter;
  const conjuncts = conjunctsOf(node);
  const others = conjuncts.filter(
    (conjunct) => (choiceOf(conjunct) ?? exclusionOf(conjunct))?.field !== field,
  );
  return others.length === conjuncts.length ? filter : print(others, filter);
}

function parsed(filter: string): FilterNode | undefined {
  try {
    return parseFilter(filter);
  } catch {
    // Not a filter, or over a limit: the callers leave the text alone.
    return undefined;
  }
}

function conditionOf(field: string, value: string, mode: ConditionMode): FilterNode {
  if (mode === "exists") return { kind: "field", field, match: { kind: "present" } };
  if (mode === "include") return choiceNode(field, [value]);
  if (value === "") return { kind: "field", field, match: { kind: "present" } };
  return { kind: "not", node: choiceNode(field, [value]) };
}

function choiceNode(field: string, values: readonly string[]): FilterNode {
  const texts = field === "level" ? values.map(levelWord) : values;
  const [first] = texts;
  return {
    kind: "field",
    field,
    match: texts.length === 1 ? only(field, first ?? "") : { kind: "in", texts },
  };
}

/** `level:error` reads better than `level:=ERROR`, and means the same. */
function only(field: string, text: string): FieldMatch {
  if (text === "") return { kind: "absent" };
  return { kind: field === "level" && severityOf(text) > 0 ? "phrase" : "exact", text };
}

function levelWord(level: string): string {
  const severity = severityOf(level);
  return levelNames.find((name) => severities[name] === severity)?.toLowerCase() ?? level;
}

/** What every entry must pass, each in its simplest form. */
function conjunctsOf(node: FilterNode): readonly FilterNode[] {
  if (node.kind === "all") return [];
  if (node.kind === "and") return node.nodes.flatMap(conjunctsOf);
  const simple = simplify(node);
  return simple.kind === "not" || simple.kind === "field" || simple.kind === "or"
    ? [simple]
    : conjunctsOf(simple);
}

/** Without negations that can be said in another way. */
function simplify(node: FilterNode): FilterNode {
  if (node.kind !== "not") return node;
  const inner = simplify(node.node);
  if (inner.kind === "not") return inner.node;
  if (inner.kind !== "field") return { kind: "not", node: inner };
  const { field, match } = inner;
  if (match.kind === "present") return { kind: "field", field, match: { kind: "absent" } };
  if (match.kind === "absent") return { kind: "field", field, match: { kind: "present" } };
  return { kind: "not", node: inner };
}

/** Values of one field. */
interface Choice {
  readonly field: string;
  readonly texts: readonly string[];
}

/** The values of one field that a condition leaves out, where that is all it does. */
function exclusionOf(node: FilterNode): Choice | undefined {
  if (node.kind === "not") return choiceOf(node.node);
  const present = node.kind === "field" && node.match.kind === "present";
  return present ? { field: node.field, texts: [""] } : undefined;
}

/** The values of one field that a condition lets pass, where that is all it does. */
function choiceOf(node: FilterNode): Choice | undefined {
  if (node.kind === "or") {
    const choices = node.nodes.map(choiceOf);
    const [first] = choices;
    if (first === undefined || choices.some((choice) => choice?.field !== first.field)) return undefined;
    return { field: first.field, texts: choices.flatMap((choice) => choice?.texts ?? []) };
  }
  if (node.kind !== "field") return undefined;
  const { field, match } = node;
  switch (match.kind) {
    case "exact":
      return { field, texts: [match.text] };
    case "in":
      return { field, texts: match.texts };
    case "absent":
      return { field, texts: [""] };
    case "phrase":
      // A word in a level is the whole level; elsewhere it may stand among others.
      return field === "level" && severityOf(match.text) > 0 ? { field, texts: [match.text] } : undefined;
    case "prefix":
    case "present":
    case "compare":
    case "regexp":
      return undefined;
  }
}

/** Equal for conditions that pass the same entries, as far as clicks can make such. */
function meaningOf(node: FilterNode): string {
  const simple = simplify(node);
  if (simple.kind === "not") return `not ${meaningOf(simple.node)}`;
  const choice = choiceOf(simple);
  return choice === undefined ? formatFilter(simple) : choiceKey(choice.field, choice.texts);
}

/** No filter's text begins so. */
function choiceKey(field: string, texts: readonly string[]): string {
  return `) ${JSON.stringify([field, ...texts.map((text) => textKey(field, text)).toSorted()])}`;
}

function textKey(field: string, text: string): string {
  return field === "level" ? levelWord(text) : text;
}

/** The text as it was, and the condition after it. */
function append(filter: string, node: FilterNode, condition: FilterNode): string {
  const conjuncts = [...conjunctsOf(node), condition];
  if (node.kind === "all") return print(conjuncts, filter);
  const before = node.kind === "or" ? `(${filter.trim()})` : filter.trim();
  const text = `${before} ${formatFilter(condition)}`;
  const appended = parsed(text);
  const expected = formatFilter({ kind: "and", nodes: conjuncts });
  return appended !== undefined && formatFilter(appended) === expected ? text : print(conjuncts, filter);
}

/** The conditions as text, or the filter as it was where they would not be one. */
function print(conjuncts: readonly FilterNode[], filter: string): string {
  const [first] = conjuncts;
  if (first === undefined) return "";
  const text = formatFilter(conjuncts.length === 1 ? first : { kind: "and", nodes: conjuncts });
  return parsed(text) === undefined ? filter : text;
}
