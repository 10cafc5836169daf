/**
 * pino's transport: a worker that ships what the logger writes, as pino
 * documents it.
 *
 *   pino({ transport: { target: "@logsvc/client-node/pino", options: { url } } })
 *
 * In the worker nothing is the application's: not its event loop, and not its
 * end. When the application exits, also by `process.exit` after `fatal` or by an
 * uncaught exception, pino waits for this stream to close, and it closes when
 * everything is acknowledged, or after `closeTimeoutMs`; the rest goes to the
 * spool, where there is one.
 *
 * Loss is told to the application: an event on the transport, and a warning of
 * the process once a minute at the most (`process.on("warning", …)`; Node prints
 * it on standard error).
 *
 * The default export is what pino's contract of transports asks for.
 */
import type { Transform } from "node:stream";
import { parentPort } from "node:worker_threads";
import build from "pino-abstract-transport";
import { createShipper } from "../shipper/create-shipper.ts";
import type { LogShipper, ShipperOptions } from "../shipper/log-shipper.ts";
import { type PinoConfig, pinoEntry, rawEntry } from "./pino-entry.ts";

/** Options of the transport. They go to a worker, so functions and signals are not among them. */
export interface PinoTransportOptions
  extends Omit<ShipperOptions, "clock" | "flushOnExit" | "interceptors" | "signal" | "token"> {
  /** As text: a function can't go to a worker. */
  readonly token?: string;
  /**
   * How long the end of the application may wait for acknowledgements, in
   * milliseconds. Default: 5 000. pino itself waits for 10 seconds.
   */
  readonly closeTimeoutMs?: number;
}

const closeTimeoutMsDefault = 5_000;

/** A warning of one kind at the most so often, in milliseconds. */
const warningIntervalMs = 60_000;

/** The transport, for `target`. */
// biome-ignore lint/style/noDefaultExport: pino loads a transport's default export
export default async function pinoTransport(options: PinoTransportOptions): Promise<Transform> {
  const { closeTimeoutMs = closeTimeoutMsDefault, ...shipperOptions } = options;
  const shipper = createShipper(shipperOptions);
  tellApplication(shipper);
  const hasService = (options.service ?? "") !== "";
  const stream = await build((source) => shipLines(source, shipper, hasService), {
    expectPinoConfig: true,
    metadata: false,
    close: async () => {
      await shipper.close({ timeoutMs: closeTimeoutMs });
    },
  });
  // What `logger.flush(callback)` waits for.
  return Object.assign(stream, {
    flush: (): Promise<unknown> => shipper.flush({ timeoutMs: closeTimeoutMs }),
  });
}

function shipLines(source: Transform & build.OnUnknown, shipper: LogShipper, hasService: boolean): void {
  const config = pinoConfigOf(source);
  const write = (entry: Parameters<LogShipper["write"]>[0]): void => {
    if (shipper.write(entry)) return;
    // Only with `overflow: "block"` this waits for room; otherwise it is ready at once.
    source.pause();
    void shipper.ready().then(() => source.resume());
  };
  source.on("unknown", (line: string) => {
    if (line.trim() !== "") write(rawEntry(line));
  });
  source.on("data", (line: Record<string, unknown>) => write(pinoEntry(line, { config, hasService })));
}

function pinoConfigOf(source: object): PinoConfig {
  return {
    ...("messageKey" in source && typeof source.messageKey === "string"
      ? { messageKey: source.messageKey }
      : {}),
    ...("errorKey" in source && typeof source.errorKey === "string" ? { errorKey: source.errorKey } : {}),
    ...("levels" in source && isLevels(source.levels) ? { levels: source.levels } : {}),
  };
}

function isLevels(levels: unknown): levels is NonNullable<PinoConfig["levels"]> {
  return typeof levels === "object" && levels !== null && "labels" in levels;
}

/** Events of the worker's shipper, for who listens on the transport; and warnings, for everybody. */
function tellApplication(shipper: LogShipper): void {
  const warn = createWarnings();
  shipper.on("dropped", (event) => {
    postEvent("dropped", event);
    warn("dropped", event.count, (count) => `${entries(count)} dropped: ${event.reason}`);
  });
  shipper.on("rejected", ({ entry: { message }, reason }) => {
    postEvent("rejected", { message, reason });
    warn("rejected", 1, (count) => `${entries(count)} refused: ${reason}`);
  });
  shipper.on("fault", ({ kind, message }) => {
    postEvent("fault", { kind, message });
    warn("fault", 1, () => message);
  });
}

const entries = (count: number): string => (count === 1 ? "1 log entry" : `${count} log entries`);

/** pino hands it to the transport's listeners, `transport.on("dropped", …)`. */
function postEvent(name: string, event: object): void {
  parentPort?.postMessage({ code: "EVENT", name, args: [event] });
}

function createWarnings(): (kind: string, count: number, text: (count: number) => string) => void {
  const counts = new Map<string, { count: number; warnedAtMs: number }>();
  return (kind, count, text) => {
    const told = counts.get(kind) ?? { count: 0, warnedAtMs: Number.NEGATIVE_INFINITY };
    told.count += count;
    counts.set(kind, told);
    if (performance.now() - told.warnedAtMs < warningIntervalMs) return;
    told.warnedAtMs = performance.now();
    const warning = new Error(`logsvc: ${text(told.count)}`);
    told.count = 0;
    parentPort?.postMessage({ code: "WARNING", err: warning });
  };
}

export { createPinoStream, type PinoStream, type PinoStreamOptions } from "./pino-stream.ts";
