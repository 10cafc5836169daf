/**
 * The shipper as its users see it: what it is told, what it tells, and what it
 * does in between. How it does it: create-shipper.ts.
 */
import type { Clock, LogEntryInit } from "@logsvc/client";
import type { NodeClientOptions } from "../node-client.ts";
import type { WindowState } from "../ship-window.ts";
import type { SpoolOptions } from "../spool/spool-options.ts";

/** Options of createShipper. Only `url` is required. */
export interface ShipperOptions extends Omit<NodeClientOptions, "compression" | "httpVersion"> {
  /** The service of entries that name none. */
  readonly service?: string;
  /** Attributes of every entry. An entry's own of the same name goes before. */
  readonly attributes?: Readonly<Record<string, string>>;
  /**
   * Where entries wait on disk: a folder, made when it is not there, or more
   * about it. Several processes may have the same one. Default: none, and what
   * does not fit into memory is dropped, or waited for, as `overflow` says.
   */
  readonly spool?: string | SpoolOptions;
  /**
   * Bytes of entries in memory, encoded, sent or not, at the most (the
   * OpenTelemetry SDK's maxQueueSize, in bytes). One entry of the greatest size,
   * 1 MiB, less are used. Default: 32 MiB, from 4 MiB to 4 GiB.
   */
  readonly memoryBytesMax?: number;
  /** Entries of a batch, at the most (maxExportBatchSize). Default: 5 000, from 1 to 10 000. */
  readonly batchEntriesMax?: number;
  /** Bytes with which a batch is full; the entry that fills it still belongs to it. Default: 512 KiB, from 1 KiB to 4 MiB. */
  readonly batchBytesMax?: number;
  /** How long an entry waits for others, in milliseconds (Kafka's linger.ms). Default: 100, from 0 to 60 000. */
  readonly batchAgeMsMax?: number;
  /** Batches sent and not yet answered, at the most. Default: 16, from 1 to 1 024. */
  readonly inFlightMax?: number;
  /** Compress batches. zstd costs a third of gzip's time. For far servers; near ones are faster without. Default: none. */
  readonly compression?: "gzip" | "zstd";
  /**
   * What happens when memory and spool are full. Default: "drop-oldest".
   *
   * - "drop-oldest": the entries that have waited longest are dropped, a batch
   *   together, or a segment of the spool. For loggers: the newest tell most.
   * - "drop-newest": `write` does not take the entry.
   * - "block": `write` returns false when there is no more room, and whoever
   *   awaits `ready` then loses nothing. For streams.
   */
  readonly overflow?: "block" | "drop-oldest" | "drop-newest";
  /**
   * A file for entries that were refused for good, a JSON object a line:
   * `{"rejectedAt", "reason", "entry"}`. At 64 MiB it becomes `<file>.1`.
   * Default: none; they are told to "rejected" alone.
   */
  readonly deadLetter?: string;
  /**
   * Flushes when the process has nothing left to do and saves to the spool when
   * it exits, as `flushOnExit(shipper, process)` does. Default: false, since a
   * library does nothing to the process behind its user's back.
   */
  readonly flushOnExit?: boolean;
  /** Aborting closes the shipper at once; what is not acknowledged goes to the spool, where there is one. */
  readonly signal?: AbortSignal;
  /** Where time, waiting and jitter come from. Default: the runtime. For tests. */
  readonly clock?: Clock;
}

/** Delivers entries. */
export interface LogShipper {
  /**
   * Takes an entry. Never throws, never blocks, and keeps nothing of the object:
   * it is encoded at once. An entry without a timestamp gets the time of now.
   *
   * @returns False when the entry was dropped or refused, each of which is told
   *   by an event and counted; with `overflow: "block"` also when it was taken
   *   and there is no room for another one: `if (!write(entry)) await ready()`.
   */
  write(entry: LogEntryInit): boolean;

  /** Resolves when there is room for another entry, or the shipper is closed. */
  ready(): Promise<void>;

  /**
   * Sends what waits for its batch, and resolves when everything written so far
   * is acknowledged, refused or dropped, what an earlier run left in the spool
   * included; or when the time is over: `pending` tells how much is not. Never
   * rejects. Default: as long as it takes.
   */
  flush(options?: TimeoutOptions): Promise<ShipperSummary>;

  /**
   * Takes no more entries, flushes, saves the rest to the spool, and lets go of
   * connection and spool. Never rejects. A second call returns the first one's
   * promise. Default: 10 seconds.
   */
  close(options?: TimeoutOptions): Promise<ShipperSummary>;

