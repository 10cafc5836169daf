/**
 * A log whose connections go as a test says, one script each, and a tail of it
 * on a clock that the test holds.
 */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  createRouterTransport,
  type HandlerContext,
  type ServiceImpl,
} from "@connectrpc/connect";
import { LogService, type TailLogsRequest, type TailLogsResponseSchema } from "@logsvc/proto";
import type { ConnectionGate } from "../connection-gate.ts";
import { createLogClient, type LogClient } from "../log-client.ts";
import type { Tail, TailEvent, TailOptions, TailState } from "../tail.ts";
import { ManualClock } from "./manual-clock.ts";

export type Response = MessageInitShape<typeof TailLogsResponseSchema>;
export type Handler = (request: TailLogsRequest, context: HandlerContext) => AsyncIterable<Response>;

export const heartbeatIntervalMs = 10_000;
export const watchMs = 2 * heartbeatIntervalMs;
export const backoffMs = 250;

export const opened = (cursor: string): Response => ({
  cursor,
  event: { case: "opened", value: { heartbeatIntervalMs } },
});
export const heartbeat = (cursor: string, lag = 0n): Response => ({
  cursor,
  event: { case: "heartbeat", value: { lag } },
});
export const entries = (...offsets: number[]): Response => ({
  cursor: String(offsets.at(-1)),
  entries: offsets.map((offset) => ({ id: String(offset), entry: { message: `entry ${offset}` } })),
});

/** Never ends by itself: a connection that nobody closes and nobody uses. */
export const silence = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(new ConnectError("gone", Code.Canceled)));
  });

/** A client of a scripted server, and what the server was asked. */
export interface Scene {
  readonly client: LogClient;
  readonly tail: Tail;
  readonly clock: ManualClock;
  readonly requests: TailLogsRequest[];
  readonly states: TailState[];
}

/** What else there is: other RPCs of the server, and a gate before its connections. */
export interface SceneParts {
  readonly service?: Partial<ServiceImpl<typeof LogService>>;
  readonly gate?: ConnectionGate;
}

/** A tail of a server whose connections go as scripted, one handler each; the last one serves all that follow. */
export function scene(
  t: TestContext,
  handlers: Handler[],
  options: TailOptions = {},
  { service: others, ...parts }: SceneParts = {},
): Scene {
  const clock = new ManualClock();
  const requests: TailLogsRequest[] = [];
  const states: TailState[] = [];
  const transport = createRouterTransport(({ service }) => {
    service(LogService, {
      ...others,
      async *tailLogs(request, context) {
        const handler = handlers[Math.min(requests.length, handlers.length - 1)];
        requests.push(request);
        if (handler !== undefined) yield* handler(request, context);
      },
    });
  });
  const stop = new AbortController();
  t.after(() => stop.abort());
  const client = createLogClient(transport, { clock, ...parts });
  const tail = client.tail({
    signal: stop.signal,
    ...options,
    onState: (state) => {
      states.push(state);
      options.onState?.(state);
    },
  });
  return { client, tail, clock, requests, states };
}

/** The offsets of the next events until `count` were seen. */
export async function take(reader: AsyncIterator<TailEvent>, count: number): Promise<number[]> {
  const offsets: number[] = [];
  while (offsets.length < count) {
    const { done, value } = await reader.next();
    if (done) break;
    if (value.kind === "entries") offsets.push(...value.entries.map((stored) => Number(stored.id)));
  }
  return offsets;
}

/** Lets everything else go on until the condition holds, 5 seconds at the most. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, "the condition did not come to hold");
    await new Promise((resolve) => setImmediate(resolve));
  }
}
