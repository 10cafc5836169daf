/**
 * Levels as they come and as they are stored. Programs write the same few
 * levels for ever: each is normalised once and then known by its bytes.
 */
import { isUtf8 } from "node:buffer";
import { normalizeLevel, severityOf } from "@logsvc/proto";

/** A level as an entry stores it. */
export interface StoredLevel {
  /** The field as it stands in the entry: tag, length and text, normalised. */
  readonly field: Uint8Array;
  readonly severity: number;
}

interface KnownLevel extends StoredLevel {
  /** The text as it came, UTF-8. */
  readonly spelling: Uint8Array;
}

/** Tag of `LogEntry.level`. */
const levelTag = 0x0a;

/**
 * Levels kept: about 50 KB of them at the most. A level takes the place of
 * another one with the same slot; of the usual spellings hardly any share one.
 */
const levelsMax = 256;

/** Leaves a byte order mark where it is, as protobuf does. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The levels seen last. */
export class LevelMemo {
  readonly #known: (KnownLevel | undefined)[] = Array.from({ length: levelsMax }, () => undefined);

  /** What an entry without a level gets. */
  readonly absent: StoredLevel = storedLevel("");

  /** The level whose text is `bytes[from…to)`, at most `limits.levelBytesMax` of them; undefined: it is not UTF-8. */
  find(bytes: Uint8Array, from: number, to: number): StoredLevel | undefined {
    let hash = to - from;
    for (let at = from; at < to; at++) hash = (Math.imul(hash, 31) + (bytes[at] ?? 0)) | 0;
    // The product's upper 8 bits depend on all of the hash: INFO and info differ only in a few.
    const slot = Math.imul(hash, 0x9e3779b1) >>> 24;
    const known = this.#known[slot];
    if (known !== undefined && isAt(known.spelling, bytes, from, to)) return known;
    const spelling = new Uint8Array(bytes.subarray(from, to));
    if (!isUtf8(spelling)) return undefined;
    const level = {
      spelling,
      ...storedLevel(decoder.decode(spelling)),
    };
    this.#known[slot] = level;
    return level;
  }
}

function storedLevel(level: string): StoredLevel {
  const name = normalizeLevel(level);
  const text = Buffer.from(name);
  // No level is longer than what one byte of length tells.
  return { field: Uint8Array.of(levelTag, text.length, ...text), severity: severityOf(name) };
}

function isAt(spelling: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (spelling.length !== to - from) return false;
  for (let index = 0; index < spelling.length; index++) {
    if (spelling[index] !== bytes[from + index]) return false;
  }
  return true;
}
