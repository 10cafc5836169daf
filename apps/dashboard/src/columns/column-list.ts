/** Which columns there are to choose from, and changing the choice. */

/** A column that can be chosen. */
export interface ColumnChoice {
  readonly name: string;
  readonly chosen: boolean;
  /** Entries that have it, as far as is known. */
  readonly count: number | undefined;
}

/** Fields that have their place in every row: they are no columns. */
const ownPlaces: ReadonlySet<string> = new Set(["timestamp", "message"]);

/** The chosen columns in their order, then the others, most frequent first; those whose name holds `search`. */
export function columnChoices(
  chosen: readonly string[],
  names: readonly { readonly value: string; readonly count: bigint }[],
  search: string,
): readonly ColumnChoice[] {
  const counts = new Map(names.map(({ value, count }) => [value, Number(count)]));
  const others = names
    .map(({ value }) => value)
    .filter((name) => !ownPlaces.has(name) && !chosen.includes(name));
  const wanted = search.trim().toLowerCase();
  return [...chosen, ...others]
    .filter((name) => name.toLowerCase().includes(wanted))
    .map((name) => ({ name, chosen: chosen.includes(name), count: counts.get(name) }));
}

/** The columns with one more at the end, or without it. */
export function toggleColumn(columns: readonly string[], name: string): readonly string[] {
  return columns.includes(name) ? columns.filter((column) => column !== name) : [...columns, name];
}

/** The columns with one moved to the left (-1) or to the right (1). */
export function moveColumn(columns: readonly string[], name: string, step: -1 | 1): readonly string[] {
  const from = columns.indexOf(name);
  const to = from + step;
  if (from === -1 || to < 0 || to >= columns.length) return columns;
  return columns.toSpliced(from, 1).toSpliced(to, 0, name);
}
