/**
 * Ids, cursors and page tokens: the only forms in which offsets are seen
 * outside. All begin with the log's identity, so that those of another log are
 * refused rather than misread.
 *
 *   id          k3v9q2xa-1042                       the entry with offset 1042
 *   cursor      k3v9q2xa.1042                       just after that entry; .0 is the beginning
 *   page token  k3v9q2xa.n.1732262400000000000.1042 newest first (o: oldest first), after
 *                                                   the entry of this timestamp and offset
 */
import { EngineError } from "../engine-error.ts";

/** Where a page of a query ended. */
export interface PagePosition {
  readonly timestamp: bigint;
  readonly offset: number;
}

/** Writes and reads the positions of one log. */
export class Positions {
  readonly #identity: string;
  /** What all ids begin with, in ASCII. */
  readonly #idPrefix: Uint8Array;

  constructor(identity: string) {
    this.#identity = identity;
    this.#idPrefix = Buffer.from(`${identity}-`, "latin1");
  }

  /** The id of the entry with this offset. */
  id(offset: number): string {
    return `${this.#identity}-${offset}`;
  }

  /** Writes the id of the entry with this offset, and returns where it ends. */
  writeId(offset: number, into: Uint8Array, at: number): number {
    const prefix = this.#idPrefix;
    for (let index = 0; index < prefix.length; index++) into[at + index] = prefix[index] ?? 0;
    let end = at + prefix.length + 1;
    for (let limit = 10; offset >= limit; limit *= 10) end += 1;
    let rest = offset;
    for (let index = end - 1; index >= at + prefix.length; index--) {
      const tenth = Math.floor(rest / 10);
      into[index] = 0x30 + rest - tenth * 10;
      rest = tenth;
    }
    return end;
  }

  /** The cursor just after the entry with this offset. */
  cursor(offset: number): string {
    return `${this.#identity}.${offset}`;
  }

  /** The token of the page after this entry. */
  pageToken(order: "newest" | "oldest", { timestamp, offset }: PagePosition): string {
    return `${this.#identity}.${order.slice(0, 1)}.${timestamp}.${offset}`;
  }

  /** @throws EngineError `out_of_range` */
  parseId(id: string): number {
    const [, identity, offset] = /^([a-z0-9]{1,64})-([1-9][0-9]{0,14})$/.exec(id) ?? [];
    this.#checkIdentity("id", id, identity);
    return Number(offset);
  }

  /**
   * @param watermark No cursor of this log lies behind it.
   * @throws EngineError `out_of_range`
   */
  parseCursor(cursor: string, watermark: number): number {
    const [, identity, digits] = /^([a-z0-9]{1,64})\.(0|[1-9][0-9]{0,14})$/.exec(cursor) ?? [];
    this.#checkIdentity("cursor", cursor, identity);
    const offset = Number(digits);
    if (offset <= watermark) return offset;
    throw outOfRange("cursor", cursor, `lies behind the end of the log, ${this.cursor(watermark)}`);
  }

  /** @throws EngineError `out_of_range` */
  parsePageToken(token: string, order: "newest" | "oldest"): PagePosition {
    const pattern = /^([a-z0-9]{1,64})\.([no])\.(-?[0-9]{1,19})\.([1-9][0-9]{0,14})$/;
    const [, identity, direction, timestamp, offset] = pattern.exec(token) ?? [];
    this.#checkIdentity("page token", token, identity);
    if (direction !== order.slice(0, 1)) {
      throw outOfRange("page token", token, `does not belong to the order "${order}"`);
    }
    return { timestamp: BigInt.asIntN(64, BigInt(timestamp ?? 0)), offset: Number(offset) };
  }

  #checkIdentity(what: string, text: string, identity: string | undefined): void {
    if (identity === undefined) throw outOfRange(what, text, "is malformed");
    if (identity !== this.#identity)
      throw outOfRange(what, text, `belongs to another log than ${this.#identity}`);
  }
}

function outOfRange(what: string, text: string, why: string): EngineError {
  // Long enough for every true one; a megabyte of nonsense is not repeated to its sender.
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return new EngineError("out_of_range", `the ${what} ${JSON.stringify(shown)} ${why}`);
}
