/**
 * The client for Node: everything the neutral client does, over HTTP/2, and the
 * streams to the server that browsers can't do.
 */
import { randomUUID } from "node:crypto";
import {
  Code,
  ConnectError,
  callOptions,
  cancellable,
  checkOrigin,
  createLogClient,
  type LogClient,
  type LogClientOptions,
  type LogEntryInit,
  type LogRpc,
  toEncodedRequest,
  type UploadLogsResponse,
  type WriteBatch,
  type WriteLogsResponse,
} from "@logsvc/client";
import { type BatchEntriesOptions, batchEntries } from "./batch-entries.ts";
import { Condition } from "./condition.ts";
import { type EntryStream, type EntryStreamOptions, openEntryStream } from "./entry-stream.ts";
import { createFramedShip } from "./framed-ship.ts";
import { createNodeTransport, type NodeTransportOptions } from "./node-transport.ts";

/** Options of createNodeClient. */
export interface NodeClientOptions extends NodeTransportOptions, LogClientOptions {}

/** A client that can also stream to the server. */
export interface NodeLogClient extends LogClient {
  /** Opens StreamLogs: an answer for each entry. Needs HTTP/2. */
  stream(options?: EntryStreamOptions): EntryStream;

  /**
   * Sends batches over one ShipLogs stream and yields an answer for each, in
   * order, several in flight. It does not retry: `openBatchSender` does. Needs
   * HTTP/2.
   *
   * @throws ConnectError when the stream breaks: batches without an answer may
   *   or may not be stored. What the source throws.
   */
  ship(
    batches: Iterable<WriteBatch> | AsyncIterable<WriteBatch>,
    options?: ShipOptions,
  ): AsyncIterable<WriteLogsResponse>;

  /**
   * Uploads entries in batches and resolves with the sum when all accepted ones
   * are on disk. It does not retry; with a producer id it can be repeated
   * without storing anything twice.
   *
   * @throws ConnectError when it breaks off: batches before that may be stored.
   *   What the source throws.
   */
  upload(
    entries: Iterable<LogEntryInit> | AsyncIterable<LogEntryInit>,
    options?: UploadOptions,
  ): Promise<UploadLogsResponse>;

  /** Closes the connection and ends every call on it, so that the process can exit. Calls after that are refused. */
  close(): void;

  [Symbol.dispose](): void;
}

/** Options of `ship`. */
export interface ShipOptions {
  /** Batches sent and not yet answered, at the most. Default: 16, from 1 to 1 024. */
  readonly inFlightMax?: number;
  /** Aborting cancels the stream at once. */
  readonly signal?: AbortSignal;
}

/** Options of `upload`, and how it cuts batches. */
export interface UploadOptions extends BatchEntriesOptions {
  /** Names the entries' count of sequences. At most 128 bytes. */
  readonly producerId?: string;
  /** The sequence of the first entry; the others follow one by one. Needs a producer id. Default: each entry's own. */
  readonly firstSequence?: number;
  /** Called with each batch that is handed to the connection. */
  readonly onProgress?: (progress: UploadProgress) => void;
  /** Aborting cancels the upload at once. */
  readonly signal?: AbortSignal;
}

/** How far an upload is: handed to the connection, not yet acknowledged. */
export interface UploadProgress {
  readonly entries: number;
  readonly batches: number;
}

/** Batches in flight when the caller does not say: enough to keep the disk busy over a slow network. */
export const inFlightMaxDefault = 16;

/** Batches in flight at the most: each has an answer to wait for. */
const inFlightMaxLimit = 1_024;

/**
 * Creates a client. It connects with the first call.
 *
 * @throws TypeError or RangeError that names the option, what was expected and what was given.
 */
export function createNodeClient(options: NodeClientOptions): NodeLogClient {
  const { transport, streamRuns, shipRuns, close } = createNodeTransport(options);
  const client = createLogClient(transport, options);
  const { shipLogs } = client.rpc;
  const rpc: LogRpc =
    shipRuns === undefined ? client.rpc : { ...client.rpc, shipLogs: createFramedShip(shipRuns, shipLogs) };
  return {
    ...client,
    rpc,
    write: async (entries, writeOptions = {}) =>
      client.rpc.writeLogs(toEncodedRequest({ ...writeOptions, entries }), callOptions(writeOptions)),
    stream: (streamOptions) => openEntryStream(streamRuns, streamOptions),
    ship: (batches, shipOptions = {}) => ship(rpc, batches, shipOptions),
    upload: (entries, uploadOptions = {}) => upload(client.rpc, entries, uploadOptions),
    close,
    [Symbol.dispose]: close,
  };
}

/** A new random producer id: a UUID. */
export function createProducerId(): string {
  return randomUUID();
}

/**
 * Checks how many batches may be in flight.
 *
 * @throws RangeError
 */
export function checkInFlightMax(inFlightMax: number): number {
  if (!Number.isInteger(inFlightMax) || inFlightMax < 1 || inFlightMax > inFlightMaxLimit) {
    throw new RangeError(
      `Expected inFlightMax to be an integer from 1 to ${inFlightMaxLimit}, got ${inFlightMax}`,
    );
  }
  return inFlightMax;
}

async function* ship(
  rpc: LogRpc,
  batches: Iterable<WriteBatch> | AsyncIterable<WriteBatch>,
  options: ShipOptions,
): AsyncGenerator<WriteLogsResponse, void, undefined> {
  const inFlightMax = checkInFlightMax(options.inFlightMax ?? inFlightMaxDefault);
  const condition = new Condition();
  const failed = new RequestFailure();
  let inFlight = 0;
  let over = false;
  let allSent = false;
  async function* requests() {
    for await (const batch of batches) {
      while (inFlight >= inFlightMax && !over) await condition.changed();
      if (over) return;
      inFlight++;
      yield toEncodedRequest(batch);
    }
    allSent = true;
  }
  try {
    for await (const answer of cancellable(
      (signal) => rpc.shipLogs(failed.watch(requests()), { signal }),
      options.signal,
    )) {
      inFlight--;
      condition.notify();
      yield answer;
    }
    if (!allSent || inFlight > 0) throw new ConnectError("the server ended the stream", Code.Unavailable);
  } catch (reason) {
    throw failed.reason ?? reason;
  } finally {
    over = true;
    condition.notify();
  }
}

async function upload(
  rpc: LogRpc,
  entries: Iterable<LogEntryInit> | AsyncIterable<LogEntryInit>,
  options: UploadOptions,
): Promise<UploadLogsResponse> {
  checkOrigin(options);
  const { producerId = "", firstSequence = 0, signal, onProgress } = options;
  const failed = new RequestFailure();
  async function* requests() {
    const progress = { entries: 0, batches: 0 };
    for await (const batch of batchEntries(entries, options)) {
      const sequence = firstSequence === 0 ? 0 : firstSequence + progress.entries;
      progress.entries += batch.length;
      progress.batches++;
      yield toEncodedRequest({ entries: batch, producerId, firstSequence: sequence });
      onProgress?.({ ...progress });
    }
  }
  try {
    return await rpc.uploadLogs(failed.watch(requests()), { ...(signal && { signal }) });
  } catch (reason) {
    throw failed.reason ?? reason;
  }
}

/** Connect turns what the requests' source throws into an error of the connection; the caller wants the source's own. */
class RequestFailure {
  reason: Error | undefined;

  async *watch<T>(requests: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    try {
      yield* requests;
    } catch (cause) {
      this.reason = cause instanceof Error ? cause : new Error(String(cause), { cause });
      throw this.reason;
    }
  }
}
