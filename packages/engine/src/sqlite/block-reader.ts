/**
 * Reads blocks through a read-only connection. A read transaction is short, one
 * statement or one snapshot: while it is open the WAL is not used again. From
 * one to the next blocks may have been merged, or deleted by retention.
 */
import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import { EngineError } from "../engine-error.ts";
import { type ColumnName, corrupt } from "./block-column.ts";
import { type BlockColumns, openColumns } from "./block-columns.ts";
import { type BlockHead, checkHead, type StoredHead, stripeCountOf } from "./block-format.ts";
import type { BlockImage } from "./block-image.ts";
import { pragma } from "./log-file.ts";
import { everyStripe } from "./stripes.ts";
import { openWords, stripesIn, wordPartOf } from "./word-filter.ts";

/** What the log's file says about all blocks. */
export interface StoredTotals {
  readonly oldestOffset: number;
  readonly nextOffset: number;
  readonly blocks: number;
  readonly rawBytes: number;
  readonly fileBytes: number;
  readonly leastTimestamp: bigint;
  readonly greatestTimestamp: bigint;
}

const headColumns = `first_offset, count, least_timestamp, greatest_timestamp, received_at, raw_bytes,
  level_counts, services, word_parts, stripes, head_crc`;

/** What a reader who is behind gets of a packed block at once: as much as a fresh block has. */
const pieceBounds = { bytesMax: 1024 * 1024, entriesMax: 16_384 };

