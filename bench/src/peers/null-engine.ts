/**
 * An engine that takes everything and stores nothing: what is left when it
 * replaces a real one is the cost of the wire, the checks and the answers.
 */
import {
  type AppendResult,
  type Backlog,
  type Engine,
  EngineError,
  type EngineStats,
  type EntryBatch,
  type FieldValues,
  type Histogram,
} from "@logsvc/engine";
import type { StoredEntry } from "@logsvc/proto";

export class NullEngine implements Engine {
  readonly name = "sqlite";
  #entries = 0;

  async append({ count }: EntryBatch): Promise<AppendResult> {
    const first = this.#entries + 1;
    this.#entries += count;
    return new NullResult(first, count);
  }

  head(): string {
    return String(this.#entries);
  }

  lag(): number {
    return 0;
  }

  async stats(): Promise<EngineStats> {
    const nothing = { blocks: 0, rawBytes: 0, diskBytes: 0, oldest: 0n, newest: 0n };
    return { ...nothing, entries: this.#entries, commits: 0, commitUs: 0, deleted: 0 };
  }

  async close(): Promise<void> {
    // It holds nothing to let go of.
  }

  cursorAtTime(): Promise<string> {
    return refuse();
  }

  backlog(): Promise<Backlog> {
    return refuse();
  }

  read(): never {
    return refuse();
  }

  query(): never {
    return refuse();
  }

  around(): Promise<StoredEntry[]> {
    return refuse();
  }

  count(): Promise<Histogram> {
    return refuse();
  }

  values(): Promise<FieldValues> {
    return refuse();
  }
}

class NullResult implements AppendResult {
  readonly duplicates = 0;
  readonly #first: number;
  readonly #count: number;

  constructor(first: number, count: number) {
    this.#first = first;
    this.#count = count;
  }

  get firstId(): string {
    return this.#count === 0 ? "" : this.idAt(0);
  }

  get lastId(): string {
    return this.#count === 0 ? "" : this.idAt(this.#count - 1);
  }

  idAt(index: number): string {
    return String(this.#first + index);
  }

  writeIdAt(index: number, into: Uint8Array, at: number): number {
    let rest = this.#first + index;
    const end = at + this.idAt(index).length;
    for (let digit = end - 1; digit >= at; digit--, rest = Math.floor(rest / 10))
      into[digit] = 48 + (rest % 10);
    return end;
  }

  isDuplicate(): boolean {
    return false;
  }
}

function refuse(): never {
  throw new EngineError("closed", "nothing is stored here");
}
