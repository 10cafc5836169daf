/**
 * Reads blocks through a read-only connection. Every statement is a short read
 * transaction of its own: one that stays open would keep the WAL from being
 * reused. A block that retention has deleted in between is simply not there.
 */
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { EngineError } from "../engine-error.ts";
import { timeMax, timeMin } from "../scan/selection-range.ts";
import { type BlockHead, checkHead, decodeBlock, decodeSeverities, decodeTimes } from "./block-format.ts";
import type { BlockImage } from "./block-image.ts";
import { pragma } from "./log-file.ts";

/** Which blocks a search may need: those that overlap the range, up to an offset. */
export interface BlockRange {
  /** The earliest timestamp; the range holds it. */
  readonly start: bigint;
  /** The latest timestamp; the range holds it. */
  readonly last: bigint;
  /** Blocks behind it are not looked at. */
  readonly watermark: number;
}

/** A block in a search's plan. */
export interface PlannedBlock {
  readonly firstOffset: number;
  readonly leastTimestamp: bigint;
  readonly greatestTimestamp: bigint;
}

/** The orders in which a plan visits blocks. Those of time pass over what lies outside of the range in an index. */
export type PlanOrder = "falling_greatest" | "rising_least" | "falling_offset";

/** How a plan's order is written, and how it is begun. */
const planOrders: Readonly<
  Record<PlanOrder, { key: "greatest_timestamp" | "least_timestamp" | undefined; rising: boolean }>
> = {
  falling_greatest: { key: "greatest_timestamp", rising: false },
  rising_least: { key: "least_timestamp", rising: true },
  falling_offset: { key: undefined, rising: false },
};

/** Blocks of a plan that are fetched together. */
const planChunk = 256;

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
  level_counts, services, head_crc`;

/** Reads one log's blocks. Lives in a worker. */
export class BlockReader {
  readonly #database: DatabaseSync;
  readonly #blockAt;
  readonly #headAt;
  readonly #timesAndSeverities;
  readonly #least;
  readonly #greatest;
  readonly #firstSince;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#blockAt = this.#prepare(
      `SELECT ${headColumns}, times, severities, entries FROM blocks
       WHERE first_offset <= ? ORDER BY first_offset DESC LIMIT 1`,
    );
    this.#headAt = this.#prepare(`SELECT ${headColumns} FROM blocks WHERE first_offset = ?`);
    this.#timesAndSeverities = this.#prepare("SELECT times, severities FROM blocks WHERE first_offset = ?");
    this.#least = this.#prepare(
      "SELECT least_timestamp AS time FROM blocks WHERE first_offset <= ? ORDER BY least_timestamp LIMIT 1",
    );
    this.#greatest = this.#prepare(
      "SELECT greatest_timestamp AS time FROM blocks WHERE first_offset <= ? ORDER BY greatest_timestamp DESC LIMIT 1",
    );
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
   * The block that holds an offset; undefined when there is none.
   *
   * @throws EngineError `corrupt`
   */
  blockAt(offset: number): BlockImage | undefined {
    const row = this.#blockAt.get(offset);
    if (row === undefined) return undefined;
    const head = headOf(row);
    if (offset >= head.firstOffset + head.count) return undefined;
    return decodeBlock({
      ...head,
      times: bytesOf(row["times"]),
      severities: bytesOf(row["severities"]),
      entries: bytesOf(row["entries"]),
    });
  }

  /**
   * A block without its columns.
   *
   * @throws EngineError `corrupt`
   */
  headAt(firstOffset: number): BlockHead | undefined {
    const row = this.#headAt.get(firstOffset);
    if (row === undefined) return undefined;
    const head = headOf(row);
    checkHead(head);
    return head;
  }

  /** The timestamps and severities of a block, without its entries. */
  timesAndSeveritiesOf(head: BlockHead): { timestamps: BigInt64Array; severities: Uint8Array } | undefined {
    const row = this.#timesAndSeverities.get(head.firstOffset);
    if (row === undefined) return undefined;
    return {
      timestamps: decodeTimes(head, bytesOf(row["times"])),
      severities: decodeSeverities(head, bytesOf(row["severities"])),
    };
  }

  /** The first offset of the first block that has an entry of this time or later. */
  firstBlockSince(time: bigint, watermark: number): number | undefined {
    const first = this.#firstSince.get(time, watermark)?.["first"];
    return typeof first === "bigint" ? Number(first) : undefined;
  }

  /** The least and the greatest timestamp; undefined without entries. */
  extremes(watermark: number): { least: bigint; greatest: bigint } | undefined {
    const least = this.#least.get(watermark);
    const greatest = this.#greatest.get(watermark);
    if (least === undefined || greatest === undefined) return undefined;
    return { least: bigintOf(least["time"]), greatest: bigintOf(greatest["time"]) };
  }

  /** The blocks of a range in an order, fetched as they are asked for. */
  *plan(range: BlockRange, order: PlanOrder): Generator<PlannedBlock> {
    const { key, rising } = planOrders[order];
    const direction = rising ? "ASC" : "DESC";
    const beyond = rising ? ">" : "<";
    const keys = key === undefined ? "first_offset" : `${key}, first_offset`;
    const statement = this.#prepare(
      `SELECT first_offset, least_timestamp, greatest_timestamp FROM blocks
       WHERE (${keys}) ${beyond} (${key === undefined ? "?" : "?, ?"})
       AND greatest_timestamp >= ? AND least_timestamp <= ? AND first_offset <= ?
       ORDER BY ${keys
         .split(", ")
         .map((column) => `${column} ${direction}`)
         .join(", ")} LIMIT ${planChunk}`,
    );
    // Begins before every block, and goes on after the last one it was given.
    let time = rising ? timeMin : timeMax;
    let offset = rising ? -1 : Number.MAX_SAFE_INTEGER;
    for (;;) {
      const after = key === undefined ? [offset] : [time, offset];
      const rows = statement.all(...after, range.start, range.last, range.watermark);
      for (const row of rows) yield plannedOf(row);
      const last = rows.at(-1);
      if (last === undefined || rows.length < planChunk) return;
      offset = Number(last["first_offset"]);
      if (key !== undefined) time = bigintOf(last[key]);
    }
  }

  /** How many blocks a range has. Those of the whole log are not counted one by one: some may lie behind the watermark. */
  countBlocks({ start, last, watermark }: BlockRange): number {
    if (start === timeMin && last === timeMax)
      return Number(this.#prepare("SELECT blocks FROM log").get()?.["blocks"]);
    // A range with a start mostly reaches up to now: the end of the one index. Without a start it is the other's beginning.
    const index = start === timeMin ? "blocks_by_least" : "blocks_by_greatest";
    const row = this.#prepare(
      `SELECT count(*) AS blocks FROM blocks INDEXED BY ${index}
       WHERE greatest_timestamp >= ? AND least_timestamp <= ? AND first_offset <= ?`,
    ).get(start, last, watermark);
    return Number(row?.["blocks"]);
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

  #prepare(sql: string) {
    const statement = this.#database.prepare(sql);
    statement.setReadBigInts(true);
    return statement;
  }
}

type Row = Record<string, SQLOutputValue>;

function headOf(row: Row): BlockHead & { headCrc: number } {
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
    headCrc: Number(row["head_crc"]),
  };
}

function plannedOf(row: Row): PlannedBlock {
  return {
    firstOffset: Number(row["first_offset"]),
    leastTimestamp: bigintOf(row["least_timestamp"]),
    greatestTimestamp: bigintOf(row["greatest_timestamp"]),
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