/** Reads one log's blocks. Lives in a worker. */
export class BlockReader {
  readonly #database: DatabaseSync;
  readonly #headAt;
  readonly #words;
  readonly #columns = new Map<ColumnName, StatementSync>();
  #last: { readonly headCrc: number; readonly columns: BlockColumns } | undefined;
  readonly #firstSince;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#headAt = this.#prepare(
      `SELECT ${headColumns} FROM blocks WHERE first_offset <= ? ORDER BY first_offset DESC LIMIT 1`,
    );
    this.#words = this.#prepare("SELECT bits FROM words WHERE block = ? AND part = ?");
    this.#firstSince = this.#prepare(
      // The index, where SQLite would rather visit the table from its beginning: who asks mostly asks for what is new.
      `SELECT min(first_offset) AS first FROM blocks INDEXED BY blocks_by_greatest
       WHERE greatest_timestamp >= ? AND first_offset <= ?`,
    );
  }

  close(): void {
    this.#database.close();
  }

  /**
   * Runs `work` in one read transaction: what it reads is of one moment. It
   * should end within 100 ms or so.
   */
  snapshot<T>(work: () => T): T {
    if (this.#database.isTransaction) return work();
    this.#database.exec("BEGIN");
    try {
      return work();
    } finally {
      // Nothing was written: there is nothing to commit. After some failures, such as a disk that can't be read, SQLite
      // has rolled back by itself.
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
    }
  }

  /** A statement of a caller's own, which reads integers as bigint. */
  prepare(sql: string): StatementSync {
    return this.#prepare(sql);
  }

  /**
   * The head of the block that holds an offset; undefined when there is none.
   *
   * @throws EngineError `corrupt`
   */
  headAt(offset: number): StoredHead | undefined {
    const row = this.#headAt.get(offset);
    if (row === undefined) return undefined;
    const head = headOf(row);
    // First: a damaged count must not pass for a block that is gone.
    checkHead(head);
    return offset < head.firstOffset + head.count ? head : undefined;
  }

  /**
   * The columns of the block that holds an offset; undefined when there is
   * none. They are read when they are asked for, which must be in the snapshot
   * in which this was called last; what was read stays of use until this is
   * called for another block.
   *
   * @throws EngineError `corrupt`
   */
  columnsAt(offset: number): BlockColumns | undefined {
    const head = this.headAt(offset);
    if (head === undefined) return undefined;
    // The last one is kept: a block is often read in several turns, or by several readers.
    const { firstOffset, headCrc } = head;
    if (this.#last?.headCrc === headCrc && this.#last.columns.head.firstOffset === firstOffset)
      return this.#last.columns;
    // Freed now and not by the collector: a search leaves a gigabyte of blocks a second behind.
    this.#last?.columns.release();
    const columns = this.#open(head);
    this.#last = { headCrc, columns };
    return columns;
  }

  /**
   * Entries from an offset on as whole ones, for a reader who is behind: at most
   * about 1 MiB of a packed block; a fresh block as it is, also what lies before
   * the offset. Undefined when the offset is not stored.
   *
   * @throws EngineError `corrupt`
   */
  blockAt(offset: number): BlockImage | undefined {
    return this.snapshot(() => {
      const columns = this.columnsAt(offset);
      return columns?.imageFrom(offset - columns.head.firstOffset, pieceBounds);
    });
  }

  /**
   * A whole block by its first offset, fresh or packed.
   *
   * @throws EngineError `corrupt`
   */
  imageAt(firstOffset: number): BlockImage | undefined {
    return this.snapshot(() => {
      const head = this.headAt(firstOffset);
      if (head?.firstOffset !== firstOffset) return undefined;
      const columns = this.#open(head);
      const image = columns.imageFrom(0);
      columns.release();
      return image;
    });
  }

  /**
   * The stripes of a block that may have an entry with a word, as a set of
   * bits: what is not in it certainly has none, in the snapshot in which the
   * head was read. Later the filter may be another block's, which begins at the
   * same offset.
   *
   * @param hash See `hashWord`.
   * @throws EngineError `corrupt`
   */
  stripesWithWord(
    head: Pick<BlockHead, "firstOffset" | "count" | "wordParts" | "stripes">,
    hash: number,
  ): number {
    if (head.wordParts === null) return everyStripe;
    const part = wordPartOf(hash, head.wordParts);
    const row = this.#words.get(head.firstOffset, part);
    // Not there: lost, or deleted since its head was read. Then the entries are looked at.
    if (row === undefined) return everyStripe;
    const bits = openWords(bytesOf(row["bits"]), { block: head.firstOffset, part });
    if (bits === undefined) throw corrupt(head, `the checksum of part ${part} of its words is wrong`);
    return stripesIn(bits, hash, stripeCountOf(head));
  }

  /** The first offset of the first block that has an entry of this time or later. */
  firstBlockSince(time: bigint, watermark: number): number | undefined {
    const first = this.#firstSince.get(time, watermark)?.["first"];
    return typeof first === "bigint" ? Number(first) : undefined;
  }

  /** Figures of the whole log. */
  totals(): StoredTotals {
    const row =
      this.#prepare(
        `SELECT next_offset, blocks, raw_bytes,
           coalesce((SELECT min(first_offset) FROM blocks), next_offset) AS oldest_offset,
           coalesce((SELECT min(least_timestamp) FROM blocks), 0) AS least,
           coalesce((SELECT max(greatest_timestamp) FROM blocks), 0) AS greatest
         FROM log`,
      ).get() ?? {};
    return {
      oldestOffset: Number(row["oldest_offset"]),
      nextOffset: Number(row["next_offset"]),
      blocks: Number(row["blocks"]),
      rawBytes: Number(row["raw_bytes"]),
      fileBytes: pragma(this.#database, "page_count") * pragma(this.#database, "page_size"),
      leastTimestamp: bigintOf(row["least"]),
      greatestTimestamp: bigintOf(row["greatest"]),
    };
  }

  #open(head: StoredHead): BlockColumns {
    return openColumns(head, (name) => {
      const row = this.#columnOf(name).get(head.firstOffset, head.headCrc);
      if (row !== undefined) return bytesOf(row["bytes"]);
      throw corrupt(head, `its row is gone: its column ${name} was asked for behind the end of the snapshot`);
    });
  }

  #columnOf(name: ColumnName): StatementSync {
    let statement = this.#columns.get(name);
    if (statement === undefined) {
      statement = this.#prepare(
        `SELECT ${name} AS bytes FROM blocks WHERE first_offset = ? AND head_crc = ?`,
      );
      this.#columns.set(name, statement);
    }
    return statement;
  }

  #prepare(sql: string) {
    const statement = this.#database.prepare(sql);
    statement.setReadBigInts(true);
    return statement;
  }
}

type Row = Record<string, SQLOutputValue>;

function headOf(row: Row): StoredHead {
  const services = row["services"];
  return {
    firstOffset: Number(row["first_offset"]),
    count: Number(row["count"]),
    leastTimestamp: bigintOf(row["least_timestamp"]),
    greatestTimestamp: bigintOf(row["greatest_timestamp"]),
    receivedAt: bigintOf(row["received_at"]),
    rawBytes: Number(row["raw_bytes"]),
    levelCounts: String(row["level_counts"]),
    services: typeof services === "string" ? services : null,
    wordParts: row["word_parts"] === null ? null : Number(row["word_parts"]),
    stripes: row["stripes"] === null ? null : Number(row["stripes"]),
    headCrc: Number(row["head_crc"]),
  };
}

/** The tables are STRICT: what is not of its column's type is not a file that we wrote. */
function bigintOf(value: SQLOutputValue | undefined): bigint {
  if (typeof value === "bigint") return value;
  throw new EngineError("corrupt", `the table blocks: an integer is expected, found ${typeof value}`);
}

function bytesOf(value: SQLOutputValue | undefined): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new EngineError("corrupt", `the table blocks: a blob is expected, found ${typeof value}`);
}
