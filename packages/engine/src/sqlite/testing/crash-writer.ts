/**
 * The child of crash.test.ts: appends batches of several producers as fast as it
 * can and says on stdout what was acknowledged, until it is killed.
 *
 *   node crash-writer.ts
 *
 * It waits for one line on stdin, the JSON of `[folder, firstSequence]`, so that
 * it can be started ahead of time. A line that it says is
 * `<producer> <sequence> <id>`.
 */
import { writeSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { batchOf, entryOf, Random } from "../../contract/engine-under-test.ts";
import { openSqliteEngine } from "../sqlite-engine.ts";

const [folder, firstSequence]: [string, number] = JSON.parse(
  await createInterface(process.stdin).question(""),
);
const producers = ["p", "q", "r"];
const engine = await openSqliteEngine({ path: folder });

async function write(producer: string, seed: number): Promise<never> {
  const random = new Random(seed);
  let sequence = firstSequence;
  for (;;) {
    const sequences = Array.from({ length: 1 + random.below(30) }, () => sequence++);
    const entries = sequences.map((each) => entryOf({ message: `${producer} ${each}`, service: producer }));
    const answer = await engine.append(batchOf(entries, producer, sequences));
    // In one write, so that a kill does not leave half a line behind the first of them.
    writeSync(1, sequences.map((each, index) => `${producer} ${each} ${answer.idAt(index)}\n`).join(""));
  }
}

// Two writers a producer would repeat sequences; two producers at once make commits of several batches.
await Promise.all(producers.map((producer, index) => write(producer, firstSequence + index)));
