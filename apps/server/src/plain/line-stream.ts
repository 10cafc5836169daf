/**
 * A response of lines, as they come: an error before the first one is an HTTP
 * status with a JSON body, a later one is a last line {"error":{"code","message"}},
 * so that what was cut can be told from what is whole.
 */
import { once } from "node:events";
import type { FastifyReply, FastifyRequest } from "fastify";
import { errorBody, httpStatusOf, toConnectError } from "../wire/connect-errors.ts";
import { takeOver } from "../wire/take-over.ts";

/** Lines, each with its line end; several may come in one text. What it returns goes into the trailers. */
export type Lines = AsyncGenerator<string, Readonly<Record<string, string>> | undefined, undefined>;

/** Options of `sendLines`. */
export interface LineStreamOptions {
  /** Names of the trailers that may follow. */
  readonly trailers?: readonly string[];
}

/** Sends what `produce` yields, no faster than the client reads; its signal aborts when the client is gone. */
export async function sendLines(
  request: FastifyRequest,
  reply: FastifyReply,
  produce: (signal: AbortSignal) => Lines,
  options: LineStreamOptions = {},
): Promise<void> {
  const gone = new AbortController();
  reply.raw.once("close", () => gone.abort());
  const lines = produce(gone.signal);
  const failed = (error: unknown): ReturnType<typeof toConnectError> =>
    toConnectError(error, (unknown) => request.log.error({ err: unknown }, "a request failed unexpectedly"));
  try {
    let step = await lines.next().catch(async (error: unknown) => {
      await sendError(reply, failed(error));
      return undefined;
    });
    if (step === undefined) return;
    // HTTP/1.0, which many proxies speak, has no trailers, and Node refuses to announce any.
    const canTrail = request.raw.httpVersion !== "1.0";
    begin(reply, canTrail ? options : {});
    while (step.done !== true) {
      if (!reply.raw.write(step.value)) await once(reply.raw, "drain", { signal: gone.signal });
      step = await lines.next();
    }
    if (canTrail && step.value !== undefined) reply.raw.addTrailers(step.value);
  } catch (error) {
    // Of no use to a client that is gone.
    if (!gone.signal.aborted) reply.raw.write(`${JSON.stringify({ error: errorBody(failed(error)) })}\n`);
  } finally {
    await lines.return(undefined);
    if (reply.raw.headersSent) reply.raw.end();
  }
}

/** An error as the whole response. */
export async function sendError(
  reply: FastifyReply,
  error: ReturnType<typeof toConnectError>,
): Promise<void> {
  await reply.code(httpStatusOf(error)).send(errorBody(error));
}

/** The headers, at once: a client that waits for the first line learns that it is connected. */
function begin(reply: FastifyReply, { trailers = [] }: LineStreamOptions): void {
  reply.headers({
    "content-type": "application/x-ndjson",
    "cache-control": "no-store",
    // nginx passes on what it gets instead of collecting it.
    "x-accel-buffering": "no",
    ...(trailers.length > 0 ? { trailer: trailers.join(", ") } : {}),
  });
  takeOver(reply);
  reply.raw.writeHead(200);
  reply.raw.flushHeaders();
}
