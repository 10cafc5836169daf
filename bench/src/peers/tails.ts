/**
 * Many tails in one process: `URL frames|client`. Either the frames are only
 * looked through, which is cheap enough for a thousand tails, or our client
 * reads them as its users do. An order is a TailsOrder.
 */
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { createNodeClient } from "@logsvc/client-node";
import { quantile } from "../bench-case.ts";
import { pacedIndexOf } from "../entries.ts";
import { FrameTails } from "./frame-tails.ts";
import { obeyOrders, sharedClockMs, url } from "./orders.ts";

/** What to do: open tails, tell what arrived and forget it, or tell how heartbeats came. */
export type TailsOrder =
  | {
      readonly order: "open";
      readonly tails: number;
      readonly connections: number;
      /** Given to the tails in turn. */
      readonly filters: readonly string[];
    }
  | {
      readonly order: "report";
      /** How many deliveries to wait for. */
      readonly expected: number;
      /** What a PacedWrite left behind. */
      readonly answersPath: string;
      readonly from: number;
    }
  | { readonly order: "heartbeats"; readonly intervalMs: number };

/** What arrived since the last report. */
export interface TailsReport {
  readonly delivered: number;
  /** From an entry's answer to its arrival. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** How much later than promised heartbeats came. */
export interface HeartbeatReport {
  readonly heartbeats: number;
  readonly p99LateMs: number;
  readonly maxLateMs: number;
}

/** After so long without an arrival nothing more is expected. */
const silenceMsMax = 2_000;

/** The arrivals: which entry, and when. */
let count = 0;
let indexes = new Float64Array(1024);
let moments = new Float64Array(1024);
let lastArrival = 0;

const frames = new FrameTails(url, arrive);

await obeyOrders(async (line) => {
  const order: TailsOrder = JSON.parse(line);
  switch (order.order) {
    case "open":
      if (process.argv[3] === "client") await openClientTail(order.filters[0] ?? "");
      else await frames.open(order);
      return {};
    case "report":
      return report(order);
    case "heartbeats":
      return reportHeartbeats(order.intervalMs);
  }
});

/** An entry has arrived; the timestamp tells which. */
function arrive(timestamp: bigint, at: number): void {
  if (count === indexes.length) {
    indexes = grown(indexes);
    moments = grown(moments);
  }
  indexes[count] = pacedIndexOf(timestamp);
  moments[count] = at;
  count++;
  lastArrival = at;
}

function grown(values: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(values.length * 2);
  larger.set(values);
  return larger;
}

async function openClientTail(filter: string): Promise<void> {
  const opened = Promise.withResolvers<void>();
  const tail = createNodeClient({ url }).tail({
    filter,
    onState: ({ kind }) => {
      if (kind === "live") opened.resolve();
    },
  });
  void (async () => {
    for await (const event of tail) {
      const at = sharedClockMs();
      if (event.kind === "gap") throw new Error(`a gap of ${event.count} entries`);
      for (const { entry } of event.entries) if (entry !== undefined) arrive(entry.timestamp, at);
    }
  })();
  await opened.promise;
}

async function report(order: { expected: number; answersPath: string; from: number }): Promise<TailsReport> {
  lastArrival = sharedClockMs();
  while (count < order.expected && sharedClockMs() - lastArrival < silenceMsMax) await pause(20);
  const file = readFileSync(order.answersPath);
  const answers = new Float64Array(file.buffer, file.byteOffset, file.byteLength / 8);
  const latencies = new Float64Array(count);
  for (let index = 0; index < count; index++) {
    latencies[index] = (moments[index] ?? 0) - (answers[(indexes[index] ?? 0) - order.from] ?? 0);
  }
  const delivered = count;
  count = 0;
  frames.takeSilences();
  return { delivered, p50Ms: quantile(latencies, 0.5), p99Ms: quantile(latencies, 0.99) };
}

function reportHeartbeats(intervalMs: number): HeartbeatReport {
  const late = frames.takeSilences().map((silenceMs) => Math.max(0, silenceMs - intervalMs));
  return { heartbeats: late.length, p99LateMs: quantile(late, 0.99), maxLateMs: quantile(late, 1) };
}
