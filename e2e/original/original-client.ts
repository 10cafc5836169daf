/**
 * The original contract's client: gRPC, and of logsvc nothing but the text of
 * log_service.proto beside this file.
 */

import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import grpc from "@grpc/grpc-js";
import protoLoader, { type MethodDefinition } from "@grpc/proto-loader";

const protoPath = fileURLToPath(new URL("log_service.proto", import.meta.url));

/** The original's LogEntry. */
export interface OriginalEntry {
  readonly level: string;
  readonly message: string;
  /** Unix seconds. */
  readonly timestamp: number;
}

/** The original's LogResponse. */
export interface OriginalAnswer {
  readonly accepted: boolean;
  readonly id: string;
  readonly reason: string;
}

/** An open stream of the original contract. */
export type OriginalStream = grpc.ClientDuplexStream<OriginalEntry, OriginalAnswer>;

/** The original's StreamLogs as the loader read it. */
export const streamLogs: MethodDefinition<object, object> = loadStreamLogs();

/** A client of the server at `url`, closed with the test; `open` begins a stream. */
export function connectOriginal(
  t: TestContext,
  url: string,
): { open(options?: grpc.CallOptions): OriginalStream } {
  const client = new grpc.Client(new URL(url).host, grpc.credentials.createInsecure());
  t.after(() => client.close());
  return {
    open: (options = {}) =>
      client.makeBidiStreamRequest<OriginalEntry, OriginalAnswer>(
        streamLogs.path,
        streamLogs.requestSerialize,
        decodeAnswer,
        options,
      ),
  };
}

/** Decodes an answer as the original does. */
export function decodeAnswer(bytes: Buffer): OriginalAnswer {
  const answer: object = streamLogs.responseDeserialize(bytes);
  if (
    "accepted" in answer &&
    typeof answer.accepted === "boolean" &&
    "id" in answer &&
    typeof answer.id === "string" &&
    "reason" in answer &&
    typeof answer.reason === "string"
  ) {
    return { accepted: answer.accepted, id: answer.id, reason: answer.reason };
  }
  throw new Error(`not an answer: ${JSON.stringify(answer)}`);
}

/** All answers to the end, and the status that ended the stream. */
export async function readAnswers(
  stream: OriginalStream,
): Promise<{ answers: OriginalAnswer[]; status: grpc.StatusObject }> {
  const answers: OriginalAnswer[] = [];
  const { promise, resolve } = Promise.withResolvers<grpc.StatusObject>();
  stream.on("data", (answer: OriginalAnswer) => answers.push(answer));
  stream.on("status", resolve);
  // The status tells the same.
  stream.on("error", () => undefined);
  return { status: await promise, answers };
}

function loadStreamLogs(): MethodDefinition<object, object> {
  const service = protoLoader.loadSync(protoPath, { defaults: true, longs: Number })["logsvc.LogService"];
  const method = service !== undefined && "StreamLogs" in service ? service["StreamLogs"] : undefined;
  if (method === undefined || typeof method !== "object" || !("requestSerialize" in method))
    throw new Error(`no StreamLogs in ${protoPath}`);
  return method;
}
