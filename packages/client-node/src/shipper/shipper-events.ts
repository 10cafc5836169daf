/**
 * What a shipper tells, to its listeners and on `node:diagnostics_channel`.
 * A listener that throws harms nobody: that is told as a fault.
 */
import { channel } from "node:diagnostics_channel";
import type { DroppedEntries, ShipperEvents, ShipperListener } from "./log-shipper.ts";

/** Drops are told so often at the most: they come by the hundred thousand. */
const dropIntervalMs = 1_000;

const channels = {
  rejected: channel("logsvc:shipper:rejected"),
  dropped: channel("logsvc:shipper:dropped"),
  state: channel("logsvc:shipper:state"),
  fault: channel("logsvc:shipper:fault"),
} as const;

/** The batches of every shipper, as they are answered: `{ producerId, firstSequence, entries, accepted, duplicates }`. */
export const batchChannel = channel("logsvc:shipper:batch");

/** What comes to lie in a spool: `{ producerId, firstSequence, entries, bytes }`. */
export const spooledChannel = channel("logsvc:shipper:spooled");

type Listeners = { [Name in keyof ShipperEvents]: Set<ShipperListener<Name>> };

/** The listeners of one shipper. */
export class ShipperListeners {
  readonly #listeners: Listeners = {
    rejected: new Set(),
    dropped: new Set(),
    state: new Set(),
    fault: new Set(),
  };
  readonly #untold = { overflow: 0, closed: 0 };
  #dropTimer: NodeJS.Timeout | undefined;

  add<Name extends keyof ShipperEvents>(name: Name, listener: ShipperListener<Name>): void {
    this.#listeners[name].add(listener);
  }

  remove<Name extends keyof ShipperEvents>(name: Name, listener: ShipperListener<Name>): void {
    this.#listeners[name].delete(listener);
  }

  /** Whether anybody would hear it: what is told need not be made for nobody. */
  isHeard(name: keyof ShipperEvents): boolean {
    return this.#listeners[name].size > 0 || channels[name].hasSubscribers;
  }

  tell<Name extends keyof ShipperEvents>(name: Name, event: ShipperEvents[Name]): void {
    channels[name].publish(event);
    for (const listener of this.#listeners[name]) {
      try {
        listener(event);
      } catch (reason) {
        const error = reason instanceof Error ? reason : new Error(String(reason), { cause: reason });
        const fault = {
          kind: "listener",
          message: `a listener of "${name}" threw: ${error.message}`,
          error,
        } as const;
        // A listener of faults that throws is told on the channel alone.
        if (name === "fault") channels.fault.publish(fault);
        else this.tell("fault", fault);
      }
    }
  }

  /** Tells of drops: the first at once, the others together. */
  dropped(count: number, reason: DroppedEntries["reason"]): void {
    this.#untold[reason] += count;
    if (this.#dropTimer !== undefined) return;
    this.#tellDropped();
    this.#dropTimer = setTimeout(() => {
      this.#dropTimer = undefined;
      this.#tellDropped();
    }, dropIntervalMs).unref();
  }

  /** Tells what was not told yet. */
  close(): void {
    clearTimeout(this.#dropTimer);
    this.#dropTimer = undefined;
    this.#tellDropped();
  }

  #tellDropped(): void {
    for (const reason of ["overflow", "closed"] as const) {
      const count = this.#untold[reason];
      this.#untold[reason] = 0;
      if (count > 0) this.tell("dropped", { count, reason });
    }
  }
}
