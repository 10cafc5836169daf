/**
 * A filter's text as pieces to colour, with the fault in it, and as it is
 * understood where that may surprise.
 */
import {
  type FilterNode,
  FilterSyntaxError,
  type FilterTokenKind,
  formatFilter,
  parseFilter,
  tokenizeFilter,
} from "@logsvc/filter";

/** A piece of the text; the pieces of a text lie side by side and cover it. */
export interface FilterPiece {
  readonly text: string;
  readonly kind: FilterTokenKind | "negation";
  readonly start: number;
  /** Whether the fault is in it. */
  readonly faulty: boolean;
}

/** What is wrong with a text, and where. */
export interface FilterFault {
  readonly start: number;
  readonly end: number;
  readonly reason: string;
}

/** The fault that keeps a text from being a filter; undefined when it is one. */
export function faultOf(text: string): FilterFault | undefined {
  try {
    parseFilter(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof FilterSyntaxError)) throw error;
    return { start: error.start, end: error.end, reason: error.reason };
  }
}

/** Cuts a text into pieces. A fault has pieces of its own, unless nothing stands where it is. */
export function highlightFilter(text: string, fault?: FilterFault): FilterPiece[] {
  const cuts = fault === undefined ? [] : [fault.start, fault.end];
  return tokenizeFilter(text).flatMap((token) => {
    const kind = isNegation(text.slice(token.start, token.end), token.kind) ? "negation" : token.kind;
    const edges = [token.start, ...cuts.filter((cut) => cut > token.start && cut < token.end), token.end];
    return edges.slice(0, -1).map((start, index) => ({
      text: text.slice(start, edges[index + 1]),
      kind,
      start,
      faulty: fault !== undefined && start >= fault.start && start < fault.end,
    }));
  });
}

function isNegation(text: string, kind: FilterTokenKind): boolean {
  return (kind === "operator" && /^[-!]/.test(text)) || (kind === "keyword" && /^not$/i.test(text));
}

/**
 * The filter with every group in parentheses, where it mixes AND and OR, or
 * NOT and OR, without saying which comes first; undefined where nobody can be
 * surprised.
 */
export function groupingOf(text: string): string | undefined {
  if (faultOf(text) !== undefined) return undefined;
  const node = parseFilter(text);
  if (!mixes(node)) return undefined;
  const grouped = printGrouped(node);
  return skeletonOf(grouped) === skeletonOf(text) ? undefined : grouped;
}

function mixes(node: FilterNode): boolean {
  if (node.kind === "not") return mixes(node.node);
  if (node.kind !== "and" && node.kind !== "or") return false;
  const mixed =
    node.kind === "or" && node.nodes.some((child) => child.kind === "and" || child.kind === "not");
  return mixed || node.nodes.some(mixes);
}

function printGrouped(node: FilterNode): string {
  if (node.kind === "not") return `NOT ${printOperand(node.node)}`;
  if (node.kind !== "and" && node.kind !== "or") return formatFilter(node);
  return node.nodes.map(printOperand).join(node.kind === "and" ? " AND " : " OR ");
}

function printOperand(node: FilterNode): string {
  const text = printGrouped(node);
  return node.kind === "and" || node.kind === "or" || node.kind === "not" ? `(${text})` : text;
}

/** Where the parentheses and the ORs stand among the conditions. */
function skeletonOf(text: string): string {
  return tokenizeFilter(text)
    .map((token) => {
      const part = text.slice(token.start, token.end).toLowerCase();
      if (token.kind === "paren") return part;
      if (token.kind === "keyword") return part === "and" ? "" : part === "not" ? "-" : "|";
      if (isNegation(part, token.kind)) return part === "-" || part === "!" ? "-" : ".";
      return token.kind === "word" || token.kind === "phrase" || token.kind === "regexp" ? "." : "";
    })
    .join("");
}
