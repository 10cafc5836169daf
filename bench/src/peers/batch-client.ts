/** Our Node client on ShipLogs or WriteLogs, with batches of one size: `URL FILE ship|write SIZE`. */
import { createNodeClient, type WriteBatch, type WriteLogsResponse } from "@logsvc/client-node";
import { cycleUntil, obeySendOrders, readEntries, url } from "./orders.ts";

/** Calls or batches in flight: the client's own default for ShipLogs. */
const inFlight = 16;

const [method, size = "1000"] = process.argv.slice(4);
const batchEntries = Number(size);
const entries = await readEntries();
const batches: WriteBatch[] = Array.from({ length: entries.length / batchEntries }, (_, index) => ({
  entries: entries.slice(index * batchEntries, (index + 1) * batchEntries),
}));
const client = createNodeClient({ url });

await obeySendOrders(async (until) => {
  const requests = cycleUntil(batches, until, 1);
  const sum = { answered: 0, accepted: 0 };
  const take = ({ accepted, rejections }: WriteLogsResponse) => {
    sum.answered += accepted + rejections.length;
    sum.accepted += accepted;
  };
  if (method === "ship") {
    for await (const response of client.ship(requests, { inFlightMax: inFlight })) take(response);
  } else {
    const writeOn = async () => {
      for (let next = requests.next(); next.done !== true; next = requests.next()) {
        take(await client.write(next.value.entries));
      }
    };
    await Promise.all(Array.from({ length: inFlight }, writeOn));
  }
  return sum;
});
