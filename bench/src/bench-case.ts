/**
 * What a benchmark is: contestants that do the same work on the same entries.
 * They run in turn (A B A B …), so that a machine that slows down slows all of
 * them; the median of the rounds is what counts, and how ours compares in that
 * one run is what may be quoted.
 */

/** One benchmark. */
export interface BenchCase {
  /** Selects it: `pnpm bench append`. */
  readonly name: string;
  /** What is measured, in a few sentences; stands above the table. */
  readonly title: string;
  /** The figures, each by its heading with the unit in it: "entries/s". */
  readonly columns: readonly string[];
  /** How the contestants are compared. Absent: they do different work. */
  readonly compared?: Comparison;
  /** Rounds that count, where `--rounds` does not say. Default 5. */
  readonly rounds?: number;
  /** Whether first rounds that do not count warm it up. Default: yes. */
  readonly warmUp?: boolean;
  /** It takes minutes: run it only when a pattern selects it. */
  readonly onlyByName?: boolean;
  /** Opens the contestants. The first is ours. */
  open(options: BenchOptions): Promise<(Contestant | LeftOut | Note)[]>;
}

/** By which figure contestants are compared. */
export interface Comparison {
  readonly column: string;
  readonly better: "more" | "less";
  /**
   * Absent: each row tells how many times better the first one, ours, is. Where
   * the others are better, because they do less, the heading for the opposite:
   * how many times better each is than the first.
   */
  readonly each?: string;
}

/** What the command line says to every case. */
export interface BenchOptions {
  /** Where our servers write CPU profiles of their threads when they stop. */
  readonly profileFolder?: string;
  /** Entries of the generated log, for the cases that have one. Absent: as many as the case has by itself. */
  readonly entries?: number;

  /** How long a steady load lasts, for the cases that have one in a browser. Absent: as long as the case has by itself. */
  readonly seconds?: number;
}

/** Figures by their column's heading. One that could not be taken is absent. */
export type Figures = Readonly<Record<string, number>>;

/** One way to do the work. */
export interface Contestant {
  readonly name: string;
  /** Does the work once. */
  run(): Promise<Figures>;
  /** Absent: another one closes what they share, or nothing is left open. */
  close?(): Promise<void>;
}

/** A contestant that can't run here, and why: both stand below the table. */
export interface LeftOut {
  readonly name: string;
  readonly leftOut: string;
}

/** What is to be known of this run besides its figures; stands below the table. */
export interface Note {
  readonly note: string;
}

/** A case's outcome. */
export interface BenchResult {
  readonly benchCase: BenchCase;
  readonly rows: readonly { readonly name: string; readonly medians: Figures }[];
  /** Who could not run, and why. */
  readonly leftOut: readonly string[];
  readonly notes: readonly string[];
  readonly rounds: number;
}

/** Rounds that don't count: a server of ours reaches its full speed after about six seconds of a flood. */
const warmUpRounds = 2;

/** Runs a case: rounds to warm up, then those that count. */
export async function runCase(
  benchCase: BenchCase,
  options: BenchOptions & { readonly rounds?: number },
): Promise<BenchResult> {
  const rounds = options.rounds ?? benchCase.rounds ?? 5;
  const warmUps = benchCase.warmUp === false ? 0 : warmUpRounds;
  const all = await benchCase.open(options);
  const contestants = all.filter((contestant) => "run" in contestant);
  const figures = new Map<Contestant, Figures[]>(contestants.map((contestant) => [contestant, []]));
  try {
    for (let round = 0; round < warmUps + rounds; round++) {
      for (const contestant of contestants) {
        const outcome = await contestant.run();
        if (round >= warmUps) figures.get(contestant)?.push(outcome);
      }
    }
  } finally {
    for (const contestant of contestants) await contestant.close?.();
  }
  return {
    benchCase,
    rounds,
    rows: contestants.map((contestant) => ({
      name: contestant.name,
      medians: medianFigures(benchCase.columns, figures.get(contestant) ?? []),
    })),
    leftOut: all
      .filter((contestant) => "leftOut" in contestant)
      .map(({ name, leftOut }) => `${name}, because ${leftOut}`),
    notes: all.filter((contestant) => "note" in contestant).map(({ note }) => note),
  };
}

/** The value below which the given share of the values lies: 0.5 is the median. */
export function quantile(values: readonly number[] | Float64Array, share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
}

function medianFigures(columns: readonly string[], rounds: readonly Figures[]): Figures {
  const medians: Record<string, number> = {};
  for (const column of columns) {
    const values = rounds.map((round) => round[column]).filter((value) => value !== undefined);
    if (values.length > 0) medians[column] = quantile(values, 0.5);
  }
  return medians;
}
