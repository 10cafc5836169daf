/** The original contract's StreamLogs for grpc-js, loaded as its users do: by proto-loader. */
import { join } from "node:path";
import { loadSync, type MethodDefinition } from "@grpc/proto-loader";

/** The original's answer. */
export interface OriginalAnswer {
  readonly accepted?: boolean;
  readonly id?: string;
  readonly reason?: string;
}

const contract = join(import.meta.dirname, "../../../e2e/original/log_service.proto");

/** StreamLogs, with its paths and its encodings. */
export const streamLogs: MethodDefinition<object, OriginalAnswer> = loadStreamLogs();

function loadStreamLogs(): MethodDefinition<object, object> {
  const service = loadSync(contract, { defaults: true, longs: Number })["logsvc.LogService"];
  const method = service !== undefined && "StreamLogs" in service ? service["StreamLogs"] : undefined;
  if (method === undefined || typeof method !== "object" || !("requestSerialize" in method))
    throw new Error(`no StreamLogs in ${contract}`);
  return method;
}
