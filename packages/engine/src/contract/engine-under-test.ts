/**
 * What the tests of the contract are given, and what they all need: entries of
 * every kind, in batches, and ways to read a log to its end.
 */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { create } from "@bufbuild/protobuf";
import { parseFilter } from "@logsvc/filter";
import { type LogEntry, LogEntrySchema, type StoredEntry } from "@logsvc/proto";
import type { Engine } from "../engine.ts";
import type { EngineErrorCode } from "../engine-error.ts";
import { EngineError } from "../engine-error.ts";
import { type EntryBatch, EntryBatchBuilder } from "../entry-batch.ts";

/** An engine with an empty log of its own. */
export interface EngineUnderTest {
  /** The open engine; another one after `reopen`. */
  readonly engine: Engine;
  /** Closes the engine, and opens its log again. */
  reopen(): Promise<Engine>;
}

/** Opens an engine for a test, and registers with `t.after` what cleans up behind it. */
export type OpenEngine = (t: TestContext) => Promise<EngineUnderTest>;

/** One promise of the contract. */
export interface ContractTest {
  readonly name: string;
  run(t: TestContext, open: OpenEngine): Promise<void>;
}

/** Every entry. */
export const everything = parseFilter("*");

/** Time 0 of the tests' entries: 2026-01-01, in nanoseconds. */
export const epoch = 1_767_225_600_000_000_000n;

/** An entry, complete but for what the test is about. */
export function entryOf(fields: Partial<Omit<LogEntry, "$typeName">> = {}): LogEntry {
  return create(LogEntrySchema, { level: "INFO", message: "a message", timestamp: epoch, ...fields });
}

/** `count` entries that say who they are: "<name> 0", "<name> 1", … */
export function entriesOf(name: string, count: number): LogEntry[] {
  return Array.from({ length: count }, (_, index) =>
    entryOf({ message: `${name} ${index}`, timestamp: epoch + BigInt(index) }),
  );
}

/** A batch. With a producer, `sequences` are the entries' (0: none). */
export function batchOf(
  entries: readonly LogEntry[],
  producerId?: string,
  sequences?: readonly number[],
): EntryBatch {
  const builder = new EntryBatchBuilder(producerId);
  for (const [index, entry] of entries.entries()) builder.add(entry, sequences?.[index] ?? 0);
  return builder.build();
}

/** An entry as a reader sees it. */
export interface ReadEntry {
  readonly id: string;
  /** The cursor just after it. */
  readonly cursor: string;
  readonly entry: LogEntry;
  readonly receivedAt: bigint;
}

/** Reads from a cursor up to the watermark of now, and fails at a gap. */
export async function readToEnd(engine: Engine, cursor: string): Promise<ReadEntry[]> {
  const missing = engine.lag(cursor);
  return readEntries(engine, cursor, missing);
}

/** Reads `count` entries after a cursor, waiting for them, and fails at a gap. */
export async function readEntries(engine: Engine, cursor: string, count: number): Promise<ReadEntry[]> {
  const read: ReadEntry[] = [];
  if (count === 0) return read;
  for await (const event of engine.read(cursor, { signal: AbortSignal.timeout(20_000) })) {
    assert.equal(event.kind, "blocks");
    const { blocks, from } = event;
    for (const [place, block] of blocks.entries()) {
      for (let index = place === 0 ? from : 0; index < block.count; index++) {
        read.push({
          id: block.idAt(index),
          cursor: block.cursorAt(index),
          entry: block.entryAt(index),
          receivedAt: block.receivedAt(index),
        });
      }
    }
    if (read.length >= count) return read;
  }
  assert.fail(`${read.length} of ${count} entries were read in 20 s`);
}

/** The messages of entries, which the tests tell them apart by. */
export function messagesOf(entries: readonly { readonly entry?: LogEntry | undefined }[]): string[] {
  return entries.map(({ entry }) => entry?.message ?? "");
}

/** A page of a query, or all its pages, one after another. */
export async function queryAll(
  engine: Engine,
  request: Omit<Parameters<Engine["query"]>[0], "pageToken">,
  pagesMax = Number.POSITIVE_INFINITY,
): Promise<StoredEntry[]> {
  const entries: StoredEntry[] = [];
  let pageToken = "";
  for (let page = 0; page < pagesMax; page++) {
    const before = entries.length;
    for await (const step of engine.query({ ...request, pageToken })) {
      entries.push(...step.entries);
      if (step.progress?.complete) pageToken = step.progress.nextPageToken;
    }
    assert.ok(entries.length - before <= request.limit, "a page holds no more than its limit");
    if (pageToken === "") break;
  }
  return entries;
}

/** Expects an EngineError of a code; returns it. */
export async function rejectsWith(code: EngineErrorCode, work: () => unknown): Promise<EngineError> {
  try {
    await work();
  } catch (error) {
    assert.ok(error instanceof EngineError, `an EngineError, not ${String(error)}`);
    assert.equal(error.code, code, error.message);
    return error;
  }
  return assert.fail(`expected the EngineError ${code}`);
}

/** The first event of a read, or of any other stream. */
export async function firstOf<T>(stream: AsyncIterable<T>): Promise<T | undefined> {
  for await (const item of stream) return item;
  return undefined;
}

/** Numbers that look random and are the same in each run: mulberry32. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** A whole number from 0 to `below` - 1. */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  }

  /** One of these. */
  of<T>(items: readonly [T, ...T[]]): T {
    return items[this.below(items.length)] ?? items[0];
  }
}
