/**
 * The merger: reads adjacent blocks on its own read-only connection, packs them
 * into one, and hands that to the writer, which puts it in their place.
 *
 *   writer: look ─▶ plan ─▶ read ─▶ pack ─▶ packed ─▶ writer: swap, look ─▶ …
 *                     └─▶ idle: nothing to join until the writer says so
 *
 * There is never more than one step under way, so that this thread holds no more
 * than one block and what it is made of. It works when nobody else wants the
 * processor, and the writer ends it at any moment: it changes nothing itself.
 */
import type { DatabaseSync } from "node:sqlite";
import { workerData } from "node:worker_threads";
import { EngineError } from "../engine-error.ts";
import { storedBytesSql } from "./block-format.ts";
import type { BlockImage } from "./block-image.ts";
import { BlockReader } from "./block-reader.ts";
import { logFilePath, openLogFileForReading, storageError } from "./log-file.ts";
import { type PlannedBlock, planMerge, plannedBlocksMax } from "./merge-plan.ts";
import { PackScratch, packBlocks, packedBuffers } from "./packed-block.ts";
import { type MergerReply, type MergerSettings, toFault } from "./thread-messages.ts";
import { lowerThreadPriority } from "./thread-priority.ts";

/** Ingest and searches first. */
const niceness = 19;

/** Of the largest blocks; what their weight counts besides texts takes some of it. */
const stripesPerBlock = 8;

class Merger {
  readonly #settings: MergerSettings;
  readonly #reader: BlockReader;
  readonly #plannedFrom;
  readonly #scratch = new PackScratch();
  /** Blocks that begin before it stay as they are. What a damaged head says of a block's end moves it nowhere. */
  #from = 0;

  constructor(settings: MergerSettings, database: DatabaseSync) {
    this.#settings = settings;
    this.#reader = new BlockReader(database);
    this.#plannedFrom = database.prepare(
      `SELECT first_offset, count, raw_bytes, ${storedBytesSql} AS stored_bytes, received_at / ? AS period
       FROM blocks WHERE first_offset >= ? ORDER BY first_offset LIMIT ${plannedBlocksMax}`,
    );
  }

  /** The next step. */
  look(): MergerReply {
    for (;;) {
      const blocks = this.#plannedFrom.all(this.#settings.period, this.#from).map(plannedOf);
      const { join, settled } = planMerge(blocks, this.#settings.weightMax);
      const last = blocks[settled - 1];
      if (last !== undefined) this.#from = last.firstOffset + 1;
      if (join === undefined) {
        if (settled > 0) continue;
        return { kind: "idle" };
      }
      const images = this.#read(blocks.slice(join.from, join.to));
      // Retention was faster; what is left is planned anew.
      if (images === undefined) continue;
      const stripeBytes = this.#settings.weightMax / stripesPerBlock;
      const packed = packBlocks(images, { scratch: this.#scratch, stripeBytes });
      release(images);
      return { kind: "packed", blocks: images.length, packed };
    }
  }

  /** The blocks, or undefined when one is not there any more. */
  #read(blocks: readonly PlannedBlock[]): BlockImage[] | undefined {
    const images: BlockImage[] = [];
    for (const { firstOffset } of blocks) {
      try {
        const image = this.#reader.imageAt(firstOffset);
        if (image === undefined) return undefined;
        images.push(image);
      } catch (error) {
        // A damaged block stays as it is, for whoever may read some of it; those behind it are joined all the same.
        if (error instanceof EngineError && error.code === "corrupt") this.#from = firstOffset + 1;
        throw error;
      }
    }
    return images;
  }
}

function plannedOf(row: Record<string, unknown>): PlannedBlock {
  return {
    firstOffset: Number(row["first_offset"]),
    count: Number(row["count"]),
    rawBytes: Number(row["raw_bytes"]),
    storedBytes: Number(row["stored_bytes"]),
    period: Number(row["period"]),
  };
}

/** Gives the memory of blocks back at once: left to the collector, that of many merges would pile up. */
function release(images: readonly BlockImage[]): void {
  for (const { buffer } of images) buffer.transfer(0);
}

function start(settings: MergerSettings): void {
  lowerThreadPriority(niceness);
  const { port, folder } = settings;
  let merger: Merger | undefined;
  port.on("message", () => {
    try {
      merger ??= new Merger(settings, openLogFileForReading(folder));
      const reply = merger.look();
      port.postMessage(reply, reply.kind === "packed" ? packedBuffers(reply.packed) : []);
    } catch (error) {
      const fault = toFault(storageError(error, logFilePath(folder)));
      port.postMessage({ kind: "failed", fault } satisfies MergerReply);
    }
  });
}

start(workerData);
