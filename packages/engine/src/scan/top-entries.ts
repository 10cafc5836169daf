/**
 * The best entries of a search, in the search's order, whatever order they are
 * found in: a heap with the worst kept entry on top, bounded in entries and in
 * bytes.
 */
import type { FoundEntry } from "./entry-chunk.ts";

/** A place in the order of a search. */
export interface Place {
  readonly timestamp: bigint;
  readonly offset: number;
}

/** Whether place `a` comes before place `b`. */
export type Comes = (a: Place, b: Place) => boolean;

/** The two orders of a search: by timestamp, then by offset. */
export const orders: Readonly<Record<"newest" | "oldest", Comes>> = {
  newest: (a, b) => (a.timestamp === b.timestamp ? a.offset > b.offset : a.timestamp > b.timestamp),
  oldest: (a, b) => (a.timestamp === b.timestamp ? a.offset < b.offset : a.timestamp < b.timestamp),
};

/** Keeps the entries that come first. */
export class TopEntries {
  readonly #before: Comes;
  #room: number;
  #bytesLeft: number;
  /** The entry that comes last is at 0; none comes after its parent. */
  #heap: FoundEntry[] = [];
  #bytes = 0;
  /** An entry that had to go: none that comes after it is kept any more. */
  #cut: Place | undefined;

  /** @param limits Entries and bytes at the most; one entry is kept whatever its size. */
  constructor(before: Comes, limits: { readonly entries: number; readonly bytes: number }) {
    this.#before = before;
    this.#room = limits.entries;
    this.#bytesLeft = limits.bytes;
  }

  /** Bytes of the entries that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** True: there were entries that are not kept. */
  get cut(): boolean {
    return this.#cut !== undefined;
  }

  /** True: there are places that are not admitted. */
  get isFull(): boolean {
    return this.#cut !== undefined || this.#heap.length >= this.#room;
  }

  /** Whether an entry at this place would be kept. */
  admits(place: Place): boolean {
    if (this.#cut !== undefined && !this.#before(place, this.#cut)) return false;
    const worst = this.#heap[0];
    return this.#heap.length < this.#room || (worst !== undefined && this.#before(place, worst));
  }

  /** Keeps an entry that is admitted; another one may have to go. */
  add(entry: FoundEntry): void {
    this.#heap.push(entry);
    this.#bytes += entry.bytes.length;
    this.#rise(this.#heap.length - 1);
    while (this.#heap.length > this.#room || (this.#bytes > this.#bytesLeft && this.#heap.length > 1)) {
      this.#cut = this.#removeWorst();
    }
  }

  /** Takes out the entries that come before a place, in order; without a place, all. */
  take(place?: Place): FoundEntry[] {
    const taken = this.#heap.filter((entry) => place === undefined || this.#before(entry, place));
    if (taken.length === 0) return taken;
    this.#heap = this.#heap.filter((entry) => place !== undefined && !this.#before(entry, place));
    // Sorted from the last to the first is a heap.
    this.#heap.sort((a, b) => (this.#before(a, b) ? 1 : -1));
    for (const { bytes } of taken) {
      this.#bytes -= bytes.length;
      this.#bytesLeft -= bytes.length;
    }
    // An entry that is larger than what is left is kept alone, and is the last one.
    this.#room = this.#bytesLeft > 0 ? this.#room - taken.length : 0;
    return taken.sort((a, b) => (this.#before(a, b) ? -1 : 1));
  }

  #rise(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!this.#inverted(parent, at)) return;
      this.#swap(parent, at);
      at = parent;
    }
  }

  #removeWorst(): FoundEntry | undefined {
    const worst = this.#heap[0];
    const last = this.#heap.pop();
    if (worst === undefined || last === undefined) return undefined;
    this.#bytes -= worst.bytes.length;
    if (this.#heap.length === 0) return worst;
    this.#heap[0] = last;
    this.#sink();
    return worst;
  }

  #sink(): void {
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= this.#heap.length) return;
      if (child + 1 < this.#heap.length && this.#inverted(child, child + 1)) child++;
      if (!this.#inverted(at, child)) return;
      this.#swap(at, child);
      at = child;
    }
  }

  /** Whether the entry at `upper` comes before the one at `lower`, which must be above it. */
  #inverted(upper: number, lower: number): boolean {
    const [above, below] = [this.#heap[upper], this.#heap[lower]];
    return above !== undefined && below !== undefined && this.#before(above, below);
  }

  #swap(a: number, b: number): void {
    const [left, right] = [this.#heap[a], this.#heap[b]];
    if (left === undefined || right === undefined) return;
    this.#heap[a] = right;
    this.#heap[b] = left;
  }
}
