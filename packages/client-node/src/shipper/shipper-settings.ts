/** A shipper's options, checked and with their defaults. */
import { type Clock, systemClock } from "@logsvc/client";
import { checkInFlightMax, inFlightMaxDefault } from "../node-client.ts";
import type { SpoolOptions } from "../spool/spool-options.ts";
import type { ShipperOptions } from "./log-shipper.ts";

/** What a shipper goes by. */
export interface ShipperSettings {
  readonly service: string;
  readonly attributes: Readonly<Record<string, string>> | undefined;
  readonly spool: Required<SpoolOptions> | undefined;
  readonly memoryBytesMax: number;
  readonly batchEntriesMax: number;
  readonly batchBytesMax: number;
  readonly batchAgeMsMax: number;
  readonly inFlightMax: number;
  readonly overflow: NonNullable<ShipperOptions["overflow"]>;
  readonly deadLetter: string | undefined;
  readonly clock: Clock;
  /** For the time that an entry waits for others, which does keep a process alive: its last words shall be sent. */
  readonly ageClock: Clock;
}

const mebibyte = 1024 * 1024;

/** A batch of a full burst is sent at once; one of a trickle waits a tenth of a second, which nobody sees. */
const defaults = {
  memoryBytesMax: 32 * mebibyte,
  batchEntriesMax: 5_000,
  batchBytesMax: mebibyte / 2,
  batchAgeMsMax: 100,
  spoolBytesMax: 1024 * mebibyte,
} as const;

/** Timers that keep no process alive: an application that has nothing else to do ends, whether the server is there or not. */
const quietClock: Clock = {
  ...systemClock,
  startTimer: (callback, delayMs) => {
    const timer = setTimeout(callback, delayMs).unref();
    return () => clearTimeout(timer);
  },
};

/**
 * Checks a shipper's options. Those of the connection are checked by its transport.
 *
 * @throws TypeError or RangeError that names the option, what was expected and what was given.
 */
export function readSettings(options: ShipperOptions): ShipperSettings {
  const { service = "", attributes, overflow = "drop-oldest", deadLetter, clock = quietClock } = options;
  if (!["block", "drop-oldest", "drop-newest"].includes(overflow)) {
    throw new TypeError(
      `Expected overflow to be "block", "drop-oldest" or "drop-newest", got ${JSON.stringify(overflow)}`,
    );
  }
  const whole = (name: keyof typeof defaults & keyof ShipperOptions, min: number, max: number): number =>
    checkWhole(name, options[name] ?? defaults[name], min, max);
  return {
    service,
    attributes,
    overflow,
    deadLetter,
    clock,
    ageClock: options.clock ?? systemClock,
    spool: readSpool(options.spool),
    memoryBytesMax: whole("memoryBytesMax", 4 * mebibyte, 4096 * mebibyte),
    batchEntriesMax: whole("batchEntriesMax", 1, 10_000),
    batchBytesMax: whole("batchBytesMax", 1024, 4 * mebibyte),
    batchAgeMsMax: whole("batchAgeMsMax", 0, 60_000),
    inFlightMax: checkInFlightMax(options.inFlightMax ?? inFlightMaxDefault),
  };
}

function readSpool(spool: ShipperOptions["spool"]): Required<SpoolOptions> | undefined {
  if (spool === undefined) return undefined;
  const {
    folder,
    bytesMax = defaults.spoolBytesMax,
    fsync = "interval",
  } = typeof spool === "string" ? { folder: spool } : spool;
  if (folder === "") throw new TypeError("Expected spool to be a folder's path, got the empty string");
  if (!["always", "interval", "never"].includes(fsync)) {
    throw new TypeError(
      `Expected spool.fsync to be "always", "interval" or "never", got ${JSON.stringify(fsync)}`,
    );
  }
  return {
    folder,
    fsync,
    bytesMax: checkWhole("spool.bytesMax", bytesMax, 4 * mebibyte, Number.MAX_SAFE_INTEGER),
  };
}

function checkWhole(name: string, value: number, min: number, max: number): number {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw new RangeError(`Expected ${name} to be an integer from ${min} to ${max}, got ${value}`);
}
