/** Our Node client on StreamLogs: `URL FILE [each]`, a thousand entries with one promise, or each with its own. */
import { performance } from "node:perf_hooks";
import { createNodeClient, type LogResponse } from "@logsvc/client-node";
import { cycleUntil, obeySendOrders, readEntries, url } from "./orders.ts";

/** Entries in one call of `writeAll`: several calls fit into what may be in flight. */
const entriesAtOnce = 1_000;

const way = process.argv[4];
const entries = await readEntries();
const groups = Array.from({ length: entries.length / entriesAtOnce }, (_, index) =>
  entries.slice(index * entriesAtOnce, (index + 1) * entriesAtOnce),
);
const client = createNodeClient({ url });

await obeySendOrders(async (until) => {
  const stream = client.stream();
  const sum = { answered: 0, accepted: 0, ackMs: [] as number[] };
  const take = ({ accepted }: LogResponse) => {
    sum.answered++;
    if (accepted) sum.accepted++;
  };
  if (way === "each") {
    for (const entry of cycleUntil(entries, until)) {
      await stream.ready();
      void stream.write(entry).then(take);
    }
  } else {
    for (const group of cycleUntil(groups, until, 1)) {
      await stream.ready();
      const start = performance.now();
      void stream.writeAll(group).then((answers) => {
        sum.ackMs.push(performance.now() - start);
        answers.forEach(take);
      });
    }
  }
  await stream.end();
  return sum;
});
