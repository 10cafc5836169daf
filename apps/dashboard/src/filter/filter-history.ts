/**
 * The filters that were used last, newest first, kept in the browser where it
 * lets us; in private windows and where storage is off or full, only as long
 * as the page.
 */

const storageKey = "logsvc.filters";
const filtersMax = 50;

/** Remembers filters. */
export class FilterHistory {
  readonly #storage: () => Storage;
  #filters: readonly string[] | undefined;

  /** `storage` may throw, as `localStorage` does where it is off. */
  constructor(storage: () => Storage = () => localStorage) {
    this.#storage = storage;
  }

  /** The last 50, newest first. */
  get filters(): readonly string[] {
    this.#filters ??= this.#read();
    return this.#filters;
  }

  /** Puts a filter first. */
  add(filter: string): void {
    const trimmed = filter.trim();
    if (trimmed === "" || trimmed === this.filters[0]) return;
    // What other tabs added meanwhile is kept.
    const before = new Set([...this.#read(), ...this.filters]);
    before.delete(trimmed);
    this.#filters = [trimmed, ...before].slice(0, filtersMax);
    try {
      this.#storage().setItem(storageKey, JSON.stringify(this.#filters));
    } catch {
      // Not kept beyond this page: the reader's browser decides that.
    }
  }

  #read(): string[] {
    try {
      const stored: unknown = JSON.parse(this.#storage().getItem(storageKey) ?? "[]");
      if (!Array.isArray(stored)) return [];
      return stored.filter((filter): filter is string => typeof filter === "string").slice(0, filtersMax);
    } catch {
      // No storage, or not ours in it: begin anew.
      return [];
    }
  }
}

/** The page's. */
export const filterHistory: FilterHistory = new FilterHistory();
