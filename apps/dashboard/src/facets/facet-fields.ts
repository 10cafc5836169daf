/** Which facets there are, in which order, and what a facet's list shows. */
import type { ListValuesResponse } from "@logsvc/client-web";
import { namedValues, standingOf, type ValueStanding } from "../filter/filter-edit.ts";

/** A field with a facet of its own. */
export interface FacetField {
  readonly name: string;
  /** Entries that have it; undefined: not known. */
  readonly count: number | undefined;
}

/** Always there, and first. */
const firstFields = ["level", "service"];

/** Of a message every value is another one. */
const withoutFacet = new Set(["message"]);

/** So different that their values are seldom asked for. */
const lastFields = ["trace_id", "span_id"];

/** Fields in the order of their facets: level and service, attributes by frequency, ids. */
export function facetFields(
  names: readonly { readonly value: string; readonly count: bigint }[],
): FacetField[] {
  const counts = new Map(names.map(({ value, count }) => [value, Number(count)]));
  const own = new Set([...firstFields, ...lastFields, ...withoutFacet]);
  const attributes = names.map(({ value }) => value).filter((name) => !own.has(name));
  const last = lastFields.filter((name) => counts.has(name));
  return [...firstFields, ...attributes, ...last].map((name) => ({ name, count: counts.get(name) }));
}

/** A line of a facet's list. */
export interface FacetValue {
  readonly value: string;
  /** Undefined: not among those that were listed. */
  readonly count: number | undefined;
  /** Of the most frequent one's count, from 0 to 1. */
  readonly share: number;
  readonly standing: ValueStanding;
}

/** The lines: as they were listed, each with how the filter takes it; and what the filter names beside them, to take it back. */
export function facetValues(
  field: string,
  listed: readonly { readonly value: string; readonly count: bigint }[],
  filter: string,
): FacetValue[] {
  const counts = new Map(listed.map(({ value, count }) => [value, Number(count)]));
  const most = Math.max(1, ...counts.values());
  const others = namedValues(filter, field).filter((value) => !counts.has(value));
  return [...counts.keys(), ...others].map((value) => {
    const count = counts.get(value);
    return { value, count, share: (count ?? 0) / most, standing: standingOf(filter, field, value) };
  });
}

/** How many values there are beyond those that are listed; in words, empty when none are. */
export function restText({
  values,
  distinct,
  truncated,
}: Pick<ListValuesResponse, "distinct" | "truncated"> & { readonly values: readonly unknown[] }): string {
  const rest = Number(distinct) - values.length;
  if (rest <= 0) return "";
  return truncated ? `more than ${rest.toLocaleString("en")} more` : `${rest.toLocaleString("en")} more`;
}

/** The columns with this one, or without it when it is among them. */
export function toggleColumn(columns: readonly string[], name: string): readonly string[] {
  return columns.includes(name) ? columns.filter((column) => column !== name) : [...columns, name];
}
