/**
 * Recognises repeats, exactly: which sequences of which producer are stored, and
 * at which offsets.
 *
 * A producer's sequences are kept as runs (consecutive sequences with
 * consecutive offsets), in the tables `producers` and `runs`, written in the
 * transaction of the entries themselves. An entry whose sequence is greater than
 * all that were stored is new without a look at the disk; for any other the run
 * decides. Gaps are legal: a sequence in no run is new, however low, except
 * below the producer's floor, where runs of deleted entries were deleted too.
 *
 * The ledger is told before and after each transaction. Within one, it answers
 * for entries of the same transaction as well.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";

/** What is known of a producer, while it is in memory. */
export interface Producer {
  readonly id: number;
  /** The greatest sequence that may be stored; 0 when none is. */
  greatest: number;
  /** See the table `producers`. */
  readonly floor: number;
  /** Unix milliseconds, as stored. */
  readonly usedAtMs: number;
  /** Runs of the current transaction, by rising offset. */
  pending: Run[];
  /** The run that was written last: the one that the next entry most likely continues. */
  last: Run | undefined;
  /** What the last look at the disk found: whether a span of sequences is stored. */
  span: Span | undefined;
}

interface Run {
  readonly firstSequence: number;
  readonly firstOffset: number;
  count: number;
}

/** The sequences `from` … `to - 1`: all stored from `firstOffset` on, or none (undefined). */
interface Span {
  readonly from: number;
  readonly to: number;
  readonly firstOffset: number | undefined;
}

/** Producers kept in memory, about 300 bytes each; the others are on disk only. */
const cachedProducersMax = 65_536;

/** Offset of a sequence that was stored, and deleted since. */
const unknownOffset = 0;

/** The ledger of one log. Used by its writer alone. */
export class ProducerLedger {
  readonly #statements: ReturnType<typeof prepareStatements>;
  readonly #idleMs: number;
  /** The least recently used first. */
  readonly #cache = new Map<string, Producer>();
  readonly #touched = new Set<Producer>();
  /** Entries before it are deleted; some of their runs may still be there. */
  #oldestOffset = 0;
  /** Where the search for idle producers goes on. */
  #idleAfter = { usedAtMs: 0, id: 0 };

  /** @param idleMs How long a producer without stored entries is remembered. */
  constructor(database: DatabaseSync, idleMs: number) {
    this.#statements = prepareStatements(database);
    this.#idleMs = idleMs;
  }

  /** The producer of that name, made when it is not known. Within a transaction. */
  producer(name: string, nowMs: number): Producer {
    let producer = this.#cache.get(name);
    if (producer === undefined || nowMs - producer.usedAtMs > this.#idleMs / 16) {
      if (producer !== undefined) this.#flush(producer);
      producer = this.#load(name, nowMs);
    }
    this.#cache.delete(name);
    this.#cache.set(name, producer);
    this.#touched.add(producer);
    return producer;
  }

  /** The offset that a sequence is stored at (0: no longer known), or undefined when it is not stored. */
  find(producer: Producer, sequence: number): number | undefined {
    if (sequence > producer.greatest) return undefined;
    let { span } = producer;
    if (span === undefined || sequence < span.from || sequence >= span.to) {
      span = this.#look(producer, sequence);
      producer.span = span;
    }
    if (span.firstOffset !== undefined) {
      const offset = span.firstOffset + (sequence - span.from);
      return offset < this.#oldestOffset ? unknownOffset : offset;
    }
    return sequence < producer.floor ? unknownOffset : undefined;
  }

  /** Notes that a sequence which `find` did not find is stored at an offset. */
  add(producer: Producer, sequence: number, offset: number): void {
    const run = producer.pending.at(-1);
    const continues =
      run !== undefined &&
      run.firstSequence + run.count === sequence &&
      run.firstOffset + run.count === offset;
    if (continues) run.count++;
    else producer.pending.push({ firstSequence: sequence, firstOffset: offset, count: 1 });
    if (sequence > producer.greatest) producer.greatest = sequence;
    // What is left of a free span begins after this sequence.
    const { span } = producer;
    if (span !== undefined && span.firstOffset === undefined && sequence >= span.from) {
      producer.span = { ...span, from: sequence + 1 };
    }
  }

