/**
 * An application that logs at a given rate through a shipper with a spool, and
 * looks at itself: `URL SPOOL`. An order is "look", or a rate to go on with, in
 * entries a second, 0 to stop and to flush; the report is of the time since the
 * last rate.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { createShipper, type ShipperSummary } from "@logsvc/client-node";
import { pacedEntryAt } from "../entries.ts";
import { obeyOrders, url } from "./orders.ts";

/** What it has seen. */
export interface PacedReport extends ShipperSummary {
  /** How late a timer of a millisecond fired, for one in a hundred; milliseconds. */
  readonly delayP99Ms: number;
  readonly delayMaxMs: number;
  /** The most that the shipper held, bytes. */
  readonly memoryBytesMost: number;
  readonly spooledBytesMost: number;
  readonly memoryBytesMax: number;
}

const memoryBytesMax = 32 * 1024 * 1024;
const delayResolutionMs = 1;
const writeIntervalMs = 2;

const shipper = createShipper({
  url,
  spool: { folder: process.argv[3] ?? "", bytesMax: 4 * 1024 ** 3 },
  memoryBytesMax,
});
const delay = monitorEventLoopDelay({ resolution: delayResolutionMs });
delay.enable();
let perSecond = 0;
let written = 0;
let owed = 0;
let lastMs = performance.now();
let most = { memory: 0, spooled: 0 };

setInterval(() => {
  const nowMs = performance.now();
  owed += ((nowMs - lastMs) * perSecond) / 1000;
  lastMs = nowMs;
  for (; owed >= 1; owed--) shipper.write(pacedEntryAt(written++));
  const { inMemory, spooled } = shipper.summary;
  most = { memory: Math.max(most.memory, inMemory.bytes), spooled: Math.max(most.spooled, spooled.bytes) };
}, writeIntervalMs);

await obeyOrders(async (line): Promise<PacedReport> => {
  const report = {
    delayP99Ms: delay.percentile(99) / 1e6 - delayResolutionMs,
    delayMaxMs: delay.max / 1e6 - delayResolutionMs,
    memoryBytesMost: most.memory,
    spooledBytesMost: most.spooled,
    memoryBytesMax,
  };
  if (line === "look") return { ...report, ...shipper.summary };
  delay.reset();
  most = { memory: 0, spooled: 0 };
  perSecond = Number(line);
  if (perSecond === 0) await shipper.flush();
  return { ...report, ...shipper.summary };
});
