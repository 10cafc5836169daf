/**
 * One tail beside a writer at full speed, with our client: `URL FILE STEP reads|stalls [FILTER]`.
 * FILE holds the entries that the writer sends over and over, from the first
 * one in each round; the filter matches one in STEP of them, the last of each
 * STEP. Each entry that arrives must be the one that is due: so none is lost,
 * none comes twice, and all are in their order. An order is a OneTailOrder.
 */
import { setTimeout as pause } from "node:timers/promises";
import { createNodeClient } from "@logsvc/client-node";
import { obeyOrders, readEntries, sharedClockMs, url } from "./orders.ts";

/** What to tell of a round, which the next one then begins after. */
export interface OneTailOrder {
  /** How many entries the tail should get of it. */
  readonly expected: number;
  /** When its last entry was answered, on the shared clock. */
  readonly writtenAt: number;
}

/** What arrived in a round. */
export interface OneTailReport {
  readonly delivered: number;
  /** Of these, before the writer had its last answer. */
  readonly inTime: number;
  /** When the last one arrived, on the shared clock. */
  readonly lastAt: number;
}

/** After so long without an arrival nothing more is expected. */
const silenceMsMax = 2_000;

const [stepText = "1", manner, filter = ""] = process.argv.slice(4);
const step = Number(stepText);
const messages = (await readEntries()).map(({ message }) => message);

/** What has arrived in this round: how many entries, and when how many of them. */
let delivered = 0;
let arrivals: { readonly at: number; readonly delivered: number }[] = [];

const opened = Promise.withResolvers<void>();
const tail = createNodeClient({ url }).tail({
  filter,
  onState: ({ kind }) => {
    if (kind === "live") opened.resolve();
    if (kind === "retrying" || kind === "closed") throw new Error(`the tail is ${kind}`);
  },
});
const iterator = tail[Symbol.asyncIterator]();
if (manner === "stalls") {
  // Connects with the first step; there is no second one.
  void iterator.next();
} else {
  void readOn();
}
await opened.promise;
process.stdout.write("open\n");

await obeyOrders(async (line) => {
  const { expected, writtenAt }: OneTailOrder = JSON.parse(line);
  return report(expected, writtenAt);
});

async function readOn(): Promise<void> {
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
    const event = next.value;
    if (event.kind === "gap") throw new Error(`a gap of ${event.count} entries`);
    for (const { entry } of event.entries) {
      const due = messages[(delivered * step + step - 1) % messages.length];
      if (entry?.message !== due) throw new Error(`expected "${due}", got "${entry?.message}"`);
      delivered++;
    }
    arrivals.push({ at: sharedClockMs(), delivered });
  }
}

async function report(expected: number, writtenAt: number): Promise<OneTailReport> {
  const lastAt = (): number => arrivals.at(-1)?.at ?? 0;
  const silenceMs = (): number => sharedClockMs() - Math.max(lastAt(), writtenAt);
  while (delivered < expected && silenceMs() < silenceMsMax) await pause(5);
  const inTime = arrivals.findLast(({ at }) => at <= writtenAt)?.delivered ?? 0;
  const outcome = { delivered, inTime, lastAt: lastAt() };
  delivered = 0;
  arrivals = [];
  return outcome;
}
