/** Our shipper, as fast as it takes entries: `URL FILE`. */
import { setImmediate as turn } from "node:timers/promises";
import { createShipper } from "@logsvc/client-node";
import { cycleUntil, obeySendOrders, readEntries, url } from "./orders.ts";

/** An application has other things to do as well. */
const entriesBetweenTurns = 2_000;

const entries = await readEntries();

await obeySendOrders(async (until) => {
  const shipper = createShipper({ url, overflow: "block", memoryBytesMax: 64 * 1024 * 1024 });
  let written = 0;
  for (const entry of cycleUntil(entries, until)) {
    if (!shipper.write(entry)) await shipper.ready();
    else if (written % entriesBetweenTurns === 0) await turn();
    written++;
  }
  const { accepted, rejected } = await shipper.close({ timeoutMs: 60_000 });
  return { answered: accepted + rejected, accepted };
});
