/** Counts different values, up to the limits on how many and how long. */
import { limits } from "@logsvc/proto";

/** A value and how often it came. */
export interface CountedValue {
  readonly value: string;
  readonly count: number;
}

/** Counts by value. What comes first is counted; beyond the limits new values are not. */
export class ValueCounter {
  readonly #counts = new Map<string, number>();
  #bytes = 0;
  #truncated = false;

  /** How many different values are counted. */
  get distinct(): number {
    return this.#counts.size;
  }

  /** True: there were more values than are counted. */
  get truncated(): boolean {
    return this.#truncated;
  }

  /** Counts a value; false when there is no room for it. */
  add(value: string, count = 1): boolean {
    const known = this.#counts.get(value);
    if (known === undefined && !this.#hasRoom(value)) return false;
    this.#counts.set(value, (known ?? 0) + count);
    return true;
  }

  /** The most frequent values; of equally frequent ones the lesser first. */
  top(max: number): CountedValue[] {
    return Array.from(this.#counts, ([value, count]) => ({ value, count }))
      .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
      .slice(0, max);
  }

  #hasRoom(value: string): boolean {
    const { distinctValuesMax, distinctValuesBytesMax } = limits;
    const bytes = this.#bytes + value.length * 2;
    if (this.#counts.size >= distinctValuesMax || bytes > distinctValuesBytesMax) {
      this.#truncated = true;
      return false;
    }
    this.#bytes = bytes;
    return true;
  }
}
