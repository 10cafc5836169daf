/** Typed clients of a server under test, straight from the protos: what the packages under test add is not in between. */

import type { TestContext } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { type Client, createClient } from "@connectrpc/connect";
import { createConnectTransport, Http2SessionManager } from "@connectrpc/connect-node";
import {
  LogEntrySchema,
  LogService,
  Order,
  type StoredEntry,
  type TailLogsRequestSchema,
  type WatchStatsResponse,
  type WriteLogsRequest,
  WriteLogsRequestSchema,
} from "@logsvc/proto";

/** A client of all nine RPCs. */
export type LogRpc = Client<typeof LogService>;

/** A tail that has not brought its entries by then is not going to. */
const tailDeadlineMs = 60_000;

/** A client over HTTP/2 on a connection of its own, which ends with the test. */
export function connectRpc(t: TestContext, url: string): LogRpc {
  const sessionManager = new Http2SessionManager(url, {}, { rejectUnauthorized: false });
  t.after(() => sessionManager.abort());
  return createClient(LogService, createConnectTransport({ baseUrl: url, httpVersion: "2", sessionManager }));
}

/** A batch of entries with the given messages. */
export function batchOf(messages: readonly string[], service = "test"): WriteLogsRequest {
  return create(WriteLogsRequestSchema, {
    entries: messages.map((message) => create(LogEntrySchema, { level: "info", message, service })),
  });
}

/** The server's figures, now. */
export async function readStats(rpc: LogRpc): Promise<WatchStatsResponse> {
  const reading = new AbortController();
  try {
    for await (const stats of rpc.watchStats({}, { signal: reading.signal })) return stats;
    throw new Error("WatchStats ended without an answer");
  } finally {
    // Leaving the loop does not cancel the call: the server would go on for ever.
    reading.abort();
  }
}

/** Reads a tail until it has brought so many entries, and cancels it. */
export async function readTail(
  rpc: LogRpc,
  request: MessageInitShape<typeof TailLogsRequestSchema>,
  count: number,
): Promise<{ entries: StoredEntry[]; cursor: string }> {
  const reading = new AbortController();
  const signal = AbortSignal.any([reading.signal, AbortSignal.timeout(tailDeadlineMs)]);
  const entries: StoredEntry[] = [];
  let cursor = "";
  try {
    for await (const response of rpc.tailLogs(request, { signal })) {
      cursor = response.cursor;
      entries.push(...response.entries);
      if (entries.length >= count) break;
    }
    return { entries, cursor };
  } finally {
    reading.abort();
  }
}

/** The messages of entries. */
export function messagesOf(entries: readonly StoredEntry[]): string[] {
  return entries.map((stored) => stored.entry?.message ?? "");
}

/** Every entry of the log, the oldest first, by as many pages as it takes. */
export async function readAll(rpc: LogRpc, filter = ""): Promise<StoredEntry[]> {
  const entries: StoredEntry[] = [];
  let pageToken = "";
  do {
    let next = "";
    for await (const page of rpc.queryLogs({ filter, order: Order.OLDEST_FIRST, limit: 10_000, pageToken })) {
      entries.push(...page.entries);
      if (page.progress?.complete) next = page.progress.nextPageToken;
    }
    pageToken = next;
  } while (pageToken !== "");
  return entries;
}
