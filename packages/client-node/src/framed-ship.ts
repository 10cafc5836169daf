/**
 * ShipLogs by frames, past Connect (run-transport.ts): a batch that is encoded
 * already is copied once, into its frame. Connect would copy it five times.
 */
import { create, isMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  frameHeaderBytes,
  type LogRpc,
  limits,
  messageLengthAt,
  parseAnswer,
  type WriteLogsRequest,
  WriteLogsRequestSchema,
  type WriteLogsResponse,
  WriteLogsResponseSchema,
  writeFrameHeader,
} from "@logsvc/client";
import type { StreamRuns } from "./run-transport.ts";

type ShipLogs = LogRpc["shipLogs"];

/**
 * ShipLogs as the RPC client has it, but by frames.
 *
 * @param shipLogs The RPC by messages, for calls with options that frames don't have.
 */
export function createFramedShip(shipRuns: StreamRuns, shipLogs: ShipLogs): ShipLogs {
  return (requests, options = {}) => {
    const { headers, signal, ...others } = options;
    if (Object.values(others).some((option) => option !== undefined)) return shipLogs(requests, options);
    const fields = Object.fromEntries(new Headers(headers));
    return answersIn(shipRuns(framesOf(requests), fields, signal ?? new AbortController().signal));
  };
}

async function* answersIn(
  runs: AsyncIterable<Uint8Array>,
): AsyncGenerator<WriteLogsResponse, void, undefined> {
  for await (const frames of runs) {
    for (let at = 0; at < frames.length; ) {
      const from = at + frameHeaderBytes;
      at = from + messageLengthAt(frames, at);
      yield parseAnswer(WriteLogsResponseSchema, frames.subarray(from, at));
    }
  }
}

async function* framesOf(
  requests: AsyncIterable<MessageInitShape<typeof WriteLogsRequestSchema>>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const buffer = new FrameBuffer();
  for await (const init of requests) {
    const request = isMessage(init, WriteLogsRequestSchema) ? init : create(WriteLogsRequestSchema, init);
    yield frameOf(request, buffer);
  }
}

/** A larger one is not kept: a single large batch must not hold it for as long as the call lasts. */
const keptBytesMax = 2 * 1024 * 1024;

/** Room for one frame, used again for the next: who asks for that is done with this one (see StreamRuns). */
class FrameBuffer {
  #bytes = new Uint8Array(0);

  /** What is in it is of no meaning. */
  take(length: number): Uint8Array {
    if (length > keptBytesMax) return new Uint8Array(length);
    if (length > this.#bytes.length) this.#bytes = new Uint8Array(Math.min(keptBytesMax, 2 * length));
    return this.#bytes.subarray(0, length);
  }
}

/** Tags of WriteLogsRequest's fields. */
const entriesTag = 0x0a;

function frameOf(request: WriteLogsRequest, buffer: FrameBuffer): Uint8Array {
  // As encodedRequest makes it: the entries are one unknown field, without the first one's tag.
  const [encoded, another] = request.$unknown ?? [];
  const isEncoded = encoded !== undefined && another === undefined && request.entries.length === 0;
  const { producerId, firstSequence } = request;
  const rest = isEncoded
    ? toBinary(WriteLogsRequestSchema, create(WriteLogsRequestSchema, { producerId, firstSequence }))
    : toBinary(WriteLogsRequestSchema, request);
  const entriesBytes = isEncoded ? 1 + encoded.data.length : 0;
  const length = entriesBytes + rest.length;
  if (length > limits.batchBytesMax) throw tooLarge(length);
  const frame = buffer.take(frameHeaderBytes + length);
  writeFrameHeader(frame, 0, 0, length);
  if (isEncoded) {
    frame[frameHeaderBytes] = entriesTag;
    frame.set(encoded.data, frameHeaderBytes + 1);
  }
  frame.set(rest, frameHeaderBytes + entriesBytes);
  return frame;
}

/** In Connect's words, as it would refuse to send it. */
function tooLarge(length: number): ConnectError {
  const message = `message size ${length} is larger than configured writeMaxBytes ${limits.batchBytesMax}`;
  return new ConnectError(message, Code.ResourceExhausted);
}