  /** Writes what is pending. The last step of a transaction. */
  flush(): void {
    for (const producer of this.#touched) this.#flush(producer);
  }

  /** The transaction is durable. */
  committed(): void {
    for (const producer of this.#touched) producer.span = undefined;
    this.#touched.clear();
    for (const name of this.#cache.keys()) {
      if (this.#cache.size <= cachedProducersMax) break;
      this.#cache.delete(name);
    }
  }

  /** The transaction was rolled back, or rows were changed behind the cache: believe the disk alone. */
  forget(): void {
    this.#touched.clear();
    this.#cache.clear();
  }

  /** The entries before this offset are deleted: their sequences are still known, but for nothing that is there. */
  trim(oldestOffset: number): void {
    this.#oldestOffset = oldestOffset;
  }

  /**
   * Deletes up to `limit` of the runs whose entries are all deleted, the oldest
   * first, and raises the producers' floors in their place: a block may have as
   * many runs as entries, too many for one transaction. Within a transaction;
   * when there were any, `forget` must follow.
   *
   * @returns How many were deleted.
   */
  deleteRuns(limit: number): number {
    const next = this.#statements.runAt.get(this.#oldestOffset, limit);
    const end = next === undefined ? this.#oldestOffset : Number(next["first_offset"]);
    this.#statements.raiseFloors.run(end, end);
    return Number(this.#statements.deleteRuns.run(end, end).changes);
  }

  /**
   * Looks at the next `limit` of the producers that have long been silent, and
   * forgets those without stored entries. A call goes on where the last one
   * ended: with a million of them, looking at all would hold up commits for a
   * quarter of a second. Within a transaction; `forget` must follow.
   *
   * @returns How many were forgotten.
   */
  deleteIdle(nowMs: number, limit: number): number {
    const { usedAtMs, id } = this.#idleAfter;
    const silent = this.#statements.findIdle.all(usedAtMs, id, nowMs - this.#idleMs, limit);
    const last = silent.length < limit ? undefined : silent.at(-1);
    this.#idleAfter = { usedAtMs: Number(last?.["used_at"] ?? 0), id: Number(last?.["id"] ?? 0) };
    const idle = silent.filter((row) => row["has_entries"] === 0);
    for (const row of idle) this.#statements.deleteProducer.run(Number(row["id"]));
    return idle.length;
  }

  #load(name: string, nowMs: number): Producer {
    const row = this.#statements.touchProducer.get(name, nowMs);
    if (row === undefined) throw new Error(`producer ${name} was neither found nor made`);
    const id = Number(row["id"]);
    const floor = Number(row["floor"]);
    const last = runOf(this.#statements.lastRun.get(id));
    const greatest = Math.max(floor - 1, last === undefined ? 0 : last.firstSequence + last.count - 1);
    return { id, greatest, floor, usedAtMs: nowMs, pending: [], last, span: undefined };
  }

  #look(producer: Producer, sequence: number): Span {
    this.#flush(producer);
    const before = runOf(this.#statements.runBefore.get(producer.id, sequence));
    const end = before === undefined ? 1 : before.firstSequence + before.count;
    if (before !== undefined && sequence < end) {
      return { from: before.firstSequence, to: end, firstOffset: before.firstOffset };
    }
    const after = runOf(this.#statements.runAfter.get(producer.id, sequence));
    return { from: end, to: after?.firstSequence ?? Number.POSITIVE_INFINITY, firstOffset: undefined };
  }

  #flush(producer: Producer): void {
    for (const run of producer.pending) {
      const { last } = producer;
      const continues =
        last !== undefined &&
        last.firstSequence + last.count === run.firstSequence &&
        last.firstOffset + last.count === run.firstOffset;
      if (continues) {
        last.count += run.count;
        this.#statements.extendRun.run(last.count, producer.id, last.firstSequence);
      } else {
        this.#statements.insertRun.run(producer.id, run.firstSequence, run.count, run.firstOffset);
        producer.last = run;
      }
    }
    producer.pending = [];
  }
}

function prepareStatements(database: DatabaseSync) {
  const prepare = (sql: string): StatementSync => database.prepare(sql);
  const run = "SELECT first_sequence, count, first_offset FROM runs WHERE producer = ?";
  const touchProducer = prepare(
    `INSERT INTO producers (name, used_at, floor) VALUES (?, ?, 0)
     ON CONFLICT (name) DO UPDATE SET used_at = excluded.used_at RETURNING id, floor`,
  );
  // The floor above the greatest sequence is 2^53, which SQLite's driver does not read as a number.
  touchProducer.setReadBigInts(true);
  return {
    touchProducer,
    lastRun: prepare(`${run} ORDER BY first_sequence DESC LIMIT 1`),
    runBefore: prepare(`${run} AND first_sequence <= ? ORDER BY first_sequence DESC LIMIT 1`),
    runAfter: prepare(`${run} AND first_sequence > ? ORDER BY first_sequence LIMIT 1`),
    insertRun: prepare("INSERT INTO runs VALUES (?, ?, ?, ?)"),
    extendRun: prepare("UPDATE runs SET count = ? WHERE producer = ? AND first_sequence = ?"),
    runAt: prepare(
      "SELECT first_offset FROM runs WHERE first_offset < ? ORDER BY first_offset LIMIT 1 OFFSET ?",
    ),
    raiseFloors: prepare(
      `UPDATE producers SET floor = max(floor, gone.until) FROM (
         SELECT producer, max(first_sequence + count) AS until FROM runs
         WHERE first_offset < ? AND first_offset + count <= ? GROUP BY producer
       ) AS gone WHERE producers.id = gone.producer`,
    ),
    deleteRuns: prepare("DELETE FROM runs WHERE first_offset < ? AND first_offset + count <= ?"),
    findIdle: prepare(
      `SELECT id, used_at, EXISTS (SELECT 1 FROM runs WHERE producer = producers.id) AS has_entries
       FROM producers WHERE (used_at, id) > (?, ?) AND used_at < ? ORDER BY used_at, id LIMIT ?`,
    ),
    deleteProducer: prepare("DELETE FROM producers WHERE id = ?"),
  };
}

function runOf(row: Record<string, unknown> | undefined): Run | undefined {
  if (row === undefined) return undefined;
  return {
    firstSequence: Number(row["first_sequence"]),
    firstOffset: Number(row["first_offset"]),
    count: Number(row["count"]),
  };
}
