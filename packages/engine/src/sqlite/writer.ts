/**
 * The writer: the one thread that writes to the log. It takes all batches that
 * wait in its port, makes them durable in one transaction, and answers them all.
 * While it does, the next ones gather: under load the transactions grow by
 * themselves, and a lonely entry waits for nothing.
 *
 * Between commits it does its house-keeping in small steps: retention, merging,
 * and moving the WAL into the database.
 */
import type { DatabaseSync } from "node:sqlite";
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { EngineError } from "../engine-error.ts";
import { batchBuffers } from "../entry-batch.ts";
import { Committer, type WaitingBatch } from "./committer.ts";
import { batchFault } from "./entry-wire.ts";
import { isHeadWanted } from "./head-demand.ts";
import { type LogFile, logFilePath, openLogFile, storageError } from "./log-file.ts";
import { Merging } from "./merging.ts";
import { ProducerLedger } from "./producer-ledger.ts";
import { Retention } from "./retention.ts";
import {
  type Commit,
  toFault,
  type WriterReply,
  type WriterRequest,
  type WriterSettings,
} from "./thread-messages.ts";

/** Raw bytes and entries of one transaction: bounds how long the last one in it waits. */
const commitBytesMax = 16 * 1024 * 1024;
const commitEntriesMax = 200_000;

/** Raw bytes committed between two checkpoints; what they take in the WAL is at most about as much. */
const checkpointBytes = 16 * 1024 * 1024;

/** What a transaction writes to the WAL besides its blocks: pages of the tables and indexes, roughly. */
const transactionOverheadBytes = 32 * 1024;

class Writer {
  readonly #port: MessagePort;
  readonly #file: LogFile;
  readonly #path: string;
  readonly #headDemand: SharedArrayBuffer;
  readonly #committer: Committer;
  readonly #retention: Retention;
  readonly #merging: Merging;
  /**
   * Producers of which a batch was not stored, until they have heard of it:
   * what they sent meanwhile would lie before it when it is sent again. They
   * all have batches waiting, which bounds them.
   */
  readonly #failed = new Set<string>();
  #bytesSinceCheckpoint = 0;
  #closing = false;

  constructor(port: MessagePort, settings: WriterSettings, file: LogFile) {
    this.#port = port;
    this.#file = file;
    this.#path = logFilePath(settings.folder);
    this.#headDemand = settings.headDemand;
    const ledger = new ProducerLedger(file.database, settings.producerIdleMs);
    this.#committer = new Committer(file.database, ledger);
    const report = (outcome: WriterReply) => this.#reply(outcome);
    const wrote = (bytes: number) => this.#wrote(bytes);
    this.#retention = new Retention(file.database, ledger, { settings, report, wrote });
    this.#merging = new Merging(file.database, { settings, report, wrote });
  }

