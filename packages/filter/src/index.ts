export { durationOf } from "./comparable.ts";
export { type FilterToken, type FilterTokenKind, tokenizeFilter } from "./filter-lexer.ts";
export { type FilterNeeds, filterNeeds } from "./filter-needs.ts";
export type { CompareOperator, FieldMatch, FilterNode } from "./filter-node.ts";
export { parseFilter } from "./filter-parser.ts";
export {
  type ConditionCost,
  cheapFirst,
  compileFilter,
  compileText,
  type FilterableEntry,
  type FilterPredicate,
  type TextPredicate,
} from "./filter-predicate.ts";
export { formatFilter } from "./filter-printer.ts";
export { FilterSyntaxError } from "./filter-syntax-error.ts";
export {
  compileSearch,
  type ReadableBytes,
  type TextColumn,
  TextReader,
  type TextSearch,
} from "./text-search.ts";
