/**
 * How much of the processor a thread gets when others want it too. Searches and
 * merging must not slow ingest, which is what these threads give way to.
 */
import { readlinkSync } from "node:fs";
import { setPriority } from "node:os";

/**
 * Lowers the priority of the calling thread, and of no other. Only Linux has
 * priorities of threads; elsewhere this does nothing.
 *
 * @param niceness From 1 (a little) to 19 (only what nobody else wants).
 */
export function lowerThreadPriority(niceness: number): void {
  if (process.platform !== "linux") return;
  try {
    // "<process>/task/<thread>"; setpriority(2) takes a thread for a process of one.
    const thread = Number(readlinkSync("/proc/thread-self").split("/").at(-1));
    setPriority(thread, niceness);
  } catch {
    // Without /proc, or where it is forbidden, the thread works as any other: slower neighbours, same results.
  }
}