  start(): void {
    this.#reply({
      kind: "ready",
      identity: this.#file.identity,
      oldestOffset: this.#retention.oldestOffset(),
      nextOffset: this.#committer.nextOffset,
    });
    this.#port.on("message", (request: WriterRequest) => this.#take(request));
    this.#retention.start();
    this.#merging.start();
  }

  /** Commits this request together with all that wait behind it. */
  #take(first: WriterRequest): void {
    let request: WriterRequest | undefined = first;
    while (request !== undefined && !this.#closing) {
      const group: WaitingBatch[] = [];
      let bytes = 0;
      let entries = 0;
      while (request?.kind === "append" && bytes < commitBytesMax && entries < commitEntriesMax) {
        bytes += request.batch.bytes.length;
        entries += request.batch.count;
        group.push(request);
        request = this.#next();
      }
      const startedAt = performance.now();
      this.#commit(group);
      this.#retention.takeTurn(performance.now() - startedAt);
      this.#merging.takeTurn();
      while (request?.kind === "failure_heard") {
        for (const producer of request.producers) this.#failed.delete(producer);
        request = this.#next();
      }
      if (request?.kind === "close") this.#close();
    }
  }

  #next(): WriterRequest | undefined {
    return receiveMessageOnPort(this.#port)?.message;
  }

  #commit(group: readonly WaitingBatch[]): void {
    const sound = group.filter((waiting) => this.#isSound(waiting) && this.#isInOrder(waiting));
    if (sound.length === 0) return;
    const commit = this.#store(sound);
    if (commit === undefined) return;
    this.#merging.grew(commit);
    this.#wrote(commit.bytes);
  }

  /** Returns what was stored; undefined when nothing was. */
  #store(sound: readonly WaitingBatch[]): Commit | undefined {
    try {
      const { answers, commit } = this.#committer.commit(sound, isHeadWanted(this.#headDemand));
      const buffers = commit.blocks.map((block) => block.buffer);
      const spare = spareBuffers(sound);
      this.#reply({ kind: "committed", answers, commit, spare }, [...buffers, ...spare]);
      return commit;
    } catch (error) {
      const fault = toFault(storageError(error, this.#path));
      const producers = new Set(sound.flatMap(({ batch }) => batch.producerId ?? []));
      for (const producer of producers) this.#failed.add(producer);
      const tickets = sound.map(({ ticket }) => ticket);
      this.#reply({ kind: "failed", tickets, fault, producers: [...producers] });
      return undefined;
    }
  }

  /** A batch that is not one is refused alone, so that it harms no neighbour. */
  #isSound({ ticket, batch }: WaitingBatch): boolean {
    const why = batchFault(batch);
    if (why === undefined) return true;
    const fault = toFault(new EngineError("invalid", `the batch is malformed: ${why}`));
    this.#reply({ kind: "failed", tickets: [ticket], fault, producers: [] });
    return false;
  }

  #isInOrder({ ticket, batch: { producerId } }: WaitingBatch): boolean {
    if (producerId === undefined || !this.#failed.has(producerId)) return true;
    const fault = toFault(
      new EngineError("unavailable", "what the producer sent before this was not stored"),
    );
    this.#reply({ kind: "failed", tickets: [ticket], fault, producers: [] });
    return false;
  }

  /** After so many bytes it moves the WAL into the database: when the answers are out, so that no commit waits for it. */
  #wrote(bytes: number): void {
    this.#bytesSinceCheckpoint += bytes + transactionOverheadBytes;
    if (this.#bytesSinceCheckpoint < checkpointBytes) return;
    this.#bytesSinceCheckpoint = 0;
    try {
      this.#file.checkpoint();
    } catch {
      // Nothing is lost: the WAL goes on growing until a later one succeeds, and
      // a disk that is really broken fails the next commit, which says so.
    }
  }

  #close(): void {
    this.#closing = true;
    this.#retention.stop();
    // Then nobody else has the file open, and the WAL can go.
    void this.#merging.stop().then(() => {
      this.#port.close();
      this.#file.close();
    });
  }

  #reply(reply: WriterReply, transfer: ArrayBuffer[] = []): void {
    this.#port.postMessage(reply, transfer);
  }
}

/** The buffers that the main thread can use again: entries were copied from them into blocks. */
function spareBuffers(stored: readonly WaitingBatch[]): ArrayBuffer[] {
  const buffers = stored.map(({ batch }) => batch.bytes.buffer);
  return buffers
    .filter((buffer) => buffer instanceof ArrayBuffer)
    .filter((buffer) => batchBuffers.isOurs(buffer));
}

function start(port: MessagePort, settings: WriterSettings): void {
  let file: LogFile;
  try {
    file = openLogFile(settings.folder);
    if (settings.fileBytesMax !== undefined) boundFile(file.database, settings.fileBytesMax);
  } catch (error) {
    const fault = toFault(error);
    port.postMessage({ kind: "refused", fault } satisfies WriterReply);
    port.close();
    return;
  }
  new Writer(port, settings, file).start();
}

function boundFile(database: DatabaseSync, bytesMax: number): void {
  const pageBytes = Number(database.prepare("PRAGMA page_size").get()?.["page_size"]);
  database.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(bytesMax / pageBytes))}`);
}

if (parentPort !== null) start(parentPort, workerData);
