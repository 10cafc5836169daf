/**
 * What a tail says, in the two forms there are: entries as objects, for JSON
 * and whoever looks at them, or encoded, for the binary formats.
 */
import { create } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import type { Backlog, Block } from "@logsvc/engine";
import {
  limits,
  type StoredEntry,
  StoredEntrySchema,
  type TailLogsResponse,
  TailLogsResponseSchema,
} from "@logsvc/proto";
import { splitByBytes, weighEntry } from "../response-size.ts";
import { endOf, type FilterMatches } from "./shared-matches.ts";

/** What happened, other than entries. */
export type TailEvent =
  | { readonly case: "opened"; readonly value: { readonly heartbeatIntervalMs: number } }
  | { readonly case: "heartbeat"; readonly value: { readonly lag: bigint } }
  | {
      readonly case: "gap";
      readonly value: { readonly from: string; readonly to: string; readonly count: bigint };
    };

/** One response of a tail: TailLogsResponse, and each entry's own cursor. */
export interface TailResponse {
  /** Where to resume after this response. */
  readonly cursor: string;
  readonly entries: StoredEntry[];
  readonly event: TailEvent | { readonly case: undefined };
  /** Where to resume after one of the entries. */
  cursorAt(index: number): string;
}

/** A response, and how many entries are in it. */
export interface Answer<Response> {
  readonly response: Response;
  readonly count: number;
}

/** A form of responses. */
export interface TailAnswers<Response> {
  event(cursor: string, event: TailEvent): Response;
  /** Entries that are objects already, in responses of bounded size. */
  stored(found: Backlog): Iterable<Answer<Response>>;
  /** What matches in consecutive blocks from an entry of the first on, in responses of bounded size. */
  matching(filter: FilterMatches, blocks: readonly Block[], from: number): Iterable<Answer<Response>>;
}

/** Entries as objects, made only as they are sent. */
export const objectAnswers: TailAnswers<TailResponse> = {
  event: (cursor, event) => ({ cursor, entries: [], event, cursorAt: () => cursor }),
  stored: storedObjects,
  matching: matchingObjects,
};

/** Entries encoded, once for all readers with the same filter. Not for JSON, in which they would be missing. */
export const encodedAnswers: TailAnswers<TailLogsResponse> = {
  event: (cursor, event) => create(TailLogsResponseSchema, { cursor, event }),
  *stored(found) {
    for (const { response, count } of storedObjects(found)) {
      const { cursor, entries } = response;
      yield { response: create(TailLogsResponseSchema, { cursor, entries }), count };
    }
  },
  *matching(filter, blocks, from) {
    for (const run of filter.encodedIn(blocks, from)) {
      run.response ??= encodedResponse(run.cursor, run.slices);
      yield { response: run.response, count: run.count };
    }
  },
};

/** Number of the field `entries` in TailLogsResponse. */
const entriesField = 2;

function encodedResponse(cursor: string, slices: readonly Uint8Array[]): TailLogsResponse {
  const response = create(TailLogsResponseSchema, { cursor });
  // An unknown field's bytes are written as they are, after its tag: so the first entry's tag
  // is left out, and the others' come along.
  response.$unknown = slices.map((slice) => ({
    no: entriesField,
    wireType: WireType.LengthDelimited,
    data: slice.subarray(1),
  }));
  return response;
}

function* storedObjects(found: Backlog): Generator<Answer<TailResponse>, void, undefined> {
  let sent = 0;
  for (const entries of splitByBytes(found.entries)) {
    const first = sent;
    sent += entries.length;
    const cursorAt = (index: number): string => found.cursors[first + index] ?? found.cursor;
    const cursor = sent === found.entries.length ? found.cursor : cursorAt(entries.length - 1);
    yield { response: { cursor, entries, event: { case: undefined }, cursorAt }, count: entries.length };
  }
}

function* matchingObjects(
  filter: FilterMatches,
  blocks: readonly Block[],
  from: number,
): Generator<Answer<TailResponse>, void, undefined> {
  let entries: StoredEntry[] = [];
  let cursors: (() => string)[] = [];
  let bytes = 0;
  for (const [place, block] of blocks.entries()) {
    for (const index of filter.indexesIn(block, place === 0 ? from : 0)) {
      const entry = block.entryAt(index);
      const stored = { id: block.idAt(index), entry, receivedAt: block.receivedAt(index) };
      entries.push(create(StoredEntrySchema, stored));
      cursors.push(() => block.cursorAt(index));
      bytes += weighEntry(stored);
      if (bytes < limits.responseBytesMax) continue;
      yield objectsAnswer(entries, cursors, cursors.at(-1)?.() ?? "");
      entries = [];
      cursors = [];
      bytes = 0;
    }
  }
  // The end of the blocks, though the last entries may not match: all of them were dealt with.
  if (entries.length > 0) yield objectsAnswer(entries, cursors, endOf(blocks));
}

function objectsAnswer(
  entries: StoredEntry[],
  cursors: readonly (() => string)[],
  cursor: string,
): Answer<TailResponse> {
  const cursorAt = (index: number): string => cursors[index]?.() ?? cursor;
  return { response: { cursor, entries, event: { case: undefined }, cursorAt }, count: entries.length };
}
