/**
 * What a benchmark is: contestants that do the same work on the same entries.
 * They run in turn (A B A B …) in one process' life, so that a machine that
 * slows down slows all of them; the median of the rounds is what counts, and
 * the ratio to the first is what may be quoted.
 */

/** One benchmark. */
export interface BenchCase {
  /** Selects it: `pnpm bench append`. */
  readonly name: string;
  /** What is measured, in a sentence; stands above the table. */
  readonly title: string;
  /** What a figure counts, such as "entries/s". */
  readonly unit: string;
  /** Whether a greater figure is better. */
  readonly better: "more" | "less";
  /** Opens the contestants. The first is ours. */
  open(): Promise<Contestant[]>;
}

/** One way to do the work. */
export interface Contestant {
  readonly name: string;
  /** Does the work once and returns the figure. */
  run(): Promise<number>;
  close(): Promise<void>;
}

/** A case's outcome. */
export interface BenchResult {
  readonly benchCase: BenchCase;
  readonly rows: readonly { readonly name: string; readonly median: number; readonly ratio: number }[];
}

/** Runs a case: one round to warm up, then `rounds` that count. */
export async function runCase(benchCase: BenchCase, rounds: number): Promise<BenchResult> {
  const contestants = await benchCase.open();
  const figures = new Map<string, number[]>(contestants.map(({ name }) => [name, []]));
  try {
    for (let round = 0; round <= rounds; round++) {
      for (const contestant of contestants) {
        const figure = await contestant.run();
        if (round > 0) figures.get(contestant.name)?.push(figure);
      }
    }
  } finally {
    for (const contestant of contestants) await contestant.close();
  }
  const medians = contestants.map(({ name }) => ({ name, median: median(figures.get(name) ?? []) }));
  const first = medians[0]?.median ?? Number.NaN;
  return { benchCase, rows: medians.map((row) => ({ ...row, ratio: row.median / first })) };
}

/** The middle of the sorted values; of an even count the lower middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}
