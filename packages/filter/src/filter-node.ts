/**
 * A filter as a tree: plain objects, so that one may be sent to another thread
 * or kept as JSON. `parseFilter` makes one, `formatFilter` prints it,
 * `compileFilter` turns it into a predicate.
 */

/** A filter. */
export type FilterNode =
  /** Every entry. */
  | { readonly kind: "all" }
  | { readonly kind: "and"; readonly nodes: readonly FilterNode[] }
  | { readonly kind: "or"; readonly nodes: readonly FilterNode[] }
  | { readonly kind: "not"; readonly node: FilterNode }
  /** A condition on one field. */
  | { readonly kind: "field"; readonly field: string; readonly match: FieldMatch };

/** A condition on a field's text. A field that an entry does not have is the empty text. */
export type FieldMatch =
  /** Holds the word or phrase, at word boundaries, without regard to case. */
  | { readonly kind: "phrase"; readonly text: string }
  /** Holds the word or phrase, or one that begins so. */
  | { readonly kind: "prefix"; readonly text: string }
  /** Is this text exactly. */
  | { readonly kind: "exact"; readonly text: string }
  /** Is one of these texts exactly. */
  | { readonly kind: "in"; readonly texts: readonly string[] }
  /** Is not empty. */
  | { readonly kind: "present" }
  /** Is empty. */
  | { readonly kind: "absent" }
  /** Lies so to a value: severities for `level`, else numbers, durations or sizes where both are such. */
  | { readonly kind: "compare"; readonly operator: CompareOperator; readonly text: string }
  /** The regular expression matches somewhere. */
  | { readonly kind: "regexp"; readonly pattern: string };

/** How a value lies to another. */
export type CompareOperator = ">" | ">=" | "<" | "<=";
