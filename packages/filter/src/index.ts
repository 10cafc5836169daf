export { durationOf } from "./comparable.ts";
export { type FilterToken, type FilterTokenKind, tokenizeFilter } from "./filter-lexer.ts";
export type { CompareOperator, FieldMatch, FilterNode } from "./filter-node.ts";
export { parseFilter } from "./filter-parser.ts";
export { compileFilter, type FilterableEntry, type FilterPredicate } from "./filter-predicate.ts";
export { formatFilter } from "./filter-printer.ts";
export { FilterSyntaxError } from "./filter-syntax-error.ts";
