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
  for await (const init of requests) {
    const request = isMessage(init, WriteLogsRequestSchema) ? init : create(WriteLogsRequestSchema, init);
    yield frameOf(request);
  }
}

/** Tags of WriteLogsRequest's fields. */
const entriesTag = 0x0a;

function frameOf(request: WriteLogsRequest): Uint8Array {
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
  const frame = new Uint8Array(frameHeaderBytes + length);
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
