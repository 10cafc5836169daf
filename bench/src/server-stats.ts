/** What our server says of itself: whether the clients that should be connected are, and what it has deleted. */
import { createNodeClient } from "@logsvc/client-node";

/** What it says. */
export interface ServerStats {
  readonly openTails: number;
  /** Entries that the slowest tail is behind. */
  readonly lagMax: number;
  /** Streams that write. */
  readonly openStreams: number;
  /** Entries stored now. */
  readonly entries: number;
  /** Entries that retention has deleted since the server started. */
  readonly deleted: number;
}

/** Asks a server of ours. */
export async function statsOf(url: string): Promise<ServerStats> {
  const client = createNodeClient({ url });
  for await (const { tail, ingest, storage } of client.watchStats()) {
    return {
      openTails: Number(tail?.open),
      lagMax: Number(tail?.lagMax),
      openStreams: Number(ingest?.streams),
      entries: Number(storage?.entries),
      deleted: Number(storage?.deleted),
    };
  }
  throw new Error("the server ended its stats");
}
