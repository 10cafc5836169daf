/**
 * What tails with the same filter share: the compiled filter, and at the head
 * of the log the matches of each block, encoded once for all of them.
 *
 *   tail ──┐ filter's text as formatFilter prints it, since
 *   tail ──┼─▶ FilterMatches ─▶ MatchLog: blocks from … to (numbers at the head)
 *   tail ──┘      │                  ▲ the first who needs a block has it matched and encoded
 *                 └─ a block before `from`, in part, or from the disk: matched for this reader alone
 *
 * All logs together take a bounded number of bytes; past it the oldest chunk
 * of all is forgotten, and its log begins behind it.
 */
import type { Block } from "@logsvc/engine";
import { compileFilter, type FilterNode, type FilterPredicate, formatFilter } from "@logsvc/filter";
import { limits, type TailLogsResponse } from "@logsvc/proto";
import { type ChunkObserver, type EncodedMatches, type MatchChunk, MatchLog } from "./match-log.ts";

/** Which entries a tail is sent. */
export interface Choice {
  readonly filter: FilterNode;
  /** The earliest timestamp. Absent: all. */
  readonly since: bigint | undefined;
}

/** Matches for one response, and where they end. */
export interface MatchedRun extends Pick<EncodedMatches, "slices" | "count"> {
  /** Where to resume after them. */
  readonly cursor: string;
  /** The response that was made of it, for all readers that get it. */
  response?: TailLogsResponse;
}

/** Of most blocks. */
const none: readonly number[] = [];

/** Every filter that a tail has, each once. */
export class SharedMatches {
  readonly #bytesMax: number;
  readonly #filters = new Map<string, FilterMatches>();
  /** Every chunk and whose it is, the oldest first. */
  readonly #chunks = new Map<MatchChunk, FilterMatches>();
  #bytes = 0;
  /** What is forgotten when the turn ends. */
  #ofTurn: (() => void)[] = [];

  /** @param bytesMax Of encoded matches that are kept. */
  constructor(bytesMax: number = limits.sharedMatchesBytesMax) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes of encoded matches that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many different filters tails have. */
  get size(): number {
    return this.#filters.size;
  }

  /** The matches of a choice, for one more reader, until it calls `release`. */
  acquire(choice: Choice): FilterMatches {
    const key = `${choice.since ?? ""} ${formatFilter(choice.filter)}`;
    let matches = this.#filters.get(key);
    if (matches === undefined) {
      matches = new FilterMatches(choice, {
        grown: (chunk, bytes) => this.#grown(chunk, bytes, matches),
        trim: () => this.#trim(),
        left: () => this.#left(key),
        atTurnsEnd: (forget) => this.#atTurnsEnd(forget),
      });
      this.#filters.set(key, matches);
    }
    matches.join();
    return matches;
  }

  #grown(chunk: MatchChunk, bytes: number, owner: FilterMatches | undefined): void {
    if (owner !== undefined && !this.#chunks.has(chunk)) this.#chunks.set(chunk, owner);
    this.#bytes += bytes;
  }

  #trim(): void {
    for (const [chunk, owner] of this.#chunks) {
      if (this.#bytes <= this.#bytesMax) return;
      this.#chunks.delete(chunk);
      this.#bytes -= chunk.bytes.length;
      // The oldest of all is the oldest of its owner.
      owner.forgetOldest();
    }
  }

  #atTurnsEnd(forget: () => void): void {
    this.#ofTurn.push(forget);
    if (this.#ofTurn.length > 1) return;
    setImmediate(() => {
      for (const each of this.#ofTurn) each();
      this.#ofTurn = [];
    });
  }

  #left(key: string): void {
    for (const chunk of this.#filters.get(key)?.chunks ?? []) {
      if (this.#chunks.delete(chunk)) this.#bytes -= chunk.bytes.length;
    }
    this.#filters.delete(key);
  }
}

/** What a filter tells those who keep it. */
interface FilterObserver extends ChunkObserver {
  /** Something was added: it is time to forget. */
  trim(): void;
  /** Its last reader has gone. */
  left(): void;
  /** Calls back before the next turn of the event loop. */
  atTurnsEnd(forget: () => void): void;
}

/** One filter's predicate, and its matches at the head. */
export class FilterMatches {
  readonly #matches: FilterPredicate | undefined;
  readonly #since: bigint | undefined;
  readonly #observer: FilterObserver;
  #readers = 0;
  #log: MatchLog;
  /** The numbers of the blocks in the log: from `#from` up to, not with, `#to`. */
  #from = 0;
  #to = 0;
  /** What was encoded in this turn of the event loop, and of what: readers that wake together all get it. */
  #latest:
    | { readonly blocks: readonly Block[]; readonly from: number; readonly runs: MatchedRun[] }
    | undefined;

