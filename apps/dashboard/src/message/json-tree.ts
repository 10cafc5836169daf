/**
 * JSON in a message, as a tree to be shown. Not `JSON.parse`, because a viewer
 * must show what was written: numbers with all their digits (64-bit ids),
 * members in their order and repeated ones too. And it reads JSON that other
 * text follows.
 */

/** A value. Texts of numbers are as they were written; strings are decoded. */
export type JsonNode =
  | { readonly kind: "object"; readonly members: readonly JsonMember[] }
  | { readonly kind: "array"; readonly items: readonly JsonNode[] }
  | { readonly kind: "string" | "number" | "literal"; readonly text: string };

/** One member of an object. */
export interface JsonMember {
  readonly name: string;
  readonly value: JsonNode;
}

/** A value, and where the text goes on after it. */
export interface ParsedJson {
  readonly node: JsonNode;
  readonly end: number;
}

/** Deeper nesting is shown as text: nobody can read it, and it must not exhaust the stack. */
export const jsonDepthMax = 64;

/** The object or array that begins at `start`; undefined when none does. Linear in its length. */
export function parseJsonAt(text: string, start: number): ParsedJson | undefined {
  const character = text[start];
  if (character !== "{" && character !== "[") return undefined;
  return parseValue(text, start, 0);
}

const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const literalPattern = /true|false|null/y;
const spacePattern = /[ \t\r\n]*/y;
// Everything up to a quote, a backslash or a control character, or one escape.
const stringPattern = /"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/uy;

function parseValue(text: string, at: number, depth: number): ParsedJson | undefined {
  const character = text[at];
  if (character === '"') return parseString(text, at);
  if (character === "{") return depth < jsonDepthMax ? parseObject(text, at, depth) : undefined;
  if (character === "[") return depth < jsonDepthMax ? parseArray(text, at, depth) : undefined;
  return parseToken(text, at, numberPattern, "number") ?? parseToken(text, at, literalPattern, "literal");
}

function parseObject(text: string, start: number, depth: number): ParsedJson | undefined {
  const members: JsonMember[] = [];
  let at = skipSpace(text, start + 1);
  if (text[at] === "}") return { node: { kind: "object", members }, end: at + 1 };
  for (;;) {
    const name = parseString(text, at);
    if (name === undefined) return undefined;
    at = skipSpace(text, name.end);
    if (text[at] !== ":") return undefined;
    const value = parseValue(text, skipSpace(text, at + 1), depth + 1);
    if (value === undefined) return undefined;
    members.push({ name: name.node.text, value: value.node });
    at = skipSpace(text, value.end);
    if (text[at] === "}") return { node: { kind: "object", members }, end: at + 1 };
    if (text[at] !== ",") return undefined;
    at = skipSpace(text, at + 1);
  }
}

function parseArray(text: string, start: number, depth: number): ParsedJson | undefined {
  const items: JsonNode[] = [];
  let at = skipSpace(text, start + 1);
  if (text[at] === "]") return { node: { kind: "array", items }, end: at + 1 };
  for (;;) {
    const value = parseValue(text, at, depth + 1);
    if (value === undefined) return undefined;
    items.push(value.node);
    at = skipSpace(text, value.end);
    if (text[at] === "]") return { node: { kind: "array", items }, end: at + 1 };
    if (text[at] !== ",") return undefined;
    at = skipSpace(text, at + 1);
  }
}

/** A string's node always has a text. */
function parseString(
  text: string,
  at: number,
): { node: { kind: "string"; text: string }; end: number } | undefined {
  stringPattern.lastIndex = at;
  const source = stringPattern.exec(text)?.[0];
  if (source === undefined) return undefined;
  const decoded: unknown = source.includes("\\") ? JSON.parse(source) : source.slice(1, -1);
  return { node: { kind: "string", text: String(decoded) }, end: at + source.length };
}

function parseToken(
  text: string,
  at: number,
  pattern: RegExp,
  kind: "number" | "literal",
): ParsedJson | undefined {
  pattern.lastIndex = at;
  const source = pattern.exec(text)?.[0];
  return source === undefined ? undefined : { node: { kind, text: source }, end: at + source.length };
}

function skipSpace(text: string, at: number): number {
  spacePattern.lastIndex = at;
  return at + (spacePattern.exec(text)?.[0].length ?? 0);
}

/** How many members or items a node has; 0 for a plain value. */
export function jsonSize(node: JsonNode): number {
  if (node.kind === "object") return node.members.length;
  return node.kind === "array" ? node.items.length : 0;
}

/** A node on one line, cut off after about `lengthMax` characters: what a folded part shows. */
export function jsonSummary(node: JsonNode, lengthMax: number): string {
  switch (node.kind) {
    case "string":
      return JSON.stringify(node.text.length > lengthMax ? `${node.text.slice(0, lengthMax)}…` : node.text);
    case "object":
      return summaryOf(
        node.members.map(
          ({ name, value }) =>
            () =>
              `${name}: ${jsonSummary(value, 20)}`,
        ),
        "{}",
        lengthMax,
      );
    case "array":
      return summaryOf(
        node.items.map((item) => () => jsonSummary(item, 20)),
        "[]",
        lengthMax,
      );
    case "number":
    case "literal":
      return node.text;
    default:
      return node satisfies never;
  }
}

function summaryOf(parts: readonly (() => string)[], brackets: string, lengthMax: number): string {
  let inside = "";
  for (const part of parts) {
    if (inside.length >= lengthMax) return `${brackets[0]}${inside}, …${brackets[1]}`;
    inside += (inside === "" ? "" : ", ") + part();
  }
  return `${brackets[0]}${inside}${brackets[1]}`;
}

/** The text again, indented by two spaces: for the clipboard. */
export function formatJson(node: JsonNode, indent = ""): string {
  const inner = `${indent}  `;
  switch (node.kind) {
    case "object":
      if (node.members.length === 0) return "{}";
      return `{\n${node.members
        .map(({ name, value }) => `${inner}${JSON.stringify(name)}: ${formatJson(value, inner)}`)
        .join(",\n")}\n${indent}}`;
    case "array":
      if (node.items.length === 0) return "[]";
      return `[\n${node.items.map((item) => inner + formatJson(item, inner)).join(",\n")}\n${indent}]`;
    case "string":
      return JSON.stringify(node.text);
    case "number":
    case "literal":
      return node.text;
    default:
      return node satisfies never;
  }
}
