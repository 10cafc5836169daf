/** How the engine starts its threads. */
import { type MessagePort, Worker } from "node:worker_threads";

/** Threads by the file that they run. */
type ThreadFile = "writer" | "scanner" | "merger";

/**
 * MB. What a thread throws away is short-lived, and few megabytes a second: V8's
 * own choice takes 20 MB more for each of them. The merger makes few objects:
 * its blocks lie outside of V8's heap.
 */
const youngGenerationMegabytes: Readonly<Record<ThreadFile, number>> = { writer: 12, scanner: 12, merger: 4 };

/**
 * Starts a thread.
 *
 * @param file Beside this one: TypeScript when the package runs from its
 *   sources, JavaScript when it was built. The compiler rewrites the names in
 *   imports, but not this one.
 * @param name For those who look at the process' threads.
 * @param transferList Ports in `workerData` that become the thread's.
 */
export function startWorker(
  file: ThreadFile,
  name: string,
  workerData: unknown,
  transferList: MessagePort[] = [],
): Worker {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return new Worker(new URL(`./${file}.${extension}`, import.meta.url), {
    workerData,
    transferList,
    name,
    resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMegabytes[file] },
  });
}
