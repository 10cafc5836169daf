/** How the engine starts its threads. */
import { Worker } from "node:worker_threads";

/**
 * MB. What a thread throws away is short-lived, and few megabytes a second: V8's
 * own choice takes 20 MB more for each of them.
 */
const youngGenerationMegabytes = 12;

/**
 * Starts a thread.
 *
 * @param file Beside this one: TypeScript when the package runs from its
 *   sources, JavaScript when it was built. The compiler rewrites the names in
 *   imports, but not this one.
 * @param name For those who look at the process' threads.
 */
export function startWorker(file: "writer" | "scanner", name: string, workerData: unknown): Worker {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return new Worker(new URL(`./${file}.${extension}`, import.meta.url), {
    workerData,
    name,
    resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMegabytes },
  });
}
