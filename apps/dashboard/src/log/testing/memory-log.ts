/** A log in memory, with the part of a client that the list's source uses. It answers as the service does. */
import {
  Code,
  ConnectError,
  type QueryOptions,
  type RangeEvent,
  type RangeOptions,
  type StoredEntry,
  type TailEvent,
  type TailOptions,
} from "@logsvc/client-web";
import type { SourceClient, SourceTail } from "../log-source.ts";
import { entryRow } from "./rows.ts";

/** Entries in one response: few, so that there are many. */
const responseEntries = 70;

/** The log. */
export class MemoryLog implements SourceClient {
  readonly entries: StoredEntry[] = [];
  /** How many of the oldest are deleted. */
  deleted = 0;
  /** Thrown by the next calls, in order. */
  readonly faults: ConnectError[] = [];
  /** Calls to `query`. */
  queries = 0;
  /** How far tails have read. */
  read = 0;
  #written = Promise.withResolvers<void>();

  /** Writes entries; `lateBy` moves their timestamps back. */
  write(count: number, lateBy = 0n): void {
    for (let index = 0; index < count; index++) {
      const number = this.entries.length;
      const { id, entry, receivedAt } = entryRow(number);
      const timestamp = entry.timestamp - lateBy > 0n ? entry.timestamp - lateBy : 0n;
      this.entries.push({ $typeName: "logsvc.StoredEntry", id, entry: { ...entry, timestamp }, receivedAt });
    }
    this.#written.resolve();
    this.#written = Promise.withResolvers<void>();
  }

  tail(options: TailOptions): SourceTail {
    const fault = this.faults.shift();
    const from =
      options.cursor === undefined
        ? Math.max(this.deleted, this.entries.length - (options.last ?? 0))
        : Number(options.cursor);
    const tail = { cursor: options.cursor ?? "", wake: () => undefined };
    const events = this.#events(from, tail, options, fault);
    return Object.assign(tail, { [Symbol.asyncIterator]: () => events });
  }

  async *#events(
    from: number,
    tail: { cursor: string },
    { signal, onState }: TailOptions,
    fault: ConnectError | undefined,
  ): AsyncGenerator<TailEvent, void, undefined> {
    if (fault !== undefined) throw fault;
    const aborted = new Promise<void>((resolve) => signal?.addEventListener("abort", () => resolve()));
    onState?.({ kind: "live" });
    for (let at = from; signal?.aborted !== true; ) {
      if (at < this.deleted) {
        const gap = { from: `${at}`, to: `${this.deleted}`, count: this.deleted - at };
        at = this.deleted;
        tail.cursor = `${at}`;
        yield { kind: "gap", ...gap, cursor: tail.cursor };
      } else if (at < this.entries.length) {
        const entries = this.entries.slice(at, at + responseEntries);
        at += entries.length;
        tail.cursor = `${at}`;
        this.read = at;
        yield { kind: "entries", entries, cursor: tail.cursor };
      } else {
        await Promise.race([this.#written.promise, aborted]);
      }
    }
  }

  async *range({ from, to }: RangeOptions): AsyncGenerator<RangeEvent, void, undefined> {
    const end = this.entries.findIndex(({ id }) => id === to);
    const start = Math.max(Number(from), this.deleted);
    if (start > Number(from)) {
      yield { kind: "gap", from, to: `${start}`, count: start - Number(from) };
    }
    if (start < end) yield { kind: "entries", entries: this.entries.slice(start, end) };
  }

  query(options: QueryOptions): { batches(): AsyncIterable<StoredEntry[]>; readonly nextPageToken: string } {
    this.queries++;
    const found = this.#newestFirst(options);
    const begin = Number(options.pageToken || 0);
    const end = Math.min(found.length, begin + (options.limit ?? 100));
    const { faults } = this;
    return {
      nextPageToken: end < found.length ? `${end}` : "",
      async *batches() {
        for (let at = begin; at < end; at += responseEntries) {
          yield found.slice(at, Math.min(end, at + responseEntries));
          const fault = faults.shift();
          if (fault !== undefined) throw fault;
        }
      },
    };
  }

  async around(id: string): Promise<StoredEntry[]> {
    const at = this.entries.findIndex((entry) => entry.id === id);
    if (at < this.deleted) throw new ConnectError("it is no longer in the log", Code.NotFound);
    return this.entries.slice(Math.max(this.deleted, at - 100), at + 100);
  }

  #newestFirst({ start = 0n, end }: QueryOptions): StoredEntry[] {
    const time = ({ entry }: StoredEntry): bigint => entry?.timestamp ?? 0n;
    return this.entries
      .slice(this.deleted)
      .filter((entry) => time(entry) >= BigInt(start as bigint))
      .filter((entry) => end === undefined || time(entry) < (end as bigint))
      .map((entry, index) => ({ entry, index }))
      .sort((a, b) => Number(time(b.entry) - time(a.entry)) || b.index - a.index)
      .map(({ entry }) => entry);
  }
}
