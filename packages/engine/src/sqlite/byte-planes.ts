/**
 * Numbers in byte planes: the lowest byte of each, then the next byte of each, …
 * Numbers of a kind have like upper bytes, which compress to nothing side by side.
 */

/** Writes the lower `planes` bytes of numbers to `target[at…]`. */
export function putPlanes(numbers: Uint32Array, planes: number, target: Uint8Array, at: number): void {
  const count = numbers.length;
  for (let plane = 0; plane < planes; plane++) {
    const start = at + plane * count;
    for (let index = 0; index < count; index++) target[start + index] = (numbers[index] ?? 0) >>> (8 * plane);
  }
}

/** How numbers lie in planes. */
export interface PlaneLayout {
  /** At most four. */
  readonly planes: number;
  /** How many numbers. */
  readonly count: number;
  /** Numbers of a plane. Default: `count`. */
  readonly stride?: number;
}

/** Reads numbers from planes, the first of which begins at `raw[at]`. */
export function readPlanes(
  raw: Uint8Array,
  at: number,
  { planes, count, stride = count }: PlaneLayout,
): Uint32Array<ArrayBuffer> {
  const numbers = new Uint32Array(count);
  for (let plane = 0; plane < planes; plane++) {
    const start = at + plane * stride;
    const shift = 8 * plane;
    if (plane === 0) numbers.set(raw.subarray(start, start + count));
    else
      for (let index = 0; index < count; index++)
        numbers[index] = (numbers[index] ?? 0) | ((raw[start + index] ?? 0) << shift);
  }
  return numbers;
}