  constructor({ filter, since }: Choice, observer: FilterObserver) {
    this.#matches = filter.kind === "all" ? undefined : compileFilter(filter);
    this.#since = since;
    this.#observer = observer;
    this.#log = new MatchLog(observer);
  }

  /** The chunks that are kept. */
  get chunks(): readonly MatchChunk[] {
    return this.#log.chunks;
  }

  /** Counts one more reader. */
  join(): void {
    this.#readers += 1;
  }

  /** Its reader has gone. */
  release(): void {
    this.#readers -= 1;
    if (this.#readers === 0) this.#observer.left();
  }

  /** Which entries of a block match, from the one at `from` on. */
  indexesIn(block: Block, from: number): readonly number[] {
    let indexes: number[] | undefined;
    for (let index = from; index < block.count; index++) {
      if (this.#since !== undefined && (block.timestamps[index] ?? 0n) < this.#since) continue;
      if (this.#matches === undefined || this.#matches(block.viewAt(index))) {
        if (indexes === undefined) indexes = [index];
        else indexes.push(index);
      }
    }
    return indexes ?? none;
  }

  /**
   * What matches in consecutive blocks, encoded, in responses of bounded size.
   *
   * @param from The first entry of the first block to look at.
   */
  encodedIn(blocks: readonly Block[], from: number): readonly MatchedRun[] {
    if (this.#latest?.blocks === blocks && this.#latest.from === from) return this.#latest.runs;
    const shared = this.#firstShared(blocks, from);
    const runs =
      shared === 0
        ? this.#encodeShared(blocks)
        : [...this.#encodeAlone(blocks.slice(0, shared), from), ...this.#encodeShared(blocks.slice(shared))];
    const last = runs.at(-1);
    // The end of the blocks, though the last entries may not match: all of them were dealt with.
    if (last !== undefined) runs[runs.length - 1] = { ...last, cursor: endOf(blocks) };
    if (this.#latest === undefined) this.#observer.atTurnsEnd(() => this.#forgetLatest());
    this.#latest = { blocks, from, runs };
    return runs;
  }

  /** Lets go of the oldest chunk: from now on its blocks are matched for who needs them. */
  forgetOldest(): void {
    this.#from = Math.max(this.#from, this.#log.forgetOldest() + 1);
  }

  #forgetLatest(): void {
    this.#latest = undefined;
  }

  /** The place of the first block whose matches are shared. */
  #firstShared(blocks: readonly Block[], from: number): number {
    const first = blocks[0]?.headNumber;
    if (first === undefined) return blocks.length;
    return Math.min(blocks.length, Math.max(from > 0 ? 1 : 0, this.#from - first));
  }

  #encodeAlone(blocks: readonly Block[], from: number): MatchedRun[] {
    const log = new MatchLog();
    for (const [place, block] of blocks.entries()) {
      log.add(block, place, this.indexesIn(block, place === 0 ? from : 0));
    }
    return runsOf(log, blocks, 0);
  }

  #encodeShared(blocks: readonly Block[]): MatchedRun[] {
    const first = blocks[0]?.headNumber;
    if (first === undefined) return [];
    if (first > this.#to) {
      // Nobody wanted the blocks in between: the log goes on behind them.
      this.#from = first;
      this.#to = first;
    }
    for (const end = first + blocks.length; this.#to < end; this.#to++) {
      const block = blocks[this.#to - first];
      if (block === undefined) continue;
      const indexes = this.indexesIn(block, 0);
      if (indexes.length > 0) this.#log.add(block, this.#to, indexes);
    }
    const runs = runsOf(this.#log, blocks, first);
    this.#observer.trim();
    return runs;
  }
}

/** @param first The number of the first block in the log. */
function runsOf(log: MatchLog, blocks: readonly Block[], first: number): MatchedRun[] {
  return log.matchesOf(first, first + blocks.length - 1).map(({ slices, count, blockNumber, lastIndex }) => ({
    slices,
    count,
    cursor: blocks[blockNumber - first]?.cursorAt(lastIndex) ?? "",
  }));
}

/** The cursor at the end of some blocks. */
export function endOf(blocks: readonly Block[]): string {
  const last = blocks.at(-1);
  return last === undefined ? "" : last.cursorAt(last.count - 1);
}
