/**
 * How the clients of a benchmark are spoken to: a line of standard input is an
 * order, and the line they print when it is done is the outcome, as JSON.
 *
 * Those that write are started with the server's address and a file of entries,
 * and each order is a number of milliseconds: open a stream, send the entries
 * over and over for so long, half-close, read to the end.
 */
import { createReadStream } from "node:fs";
import { performance } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { sizeDelimitedDecodeStream } from "@bufbuild/protobuf/wire";
import { type LogEntry, LogEntrySchema } from "@logsvc/proto";

/** What came back of what was sent. */
export interface StreamOutcome {
  readonly answered: number;
  readonly accepted: number;
  /** From the first to be sent until the end of the stream. */
  readonly ms: number;
  /** From handing over what has one promise to its answers, milliseconds, where the client measures it. */
  readonly ackMs?: readonly number[];
}

/** Sends until the time is over (see `performance.now`), and reads to the end. */
export type SendUntil = (until: number) => Promise<Omit<StreamOutcome, "ms">>;

/** Looking at the clock costs something too. */
const entriesBetweenLooks = 64;

/** The server's address, from the command line. */
export const url = process.argv[2] ?? "";

/** The items, over and over, until the time is over. */
export function* cycleUntil<T>(
  items: readonly T[],
  until: number,
  itemsBetweenLooks = entriesBetweenLooks,
): Generator<T, void, undefined> {
  for (let count = 0; ; count++) {
    if (count % itemsBetweenLooks === 0 && performance.now() >= until) return;
    const item = items[count % items.length];
    if (item !== undefined) yield item;
  }
}

/** The entries of the file. */
export async function readEntries(): Promise<LogEntry[]> {
  const file = createReadStream(process.argv[3] ?? "");
  return Array.fromAsync(sizeDelimitedDecodeStream(LogEntrySchema, file));
}

/** Sends as often as it is told to. */
export async function obeySendOrders(send: SendUntil): Promise<void> {
  await obeyOrders(async (line) => {
    const start = performance.now();
    const outcome = await send(start + Number(line));
    return { ...outcome, ms: performance.now() - start };
  });
}

/** Does what standard input says, line by line, until it ends. */
export async function obeyOrders(obey: (line: string) => Promise<object>): Promise<void> {
  for await (const line of createInterface(process.stdin)) {
    process.stdout.write(`${JSON.stringify(await obey(line))}\n`);
  }
  process.exit(0);
}

/** Milliseconds on a clock that all processes of this machine share. */
export function sharedClockMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
