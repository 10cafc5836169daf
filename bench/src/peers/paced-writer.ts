/**
 * Writes entries at a given rate on StreamLogs, and keeps the moments at which
 * each one was written and answered: `URL`. An order is a PacedWrite.
 */
import { writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { createNodeClient } from "@logsvc/client-node";
import { pacedEntryAt } from "../entries.ts";
import { obeyOrders, sharedClockMs, url } from "./orders.ts";

/** What to write. */
export interface PacedWrite {
  /** The first entry's number. */
  readonly from: number;
  readonly count: number;
  readonly perSecond: number;
  /** The file for the answers' moments: a Float64Array of shared clock milliseconds. */
  readonly answersPath: string;
  /** The same for the moments at which they were written. */
  readonly writesPath: string;
}

const client = createNodeClient({ url });

await obeyOrders(async (line) => {
  const { from, count, perSecond, answersPath, writesPath }: PacedWrite = JSON.parse(line);
  const answers = new Float64Array(count);
  const writes = new Float64Array(count);
  const stream = client.stream();
  const start = sharedClockMs();
  for (let written = 0; written < count; ) {
    const due = Math.min(count, Math.ceil(((sharedClockMs() - start) * perSecond) / 1000));
    for (; written < due; written++) {
      const index = written;
      await stream.ready();
      writes[index] = sharedClockMs();
      void stream.write(pacedEntryAt(from + index)).then(({ accepted, reason }) => {
        if (!accepted) throw new Error(reason);
        answers[index] = sharedClockMs();
      });
    }
    await pause(1);
  }
  await stream.end();
  writeFileSync(answersPath, answers);
  writeFileSync(writesPath, writes);
  return { ms: sharedClockMs() - start };
});
