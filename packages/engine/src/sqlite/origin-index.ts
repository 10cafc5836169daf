/** The services of a block's entries: a list of the different ones, and an index into it for each entry. */
import { randomInt } from "node:crypto";
import { type ByteRange, equalBytes } from "./entry-wire.ts";
import type { EncodedOrigins, OriginIndexes } from "./packed-layout.ts";

const hashPrime = 0x01000193;

/** Nobody outside can know it, and so choose names that all have one hash: each would be compared with all before it. */
const hashSeed = randomInt(2 ** 32);

/** Finds which of the services so far an entry has, entry by entry. */
export class OriginIndex implements EncodedOrigins {
  /** The different services, in order of appearance. */
  readonly names: Uint8Array[] = [];
  /** One an entry. */
  readonly indexes: OriginIndexes;
  /** Indexes of the names by their hash, or by one of the next when that is another name's. */
  readonly #byHash = new Map<number, number>();
  #last = -1;

  /** @param count Of entries. */
  constructor(count: number) {
    this.indexes = new Uint32Array(count);
  }

  /** Notes the service of entry `index`, which is at `range` of `bytes`. */
  add(index: number, bytes: Uint8Array, range: ByteRange): void {
    const last = this.names[this.#last];
    // Many entries have the service of the one before.
    if (last === undefined || !equalBytes(bytes, range, last)) this.#last = this.#find(bytes, range);
    this.indexes[index] = this.#last;
  }

  #find(bytes: Uint8Array, range: ByteRange): number {
    let hash = hashSeed | 0;
    for (let at = range.from; at < range.to; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), hashPrime);
    for (;;) {
      const found = this.#byHash.get(hash);
      const name = found === undefined ? undefined : this.names[found];
      if (found === undefined || name === undefined) break;
      if (equalBytes(bytes, range, name)) return found;
      hash = (hash + 1) | 0;
    }
    const added = this.names.push(bytes.slice(range.from, range.to)) - 1;
    this.#byHash.set(hash, added);
    return added;
  }
}
