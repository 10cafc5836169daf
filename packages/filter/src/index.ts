export type { CompareOperator, FieldMatch, FilterNode } from "./filter-node.ts";
