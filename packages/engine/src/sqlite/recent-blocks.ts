/**
 * The newest blocks, in memory: what readers at the head of the log are served
 * from, all from the same ones.
 */
import type { MemoryBlock } from "./memory-block.ts";

/**
 * Bytes of the newest blocks whose entries stay decoded for the next reader:
 * decoded ones take about ten times as much, so this stands for 20 MB.
 */
const decodedBytesMax = 2 * 1024 * 1024;

/** Consecutive blocks up to the watermark, the oldest forgotten first. */
export class RecentBlocks {
  readonly #bytesMax: number;
  /** By rising offset; the places before `#first` are empty. */
  #blocks: (MemoryBlock | undefined)[] = [];
  #first = 0;
  #bytes = 0;
  /** From here on blocks keep their decoded entries; what they take. */
  #firstDecoded = 0;
  #decodedBytes = 0;
  /** The run that was asked for last, until the blocks change: readers that wake together ask for the same one. */
  #lastRun:
    | { readonly offset: number; readonly bytesMax: number; readonly blocks: MemoryBlock[] }
    | undefined;

  /** @param bytesMax Beyond it the oldest are forgotten. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** What the blocks take in memory. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a newer block. When it does not follow the last one, those before it are forgotten. */
  add(block: MemoryBlock): void {
    const last = this.#blocks.at(-1);
    if (last !== undefined && block.firstOffset !== last.lastOffset + 1) this.clear();
    this.#lastRun = undefined;
    this.#blocks.push(block);
    this.#bytes += block.memoryBytes;
    this.#decodedBytes += block.memoryBytes;
    while (this.#bytes > this.#bytesMax && this.#first < this.#blocks.length) this.#forgetOldest();
    while (this.#decodedBytes > decodedBytesMax && this.#firstDecoded < this.#blocks.length - 1) {
      this.#stopDecoding();
    }
  }

  /**
   * The block that holds an offset and those that follow it, up to `bytesMax`
   * but one at least; none when it is not here. Whoever asks for the same ones
   * gets the same array.
   */
  run(offset: number, bytesMax: number): readonly MemoryBlock[] {
    if (this.#lastRun?.offset === offset && this.#lastRun.bytesMax === bytesMax) return this.#lastRun.blocks;
    const first = this.#indexOf(offset);
    if (first === undefined) return [];
    let end = first;
    for (let bytes = 0; end < this.#blocks.length; end++) {
      bytes += this.#blocks[end]?.bytes.length ?? 0;
      if (bytes > bytesMax && end > first) break;
    }
    const blocks = this.#blocks.slice(first, end).filter((block) => block !== undefined);
    this.#lastRun = { offset, bytesMax, blocks };
    return blocks;
  }

  #indexOf(offset: number): number | undefined {
    let low = this.#first;
    let high = this.#blocks.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const block = this.#blocks[middle];
      if (block === undefined) return undefined;
      if (offset < block.firstOffset) high = middle - 1;
      else if (offset > block.lastOffset) low = middle + 1;
      else return middle;
    }
    return undefined;
  }

  /** Forgets them all. */
  clear(): void {
    this.dropBefore(Number.POSITIVE_INFINITY);
  }

  /** Forgets the blocks before an offset. */
  dropBefore(offset: number): void {
    for (;;) {
      const oldest = this.#blocks[this.#first];
      if (oldest === undefined || oldest.lastOffset >= offset) return;
      this.#forgetOldest();
    }
  }

  #forgetOldest(): void {
    const oldest = this.#blocks[this.#first];
    if (oldest === undefined) return;
    this.#lastRun = undefined;
    if (this.#firstDecoded === this.#first) this.#stopDecoding();
    this.#bytes -= oldest.memoryBytes;
    this.#blocks[this.#first++] = undefined;
    // Shifting the array for every block would cost as much as there are blocks.
    if (this.#first * 2 < this.#blocks.length) return;
    this.#blocks = this.#blocks.slice(this.#first);
    this.#firstDecoded -= this.#first;
    this.#first = 0;
  }

  #stopDecoding(): void {
    const block = this.#blocks[this.#firstDecoded++];
    if (block === undefined) return;
    this.#decodedBytes -= block.memoryBytes;
    block.forgetDecoded();
  }
}
