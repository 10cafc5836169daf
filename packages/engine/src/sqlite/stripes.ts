/**
 * Stripes: in a packed block the texts of like entries lie together, and are
 * compressed in some parts, the stripes. Like texts compress to less and
 * decompress faster, and who looks for the errors of one service, or for a
 * word that only one stripe has, decodes one stripe and not the block.
 *
 * An entry has an index, its number in the log's order, and a place, its number
 * in the order in which texts are stored:
 *
 *   index    0        1        2        3        4        5
 *            INFO api INFO web WARN api INFO api INFO web INFO web
 *
 *   place    0        1        2        3        4        5
 *            INFO api INFO api INFO web INFO web INFO web WARN api
 *            └──────── run ──┘ └────────── run ─────────┘ └─ run ─┘
 *            └─────────────── stripe ───────────────────┘ └ stripe ┘
 *
 * Places are by severity, then service, then index. Severities and services
 * are columns of their own, so the order need not be stored.
 */
import { startIn } from "../entry-bytes.ts";
import type { OriginIndexes } from "./packed-layout.ts";

/** In a block of more services, places are by severity and index alone: groups would be of a few entries. */
const groupedServicesMax = 256;

/** Stripes of a block, at the most: sets of them are bits of a number. */
export const stripesMax = 32;

/** All stripes of any block, as a set. */
export const everyStripe = -1;

/** Where the entries of a block have their texts. */
export interface Arrangement {
  /** The index of the entry at each place. */
  readonly indexes: Uint32Array;
  /** The place of each index. */
  readonly places: Uint32Array;
  /** Where each run ends, as places. The indexes of a run rise; it lies in one stripe. */
  readonly runEnds: Uint32Array;
  /** Where each stripe ends, as places. */
  readonly stripeEnds: Uint32Array;
}

/** Entries of one run that lie side by side there, and within some range of indexes. */
export interface Run {
  readonly stripe: number;
  /** The first one's place in the stripe: the number of its text there. */
  readonly from: number;
  /** Behind the last one's. */
  readonly to: number;
  /** The indexes of its entries, from `from` on. */
  readonly indexes: Uint32Array;
}

/** What the order of places depends on. */
export interface Likeness {
  readonly severities: Uint8Array;
  readonly origins: { readonly names: readonly unknown[]; readonly indexes: OriginIndexes };
}

/** The order of places: like entries side by side, without stripes yet. */
export function orderByLikeness(likeness: Likeness): Omit<Arrangement, "stripeEnds"> {
  const { severities, origins } = likeness;
  const services = origins.names.length;
  const isGrouped = services > 1 && services <= groupedServicesMax;
  // Each group has a number: the severity, and within it the service. Counted, the groups tell where each begins.
  const width = isGrouped ? services : 1;
  // A damaged service's index may be any byte: room for that, behind the last severity.
  const starts = new Uint32Array(256 * width + groupedServicesMax);
  const groups = new Uint32Array(severities.length);
  for (let index = 0; index < groups.length; index++) {
    const group = (severities[index] ?? 0) * width + (isGrouped ? (origins.indexes[index] ?? 0) : 0);
    groups[index] = group;
    starts[group] = (starts[group] ?? 0) + 1;
  }
  const runEnds: number[] = [];
  let next = 0;
  for (let group = 0; group < starts.length; group++) {
    const count = starts[group] ?? 0;
    starts[group] = next;
    next += count;
    if (count > 0) runEnds.push(next);
  }
  const indexes = new Uint32Array(groups.length);
  const places = groups;
  for (let index = 0; index < places.length; index++) {
    const group = groups[index] ?? 0;
    const place = starts[group] ?? 0;
    starts[group] = place + 1;
    indexes[place] = index;
    places[index] = place;
  }
  return { indexes, places, runEnds: Uint32Array.from(runEnds) };
}

/** The arrangement of entries that were ordered by likeness and cut into stripes. */
export function arrange(likeness: Likeness, stripeEnds: Uint32Array): Arrangement {
  const { indexes, places, runEnds } = orderByLikeness(likeness);
  const ends = new Set([...runEnds, ...stripeEnds]);
  return { indexes, places, runEnds: Uint32Array.from(ends).sort(), stripeEnds };
}

/** The arrangement of entries whose texts are stored in the log's order, in one stripe. */
export function unarranged(count: number): Arrangement {
  const indexes = identity(count);
  const ends = Uint32Array.of(count);
  return { indexes, places: indexes, runEnds: ends, stripeEnds: ends };
}

/** The stripe of a place. */
export function stripeAt({ stripeEnds }: Arrangement, place: number): number {
  let stripe = 0;
  while (stripe < stripeEnds.length - 1 && place >= (stripeEnds[stripe] ?? 0)) stripe++;
  return stripe;
}

/** The entries from index `from` to before `to`, run by run, each once: at most as many runs as entries. */
export function runsIn(arrangement: Arrangement, from: number, to: number): Run[] {
  const { indexes, runEnds, stripeEnds } = arrangement;
  const runs: Run[] = [];
  const isAll = from === 0 && to === indexes.length;
  let stripe = 0;
  for (let run = 0; run < runEnds.length; run++) {
    const start = startIn(runEnds, run);
    const end = runEnds[run] ?? 0;
    while (start >= (stripeEnds[stripe] ?? 0)) stripe++;
    const first = isAll ? start : firstFrom(indexes, start, end, from);
    const last = isAll ? end : firstFrom(indexes, first, end, to);
    if (first === last) continue;
    const stripeStart = startIn(stripeEnds, stripe);
    runs.push({
      stripe,
      from: first - stripeStart,
      to: last - stripeStart,
      indexes: indexes.subarray(first, last),
    });
  }
  return runs;
}

/**
 * Where to cut places into stripes of about equal length.
 *
 * @param lengths Bytes of each place's texts.
 * @param bytesWanted Of a stripe, more or less.
 */
export function cutStripes(lengths: Uint32Array, bytesWanted: number): Uint32Array {
  let total = 0;
  for (const length of lengths) total += length;
  const wanted = Math.max(1, Math.min(stripesMax, Math.round(total / bytesWanted)));
  const ends: number[] = [];
  let sum = 0;
  let stripe = 0;
  for (let place = 0; place < lengths.length - 1; place++) {
    sum += lengths[place] ?? 0;
    const next = Math.min(wanted - 1, Math.floor((sum * wanted) / total));
    if (next > stripe) ends.push(place + 1);
    stripe = next;
  }
  ends.push(lengths.length);
  return Uint32Array.from(ends);
}

/** The first place from `start` to `end` whose index is `least` or more; there indexes rise. */
function firstFrom(indexes: Uint32Array, start: number, end: number, least: number): number {
  let low = start;
  let high = end;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((indexes[middle] ?? 0) < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

function identity(count: number): Uint32Array {
  const indexes = new Uint32Array(count);
  for (let index = 0; index < count; index++) indexes[index] = index;
  return indexes;
}
