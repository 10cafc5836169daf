/**
 * Prints a filter's tree as text that reads back as the same tree, with as few
 * parentheses and quotes as that takes.
 */
import type { FieldMatch, FilterNode } from "./filter-node.ts";

/** A filter as text: `parseFilter` reads the same tree from it. */
export function formatFilter(node: FilterNode): string {
  switch (node.kind) {
    case "all":
      return "*";
    case "not":
      return `-${formatOperand(node.node)}`;
    case "and":
      // Without any nodes it is every entry; `or` without any is none.
      if (node.nodes.length === 0) return "*";
      return node.nodes
        .map((child) => (child.kind === "or" ? formatOperand(child) : formatFilter(child)))
        .join(" ");
    case "or":
      return node.nodes.length === 0 ? "-*" : node.nodes.map(formatFilter).join(" OR ");
    case "field":
      return formatCondition(node.field, node.match);
  }
}

function formatOperand(node: FilterNode): string {
  const text = formatFilter(node);
  return (node.kind === "and" || node.kind === "or") && node.nodes.length > 1 ? `(${text})` : text;
}

function formatCondition(field: string, match: FieldMatch): string {
  // `*` alone is every entry, so that only `message:*` says that there is a message.
  const named = field !== "message" || match.kind === "present";
  return `${named ? `${formatName(field)}:` : ""}${formatMatch(match, named)}`;
}

function formatMatch(match: FieldMatch, named: boolean): string {
  switch (match.kind) {
    case "phrase":
      return formatText(match.text, named ? plainMatch : plainTerm);
    case "prefix":
      return `${formatText(match.text, named ? plainMatch : plainTerm)}*`;
    case "exact":
      return `=${formatText(match.text, plainOperand)}`;
    case "in":
      return `in(${match.texts.map((text) => formatText(text, plainListed)).join(", ")})`;
    case "present":
      return "*";
    case "absent":
      return '""';
    case "compare":
      return `${match.operator}${formatText(match.text, plainOperand)}`;
    case "regexp":
      return `~${quote(match.pattern)}`;
  }
}

/** What may stand without quotes, place by place, as the lexer reads it. */
const plainTerm = /^(?!(?:and|or|not|in)$)[^\s()*"'`:!=~<>|-][^\s()*":]*$/i;
const plainMatch = /^(?!in$)[^\s()*"'`!=~<>][^\s()*"]*$/i;
const plainOperand = /^[^\s()*"'`][^\s()*"]*$/;
const plainListed = /^[^\s()*"'`,][^\s()*",]*$/;
const plainName = /^[^\s()*"'`:!=~<>|-][^\s()*":]*$/;

function formatName(field: string): string {
  return formatText(field, plainName);
}

function formatText(text: string, plain: RegExp): string {
  return plain.test(text) ? text : quote(text);
}

/** Doubles a backslash only where it would take the next character with it: `"5\d\d"` stays as it is. */
function quote(text: string): string {
  return `"${text.replace(/\\(?=[\\"]|$)|"/g, (character) => `\\${character}`)}"`;
}
