/** What our server says of its clients: whether those that should be connected are. */
import { createNodeClient } from "@logsvc/client-node";

/** Who is connected now. */
export interface ConnectedClients {
  readonly openTails: number;
  /** Entries that the slowest tail is behind. */
  readonly lagMax: number;
  /** Streams that write. */
  readonly openStreams: number;
}

/** Asks a server of ours. */
export async function statsOf(url: string): Promise<ConnectedClients> {
  const client = createNodeClient({ url });
  for await (const { tail, ingest } of client.watchStats()) {
    return {
      openTails: Number(tail?.open),
      lagMax: Number(tail?.lagMax),
      openStreams: Number(ingest?.streams),
    };
  }
  throw new Error("the server ended its stats");
}
