/**
 * What a caller hands in: entries of which only the message is required, and
 * times as a Date or as Unix nanoseconds. Here they become what goes on the
 * wire.
 */
import { create, isMessage } from "@bufbuild/protobuf";
import { type LogEntry, LogEntrySchema, limits } from "@logsvc/proto";

/**
 * A time: a Date, or Unix nanoseconds. Answers carry nanoseconds as bigint, so
 * what came out can be put in again.
 */
export type LogTime = Date | bigint;

/** An entry to write. A LogEntry is one as well. */
export interface LogEntryInit {
  /** What happened. Must not be empty. */
  readonly message: string;
  /** The severity in any usual spelling. Default: INFO. */
  readonly level?: string;
  /** When it happened. Default: the time at which the server receives it. */
  readonly timestamp?: LogTime;
  /** The program that wrote it. */
  readonly service?: string;
  /** Everything else that is known, by name. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** W3C trace id, 32 hex digits. */
  readonly traceId?: string;
  /** W3C span id, 16 hex digits. */
  readonly spanId?: string;
  /** Its number in its producer's count, from 1; 0: none. Batches with a first sequence don't need it. */
  readonly sequence?: bigint;
}

/**
 * The entry as a message. A LogEntry is returned as it is.
 *
 * @throws RangeError when the timestamp or the sequence is not one.
 */
export function toLogEntry(entry: LogEntryInit): LogEntry {
  if (isMessage(entry, LogEntrySchema)) return entry;
  const { timestamp, attributes, sequence = 0n, ...rest } = entry;
  if (sequence < 0n || sequence > BigInt(limits.sequenceMax)) {
    throw new RangeError(`Expected sequence to be from 0 to ${limits.sequenceMax}, got ${sequence}`);
  }
  return create(LogEntrySchema, {
    ...rest,
    sequence,
    timestamp: toWireTime(timestamp),
    attributes: { ...attributes },
  });
}

const nanosecondsPerMillisecond = 1_000_000n;

/**
 * Below this the server takes a number for something coarser than nanoseconds
 * (see LogEntry.timestamp): every time before March 1973.
 */
const nanosecondsMin = 100_000_000_000_000_000n;

/** The last Date's time, and what became of it: many entries come in one millisecond, and bigints are slow. */
const last = { milliseconds: Number.NaN, time: 0n };

/**
 * A time as the wire wants it; absent is 0. A Date before March 1973 goes as
 * seconds, since its nanoseconds would be taken for microseconds.
 *
 * @throws RangeError when the Date is not valid, or the nanoseconds are more than 64 bits hold;
 *   TypeError when it is neither: JavaScript may hand in a number.
 */
export function toWireTime(time: LogTime | undefined): bigint {
  if (time === undefined) return 0n;
  if (typeof time === "bigint") return checkBits(time);
  if (!isDate(time)) {
    throw new TypeError(
      `Expected a time to be a Date or a bigint of Unix nanoseconds, got ${String(time)} (${typeof time})`,
    );
  }
  const milliseconds = time.getTime();
  if (milliseconds !== last.milliseconds) {
    last.time = toWireUnits(milliseconds);
    last.milliseconds = milliseconds;
  }
  return last.time;
}

/** Of any realm: tests and sandboxes have a Date of their own. */
function isDate(time: unknown): time is Date {
  return typeof time === "object" && time !== null && "getTime" in time && typeof time.getTime === "function";
}

function toWireUnits(milliseconds: number): bigint {
  if (Number.isNaN(milliseconds)) throw new RangeError("Expected a valid Date, got Invalid Date");
  const nanoseconds = BigInt(milliseconds) * nanosecondsPerMillisecond;
  return nanoseconds < nanosecondsMin ? BigInt(Math.floor(milliseconds / 1000)) : checkBits(nanoseconds);
}

function checkBits(nanoseconds: bigint): bigint {
  if (BigInt.asIntN(64, nanoseconds) === nanoseconds) return nanoseconds;
  throw new RangeError(`Expected a time of 64 bits in nanoseconds (until the year 2262), got ${nanoseconds}`);
}
