/**
 * winston: a transport, without winston's own base class, which a stream of
 * objects with a `log` method does not need.
 *
 *   winston.createLogger({ transports: [createWinstonTransport({ url })] })
 *
 * | winston | entry |
 * | --- | --- |
 * | level | level; `http`, `verbose` and `silly` are DEBUG, DEBUG and TRACE, and stay as `log.level` |
 * | message | message; the error's for an error; objects as JSON |
 * | `timestamp`, of `format.timestamp()` | timestamp, where it is a time |
 * | `service` | service, unless the options name one |
 * | `stack`, of `format.errors({ stack: true })`, and what else there is | attributes (attributes.ts) |
 */
import { Writable } from "node:stream";
import type { LogEntryInit } from "@logsvc/client";
import { severityOf } from "@logsvc/proto";
import type { LogShipper } from "../shipper/log-shipper.ts";
import { flattenAttributes } from "./attributes.ts";
import { readLogTime } from "./log-time.ts";
import type { TraceContext } from "./otel.ts";
import { type AdapterTarget, openTarget } from "./shipper-source.ts";
import { takeTraceIds } from "./trace-ids.ts";

/** Options of createWinstonTransport: those of a shipper of its own, or a shipper. */
export type WinstonTransportOptions = AdapterTarget & {
  /** Ships this level and what is more severe. Default: what the logger lets through. */
  readonly level?: string;
  /** Ships uncaught exceptions as well. Default: false. */
  readonly handleExceptions?: boolean;
  /** Ships unhandled rejections as well. Default: false. */
  readonly handleRejections?: boolean;
  /** Adds the ids of the active span, see otel.ts. Default: those in the entry. */
  readonly traceContext?: TraceContext;
};

/** A transport for winston. */
export interface WinstonTransport extends Writable {
  readonly shipper: LogShipper;
  level?: string;
  /** The numbers of the logger's levels, the most severe first; winston sets it. */
  levels?: Readonly<Record<string, number>>;
  readonly handleExceptions: boolean;
  readonly handleRejections: boolean;
  /** What winston calls for an entry. */
  log(info: Readonly<Record<string | symbol, unknown>>, callback: () => void): void;
}

/** Where winston keeps the level as it was before a format coloured it. */
const levelKey = Symbol.for("level");

const winstonLevels: Readonly<Record<string, string>> = { http: "DEBUG", verbose: "DEBUG", silly: "TRACE" };

/**
 * Creates a transport. Ending the logger flushes it, and closes a shipper of its own.
 *
 * @throws As createShipper.
 */
export function createWinstonTransport(options: WinstonTransportOptions): WinstonTransport {
  const { level, handleExceptions = false, handleRejections = false, traceContext, ...target } = options;
  const { shipper, hasService, end } = openTarget(target);
  const transport: WinstonTransport = Object.assign(
    new Writable({
      objectMode: true,
      write: (info, _encoding, done) => transport.log(info, done),
      final: (done) => void end().then(() => done()),
    }),
    {
      shipper,
      handleExceptions,
      handleRejections,
      ...(level === undefined ? {} : { level }),
      log: (info: Readonly<Record<string | symbol, unknown>>, done: () => void): void => {
        if (passes(transport, info))
          shipper.write({ ...traceContext?.(), ...winstonEntry(info, hasService) });
        done();
      },
    },
  );
  // winston pipes the logger into the transport; the logger has the levels.
  transport.on("pipe", (logger: { readonly levels?: Readonly<Record<string, number>> }) => {
    if (logger.levels !== undefined) transport.levels = logger.levels;
  });
  return transport;
}

function passes(
  { level, levels }: WinstonTransport,
  info: Readonly<Record<string | symbol, unknown>>,
): boolean {
  if (level === undefined || info["exception"] === true) return true;
  const least = levels?.[level];
  const written = levels?.[String(info[levelKey])];
  return least === undefined || written === undefined || written <= least;
}

function winstonEntry(info: Readonly<Record<string | symbol, unknown>>, hasService: boolean): LogEntryInit {
  const { level: colored, message, timestamp: writtenAt, service, ...fields } = { ...info };
  const named = String(info[levelKey] ?? colored ?? "");
  const level = winstonLevels[named] ?? named;
  const own: Record<string, unknown> = { ...fields };
  if (level !== named || severityOf(level) === 0) own["log.level"] = named;
  const timestamp = readLogTime(writtenAt);
  if (timestamp === undefined && writtenAt !== undefined) own["timestamp"] = writtenAt;
  const isService = typeof service === "string" && service !== "" && !hasService;
  if (!isService && service !== undefined) own["service"] = service;
  const ids = takeTraceIds(own);
  return {
    message: messageText(message, own),
    level,
    ...(timestamp === undefined ? {} : { timestamp }),
    ...(isService ? { service } : {}),
    ...ids,
    attributes: flattenAttributes(own),
  };
}

function messageText(message: unknown, fields: Readonly<Record<string, unknown>>): string {
  if (typeof message === "string" && message !== "") return message;
  if (message instanceof Error) return message.message || message.name;
  if (message !== undefined && message !== null && message !== "")
    return JSON.stringify(message) ?? String(message);
  return JSON.stringify(flattenAttributes(fields));
}
