/**
 * What one call of a logger costs the application: `URL KIND`, where KIND is
 * "shipper", "pino" or "pino-buffered", both to /dev/null. An order is how many
 * lines to log, in bursts with pauses between them, in which a shipper sends.
 */
import { setTimeout as pause } from "node:timers/promises";
import { createShipper } from "@logsvc/client-node";
import pino from "pino";
import { obeyOrders, url } from "./orders.ts";

/** What was measured, nanoseconds for each line. */
export interface WriteCost {
  /** In the call itself. */
  readonly callNs: number;
  /** Processor time of the main thread in all, with what it does later. */
  readonly mainNs: number;
}

/** Lines written without a pause: what an application logs in a bad second. */
const burstLines = 20_000;

const kind = process.argv[3];
const { log, flush } = kind === "shipper" ? openShipper() : openPino(kind === "pino-buffered");

await obeyOrders(async (line): Promise<WriteCost> => {
  const lines = Number(line);
  const before = process.threadCpuUsage();
  let callMs = 0;
  for (let written = 0; written < lines; written += burstLines) {
    const start = performance.now();
    for (let n = written; n < written + burstLines; n++) log(n);
    callMs += performance.now() - start;
    await pause(1);
  }
  await flush();
  const { user, system } = process.threadCpuUsage(before);
  return { callNs: (callMs * 1e6) / lines, mainNs: ((user + system) * 1000) / lines };
});

function openShipper() {
  const shipper = createShipper({ url, service: "auth", memoryBytesMax: 256 * 1024 * 1024 });
  return {
    log: (n: number) =>
      shipper.write({
        level: "info",
        message: `Failed password for invalid user admin from 183.62.140.${n % 254}`,
        attributes: { port: String(1024 + (n % 60_000)), user: "admin" },
      }),
    flush: async () => {
      const { dropped, pending } = await shipper.flush();
      if (dropped + pending > 0) throw new Error(`${dropped} were dropped, ${pending} are pending`);
    },
  };
}

/** As it is by default, a write for each line; or gathered, as its documentation advises for speed. */
function openPino(isBuffered: boolean) {
  const destination = pino.destination({
    dest: "/dev/null",
    ...(isBuffered ? { sync: false, minLength: 4096 } : {}),
  });
  const logger = pino({ name: "auth" }, destination);
  return {
    log: (n: number) =>
      logger.info(
        { port: 1024 + (n % 60_000), user: "admin" },
        `Failed password for invalid user admin from 183.62.140.${n % 254}`,
      ),
    flush: async () => undefined,
  };
}
