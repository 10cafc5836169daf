/**
 * Whose turn it is among the searches of a thread. Each keeps what it has found,
 * up to a page's bytes: when they keep much together they go on one after
 * another, so that a thread's memory has a bound whatever is asked of it.
 */

/** A job between two turns. */
export interface PausedJob {
  /** Rises from job to job. */
  readonly id: number;
  /** How many turns it has had. */
  readonly turns: number;
  /** Bytes of entries that it keeps. */
  readonly kept: { readonly bytes: number };
  /** Its first element is 1 when the job is no longer wanted. */
  readonly cancelled: Int32Array;
}

/** The jobs that wait for their next turn. */
export class ScanTurns<Job extends PausedJob> {
  readonly #keptBytesMax: number;
  /** The one that has waited longest comes first. */
  readonly #jobs: Job[] = [];
  #isShortestNext = true;

  /** @param keptBytesMax Beyond so many bytes together only the job that came first goes on. */
  constructor(keptBytesMax: number) {
    this.#keptBytesMax = keptBytesMax;
  }

  /** Puts a job behind those that wait. */
  add(job: Job): void {
    this.#jobs.push(job);
  }

  /** Takes out the job whose turn it is; undefined when none waits. */
  next(): Job | undefined {
    const kept = this.#jobs.reduce((sum, job) => sum + job.kept.bytes, 0);
    return this.#jobs.splice(kept > this.#keptBytesMax ? this.#firstToEnd() : this.#nextOfAll(), 1)[0];
  }

  /** One that is no longer wanted, for it ends at once; else the one that came first. */
  #firstToEnd(): number {
    const cancelled = this.#jobs.findIndex((job) => Atomics.load(job.cancelled, 0) === 1);
    return cancelled >= 0 ? cancelled : this.#leastBy((job) => job.id);
  }

  /**
   * The job that had the fewest turns, since most are short; but every second
   * time the one that has waited longest, so that none waits for ever.
   */
  #nextOfAll(): number {
    const isShortest = this.#isShortestNext;
    this.#isShortestNext = !isShortest;
    return isShortest ? this.#leastBy((job) => job.turns) : 0;
  }

  #leastBy(rank: (job: Job) => number): number {
    let least = 0;
    let leastRank = Number.POSITIVE_INFINITY;
    for (const [index, job] of this.#jobs.entries()) {
      if (rank(job) >= leastRank) continue;
      least = index;
      leastRank = rank(job);
    }
    return least;
  }
}
