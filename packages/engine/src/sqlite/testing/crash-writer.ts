/**
 * The child of crash.test.ts: appends batches of several producers as fast as it
 * can and says on stdout what was acknowledged, until it is killed. Its blocks
 * are joined all the time: they are small ones, and it does not leave the merger
 * behind.
 *
 *   node crash-writer.ts
 *
 * It waits for one line on stdin, the JSON of `[folder, firstSequence]`, so that
 * it can be started ahead of time. A line that it says is
 * `<producer> <sequence> <id>`.
 */
import { subscribe } from "node:diagnostics_channel";
import { EventEmitter, once } from "node:events";
import { writeSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { batchOf, entryOf, Random } from "../../contract/engine-under-test.ts";
import { openSqliteEngine } from "../sqlite-engine.ts";

const [folder, firstSequence]: [string, number] = JSON.parse(
  await createInterface(process.stdin).question(""),
);
const producers = ["p", "q", "r"];

/** Of each producer: together about twice what the merger waits for. */
const batchesAMerge = 10;
let merges = 0;
const merged = new EventEmitter();
subscribe("logsvc:engine:merge", () => {
  merges++;
  merged.emit("merge");
});
const engine = await openSqliteEngine({ path: folder, mergedWeightMax: 8192 });

async function write(producer: string, seed: number): Promise<never> {
  const random = new Random(seed);
  let sequence = firstSequence;
  for (let batch = 1; ; batch++) {
    const sequences = Array.from({ length: 1 + random.below(10) }, () => sequence++);
    const entries = sequences.map((each) => entryOf({ message: `${producer} ${each}`, service: producer }));
    const answer = await engine.append(batchOf(entries, producer, sequences));
    // In one write, so that a kill does not leave half a line behind the first of them.
    writeSync(1, sequences.map((each, index) => `${producer} ${each} ${answer.idAt(index)}\n`).join(""));
    while (merges < Math.floor(batch / batchesAMerge)) await once(merged, "merge");
  }
}

// Two writers a producer would repeat sequences; two producers at once make commits of several batches.
await Promise.all(producers.map((producer, index) => write(producer, firstSequence + index)));
