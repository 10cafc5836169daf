/**
 * Random input for tests, the same in every run, so that a failure repeats.
 */

/** A source of random choices. */
export interface SeededRandom {
  /** A whole number from `min` to `max`, both included. */
  int(min: number, max: number): number;
  /** One of the choices. */
  pick<T>(choices: readonly [T, ...T[]]): T;
  /** Text of at most `lengthMax` of the choices. */
  text(choices: readonly [string, ...string[]], lengthMax: number): string;
}

/** Creates a source; the same seed gives the same choices. */
export function createSeededRandom(seed: number): SeededRandom {
  let state = seed;
  // Mulberry32: small, and good enough to be surprising.
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  const pick = <T>(choices: readonly [T, ...T[]]): T => choices[int(0, choices.length - 1)] ?? choices[0];
  const text = (choices: readonly [string, ...string[]], lengthMax: number): string =>
    Array.from({ length: int(0, lengthMax) }, () => pick(choices)).join("");
  return { int, pick, text };
}