  /**
   * Saves what is not acknowledged to the spool, without a turn of the event
   * loop: for the "exit" event of a process, after which nothing asynchronous
   * runs. Blocks for as long as the disk takes, and leaves the shipper closed.
   * Without a spool the entries are lost, and counted as pending.
   */
  saveSync(): ShipperSummary;

  readonly state: ShipperState;
  readonly summary: ShipperSummary;

  /** Adds a listener. What it throws is told to "fault". */
  on<Name extends keyof ShipperEvents>(name: Name, listener: ShipperListener<Name>): this;
  /** Removes it. */
  off<Name extends keyof ShipperEvents>(name: Name, listener: ShipperListener<Name>): this;

  /** As `close`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** How long something may take. */
export interface TimeoutOptions {
  /** In milliseconds, from 0. */
  readonly timeoutMs?: number;
}

/** What a listener is called with. */
export type ShipperListener<Name extends keyof ShipperEvents> = (event: ShipperEvents[Name]) => void;

/**
 * What a shipper tells. Nothing is lost without "rejected", "dropped" or a
 * "fault". The same is published on `node:diagnostics_channel`, as
 * `logsvc:shipper:rejected` and so on.
 */
export interface ShipperEvents {
  /** An entry was refused for good, by the server or because it can't be sent. */
  readonly rejected: RejectedWrite;
  /** Entries were dropped. Told at once, then once a second at the most. */
  readonly dropped: DroppedEntries;
  /** The state has changed; also for each retry. */
  readonly state: ShipperState;
  /** Something is wrong with the spool, the dead letter file or a listener. The shipper goes on. */
  readonly fault: ShipperFault;
}

/** An entry that was refused for good. */
export interface RejectedWrite {
  /** The entry, with what the shipper added to it: a LogEntry when it was sent, what was given to `write` otherwise. */
  readonly entry: LogEntryInit;
  /** Names the field, the limit and the value. */
  readonly reason: string;
}

/** Why entries were dropped. */
export interface DroppedEntries {
  readonly count: number;
  /**
   * - "overflow": memory, and the spool if there is one, were full.
   * - "closed": written after `close`.
   */
  readonly reason: "overflow" | "closed";
}

/** What a shipper is doing. */
export type ShipperState =
  | WindowState
  /** `close` was called: takes no more, and sends what it can until then. */
  | { readonly kind: "draining" }
  /** Over. */
  | { readonly kind: "closed" };

/** What went wrong beside the connection. */
export interface ShipperFault {
  /**
   * - "spool-unavailable": the spool can't be opened, read or written now: it
   *   is full of others' files, on a full disk, or not ours to write. Entries
   *   stay in memory; it is tried again.
   * - "spool-shared": so many processes share the folder that none of its places is free.
   * - "spool-damaged": bytes in the spool do not read as they were written, and were set aside.
   * - "dead-letter": the file can't be written; its entries were told to "rejected" alone.
   * - "listener": a listener has thrown.
   */
  readonly kind: "spool-unavailable" | "spool-shared" | "spool-damaged" | "dead-letter" | "listener";
  /** For a person: what, where, and what becomes of the entries. */
  readonly message: string;
  readonly error?: Error;
}

/**
 * Counts of entries since the shipper was created. `written` is the sum of
 * `accepted`, `rejected`, `dropped` and `pending`, but for what an earlier run
 * left in the spool: that is in `recovered` besides.
 */
export interface ShipperSummary {
  /** Given to `write`. */
  readonly written: number;
  /** Found in the spool, left by an earlier run. */
  readonly recovered: number;
  /** On the server's disk, repeats included. */
  readonly accepted: number;
  /** Of the accepted: stored before, so not again. Entries that were sent again after a break, as a rule. */
  readonly duplicates: number;
  /** Refused for good, each told to "rejected". */
  readonly rejected: number;
  /** Dropped, told to "dropped". */
  readonly dropped: number;
  /** Lost in the spool, as its bytes were damaged; told to "fault". */
  readonly damaged: number;
  /** Not yet settled: in memory, in the spool, or both. */
  readonly pending: number;
  /** What is held in memory. */
  readonly inMemory: HeldEntries;
  /** What is in the spool and not acknowledged; some of it is in memory too. */
  readonly spooled: HeldEntries;
}

/** Some entries. */
export interface HeldEntries {
  readonly entries: number;
  readonly bytes: number;
}
