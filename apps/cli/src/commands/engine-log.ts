/**
 * What the engine publishes, in the server's log: what retention deleted, what
 * was merged (for who looks closely), and failures. A failure that lasts is told once, and again after it was over.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Logger } from "pino";

/** Logs what the engine publishes from now on; call the result to stop. */
export function logEngine(logger: Logger): () => void {
  let failure: string | undefined;
  const onFailure = (message: unknown): void => {
    const text = messageOf(message);
    if (text !== failure) logger.error({ failure: message }, `the engine failed: ${text}`);
    failure = text;
  };
  const onCommit = (): void => {
    if (failure !== undefined) logger.info("the engine commits again");
    failure = undefined;
  };
  const onRetention = (message: unknown): void => {
    logger.info({ deleted: message }, "retention deleted the oldest entries");
  };
  const onMerge = (message: unknown): void => {
    logger.debug({ merged: message }, "blocks were merged into one");
  };
  const listeners = [
    ["logsvc:engine:failure", onFailure],
    ["logsvc:engine:commit", onCommit],
    ["logsvc:engine:retention", onRetention],
    ["logsvc:engine:merge", onMerge],
  ] as const;
  for (const [channel, listener] of listeners) subscribe(channel, listener);
  return () => {
    for (const [channel, listener] of listeners) unsubscribe(channel, listener);
  };
}

function messageOf(message: unknown): string {
  return typeof message === "object" && message !== null && "message" in message
    ? String(message.message)
    : String(message);
}
