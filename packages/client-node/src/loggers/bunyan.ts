/**
 * bunyan: a raw stream.
 *
 *   bunyan.createLogger({ name, streams: [{ type: "raw", stream: createBunyanStream({ url }) }] })
 *
 * Fields are those of pino (pino-entry.ts), which has bunyan's levels and names:
 * `name` is the service, `err` the error. `v`, the format's version, is left
 * away.
 */
import type { LogShipper } from "../shipper/log-shipper.ts";
import type { TraceContext } from "./otel.ts";
import { pinoEntry } from "./pino-entry.ts";
import { type AdapterTarget, openTarget } from "./shipper-source.ts";

/** Options of createBunyanStream: those of a shipper of its own, or a shipper. */
export type BunyanStreamOptions = AdapterTarget & {
  /** Adds the ids of the active span, see otel.ts. Default: those in the record. */
  readonly traceContext?: TraceContext;
};

/** A raw stream for bunyan. */
export interface BunyanStream {
  readonly shipper: LogShipper;
  /** Takes a record. Never throws, never blocks. */
  write(record: Readonly<Record<string, unknown>>): boolean;
  /** Flushes, and closes a shipper of its own. */
  end(): Promise<void>;
}

/**
 * Creates a stream.
 *
 * @throws As createShipper.
 */
export function createBunyanStream(options: BunyanStreamOptions): BunyanStream {
  const { traceContext, ...target } = options;
  const { shipper, hasService, end } = openTarget(target);
  return {
    shipper,
    write: ({ v: _version, ...record }) =>
      shipper.write({ ...traceContext?.(), ...pinoEntry(record, { hasService }) }),
    end,
  };
}
