/**
 * A log server in this process, as a test scripts it, and frames that come when
 * the test says so.
 */
import assert from "node:assert/strict";
import { createRouterTransport, type ServiceImpl } from "@connectrpc/connect";
import { createLogClient, type LogClient, LogService } from "@logsvc/client";
import type { FrameTimer } from "../frame-view.ts";

/** A client of a scripted server. */
export function clientOf(service: Partial<ServiceImpl<typeof LogService>>): LogClient {
  return createLogClient(createRouterTransport((router) => router.service(LogService, service)));
}

/** A stored entry of this offset. */
export const stored = (offset: number) => ({ id: String(offset), entry: { message: `entry ${offset}` } });

/** Waits for as long as the signal has not aborted. */
export function silence(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });
}

/** Frames by hand. */
export class ManualFrames {
  #callbacks: (() => void)[] = [];

  readonly timer: FrameTimer = (callback) => {
    this.#callbacks.push(callback);
    return () => {
      this.#callbacks = this.#callbacks.filter((other) => other !== callback);
    };
  };

  /** How many callbacks wait for a frame. */
  get waiting(): number {
    return this.#callbacks.length;
  }

  /** Draws one frame. */
  draw(): void {
    const due = this.#callbacks;
    this.#callbacks = [];
    for (const callback of due) callback();
  }
}

/** Lets everything else go on until the condition holds, 5 seconds at the most. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, "the condition did not come to hold");
    await new Promise((resolve) => setImmediate(resolve));
  }
}
