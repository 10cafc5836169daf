/**
 * pino without a worker: a destination in the same thread, for `pino(stream)`
 * and `pino.multistream`. It costs the application the reading of each line
 * again, and can have what a worker can't: a shipper that the application
 * shares, a token that is a function, signals.
 *
 * At the end of the process nothing asynchronous runs. `flushOnExit(shipper,
 * process)` saves to the spool then, and the next run sends it; without a spool
 * use the transport, which pino waits for.
 */
import type { LogShipper } from "../shipper/log-shipper.ts";
import { type PinoConfig, pinoEntry, rawEntry } from "./pino-entry.ts";
import { type AdapterTarget, openTarget } from "./shipper-source.ts";

/** Options of createPinoStream: those of a shipper of its own, or a shipper. */
export type PinoStreamOptions = AdapterTarget;

/** A destination for pino. */
export interface PinoStream {
  readonly shipper: LogShipper;
  /** Takes a line, or several. Never throws, never blocks. */
  write(lines: string): boolean;
  /** pino tells here of its keys and levels. */
  emit(event: string, message?: unknown): boolean;
  /** For `logger.flush(callback)`: calls back when everything is acknowledged. */
  flush(callback?: (error?: Error) => void): void;
  /** Flushes, and closes a shipper of its own. */
  end(): Promise<void>;
}

/**
 * Creates a destination.
 *
 * @throws As createShipper.
 */
export function createPinoStream(options: PinoStreamOptions): PinoStream {
  const { shipper, hasService, end } = openTarget(options);
  let config: PinoConfig = {};
  const writeLine = (line: string): boolean => {
    const fields = parse(line);
    return shipper.write(fields === undefined ? rawEntry(line) : pinoEntry(fields, { config, hasService }));
  };
  return {
    shipper,
    write: (lines) => {
      let hasRoom = true;
      for (const line of lines.split("\n")) if (line.trim() !== "") hasRoom = writeLine(line) && hasRoom;
      return hasRoom;
    },
    emit: (event, message) => {
      const sent = event === "message" ? configIn(message) : undefined;
      if (sent !== undefined) config = sent;
      return sent !== undefined;
    },
    flush: (callback) => void shipper.flush().then(() => callback?.()),
    end,
  };
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    // Not a line of pino's: it is shipped as it is.
    return undefined;
  }
}

function configIn(message: unknown): PinoConfig | undefined {
  if (typeof message !== "object" || message === null) return undefined;
  if (!("code" in message) || message.code !== "PINO_CONFIG" || !("config" in message)) return undefined;
  const { config } = message;
  return typeof config === "object" && config !== null ? config : undefined;
}
