/**
 * Which adjacent blocks to join: a few large blocks are smaller, skipped sooner
 * and scanned faster than many small ones, but every joining writes their
 * entries once more.
 *
 * A block's weight stands for what it takes to hold, to scan and to store it.
 * Blocks are joined in three tiers, up to 64 KiB, up to 1 MiB and up to 4 MiB of
 * weight. In each, from the oldest block on, neighbours are put into a group for
 * as long as they fit; a group that can't grow any more is joined:
 *
 *   ┌──┬──┬──┬──┬──────────┬──┬──┬────┬──┬ ─ ─
 *   │  │  │  │  │ finished │  │  │    │  │
 *   └──┴──┴──┴──┴──────────┴──┴──┴────┴──┴ ─ ─
 *    a group: its                      the next one does not fit: a group;
 *    neighbour is finished             what is behind it waits for more
 *
 * A block that weighs half of a tier's bound is finished for this tier. A group
 * to which the next one does not fit weighs more than that, so no entry is
 * written more than once a tier: three times at the most, once in a flood, when
 * whole groups of the last tier wait.
 */

/** What makes a block's weight. */
export interface BlockSize {
  readonly count: number;
  /** Of its entries, before compression. */
  readonly rawBytes: number;
  /** What its row takes. */
  readonly storedBytes: number;
}

/** A block, as far as the plan needs it. */
export interface PlannedBlock extends BlockSize {
  readonly firstOffset: number;
  /** Blocks of different periods are not joined: retention deletes a block when all of it is old. */
  readonly period: number;
}

/** What to do with blocks from the oldest on. */
export interface MergePlan {
  /** Join the blocks from index `from` to `to` - 1. Absent: nothing can be joined, until more follow. */
  readonly join?: { readonly from: number; readonly to: number };
  /** So many of the first blocks stay as they are, whatever follows. */
  readonly settled: number;
}

/** Weight of the largest blocks: 4 MiB of raw bytes, 32 Ki entries or 2.7 MiB stored, whichever is reached first. */
export const mergedWeightMax: number = 4 * 1024 * 1024;

/** Weight of the largest blocks of the first tier. */
export const mergedWeightMin: number = 64 * 1024;

/** Bounds of the tiers below the last. */
const smallTiers = [mergedWeightMin, 1024 * 1024];

/** Weight of an entry at the least: tiny ones take time and room as well. */
const entryWeight = 128;

/**
 * Weight of a stored byte: bounds what the writer has to write at once where
 * compression gains little. No more, or a block of random bytes were finished
 * as it comes from a commit, with no filter of words.
 */
const storedByteWeight = 1.5;

/** Blocks joined at once: bounds how long the writer takes to delete them. So many of the lightest make up the first tier. */
export const joinedBlocksMax: number = mergedWeightMin / entryWeight;

/** Below the last tier fewer are left alone: they can as well wait for the next tier. */
const joinedBlocksMin = 8;

/**
 * Blocks that a plan must be given, where there are as many: then there is
 * something to join, or some are settled. Of blocks that are not settled and
 * can't be joined there are less than `joinedBlocksMax` in the first tier, and
 * in the others a few between each two that are finished.
 */
export const plannedBlocksMax: number = 4 * joinedBlocksMax;

/** What a block counts against the bounds. */
export function weightOf({ count, rawBytes, storedBytes }: BlockSize): number {
  return Math.max(rawBytes, count * entryWeight, Math.ceil(storedBytes * storedByteWeight));
}

/**
 * Plans the next step for adjacent blocks, the oldest first.
 *
 * @param weightMax Of a joined block; at least that of two entries.
 */
export function planMerge(blocks: readonly PlannedBlock[], weightMax: number = mergedWeightMax): MergePlan {
  let settled = 0;
  for (const group of groupsOf(blocks, settled, weightMax)) {
    const length = group.to - group.from;
    // Too many for one step: some of them are joined in the smaller tiers first.
    if (length > joinedBlocksMax) break;
    if (length > 1) return { join: group, settled };
    settled = group.to;
  }
  for (const bound of smallTiers.toReversed()) {
    if (bound >= weightMax) continue;
    for (const group of groupsOf(blocks, settled, bound)) {
      const length = group.to - group.from;
      if (length >= joinedBlocksMin && length <= joinedBlocksMax) return { join: group, settled };
    }
  }
  return { settled };
}

/** The groups of a tier that can't grow any more; a finished block is one by itself. */
function* groupsOf(
  blocks: readonly PlannedBlock[],
  first: number,
  bound: number,
): Generator<{ from: number; to: number }, void, undefined> {
  let from = first;
  let weight = 0;
  for (let index = first; index < blocks.length; index++) {
    const block = blocks[index];
    if (block === undefined) return;
    const added = weightOf(block);
    const isFinished = added >= bound / 2;
    const fits = weight + added <= bound && block.period === blocks[from]?.period;
    if (index > from && (isFinished || !fits)) {
      yield { from, to: index };
      from = index;
      weight = 0;
    }
    weight += added;
    if (!isFinished) continue;
    yield { from, to: index + 1 };
    from = index + 1;
    weight = 0;
  }
}
