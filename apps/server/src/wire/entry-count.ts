/**
 * How many entries a batch has, counted in its bytes before they are decoded.
 * An entry may have two bytes, and decoded it takes 100: a batch within its
 * bound in bytes could hold the main thread for seconds, and a gigabyte.
 *
 *   binary   each field 1 of the message; field 2 has a length, field 3 is a varint,
 *            whatever their tags say, since protobuf reads them so
 *   JSON     {"entries": [{"attributes": {}}, {}]}
 *            each object in the list in the outermost object. Objects and lists in
 *            other places count as well: they are refused, but only once they are parsed.
 *
 * Nothing is validated here: what is no batch is counted as far as it can be
 * read, and what is wrong with it is the decoder's to say.
 */
import type { Compression } from "@connectrpc/connect/protocol";
import { limits } from "@logsvc/proto";
import { checkEntryCount } from "../ingest/ingest.ts";
import { toConnectError } from "./connect-errors.ts";

/** How a request's messages are written. */
export type MessageFormat = "binary" | "json";

/** Counts the entries of one batch after the other. */
export interface EntryCount {
  /** Some more bytes of the batch. */
  add(bytes: Uint8Array): void;
  /** How many entries the batch has; the next one begins. */
  take(): number;
}

/** A count for messages of this format. */
export function startCount(format: MessageFormat): EntryCount {
  return format === "binary" ? new BinaryCount() : new JsonCount();
}

/**
 * To be called at the end of each batch.
 *
 * @throws ConnectError ResourceExhausted: it has too many entries.
 */
export function checkCounted(count: EntryCount): void {
  try {
    checkEntryCount(count.take());
  } catch (error) {
    throw toConnectError(error);
  }
}

/**
 * Checks a batch that is here.
 *
 * @throws ConnectError ResourceExhausted: it has too many entries.
 */
export function checkEntries(batch: Uint8Array, format: MessageFormat): void {
  const count = startCount(format);
  count.add(batch);
  checkCounted(count);
}

/**
 * Passes on a body that is one batch.
 *
 * @throws ConnectError ResourceExhausted, at its end: it has too many entries.
 */
export async function* boundEntries(
  chunks: AsyncIterable<Uint8Array>,
  count: EntryCount,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of chunks) {
    count.add(chunk);
    yield chunk;
  }
  checkCounted(count);
}

/** The same algorithm; batches of this format that come out of it are checked. */
export function boundCompression(compression: Compression, format: MessageFormat): Compression {
  return {
    ...compression,
    decompress: async (bytes, readMaxBytes) => {
      const message = await compression.decompress(bytes, readMaxBytes);
      // Connect does not say of which RPC it is, but only batches may be as long.
      if (readMaxBytes === limits.batchBytesMax) checkEntries(message, format);
      return message;
    },
  };
}

/** Protobuf takes varints of so many bytes, and the low 32 bits of a length. */
const varintBytesMax = 10;

class BinaryCount implements EntryCount {
  #count = 0;
  /** What the varint is that is being read. */
  #reading: "tag" | "length" | "value" = "tag";
  #varint = 0;
  #varintBytes = 0;
  /** Bytes of the field that are not looked at; infinite: the rest can't be read. */
  #skipBytes = 0;
  /** How many groups are open: in them nothing is a field of the batch. */
  #groups = 0;

  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#skipBytes > 0) {
        const skipped = Math.min(this.#skipBytes, bytes.length - at);
        this.#skipBytes -= skipped;
        at += skipped;
      } else {
        this.#step(bytes[at++] ?? 0);
      }
    }
  }

  take(): number {
    const count = this.#count;
    this.#count = 0;
    this.#reading = "tag";
    this.#varint = 0;
    this.#varintBytes = 0;
    this.#skipBytes = 0;
    this.#groups = 0;
    return count;
  }

  #step(byte: number): void {
    if (this.#varintBytes < 5) this.#varint |= (byte & 0x7f) << (7 * this.#varintBytes);
    this.#varintBytes += 1;
    if (byte > 0x7f) {
      if (this.#varintBytes === varintBytesMax && this.#reading !== "value") this.#giveUp();
      return;
    }
    const varint = this.#varint >>> 0;
    this.#varint = 0;
    this.#varintBytes = 0;
    const was = this.#reading;
    this.#reading = "tag";
    if (was === "tag") this.#begin(varint >>> 3, varint & 7);
    else if (was === "length") this.#skipBytes = varint;
  }

  #begin(field: number, wireType: number): void {
    const isOurs = this.#groups === 0 && field <= 3;
    if (field === 0 || wireType > 5) this.#giveUp();
    else if (isOurs && field === 3) this.#reading = "value";
    else if (isOurs) this.#reading = "length";
    else if (wireType === 0) this.#reading = "value";
    else if (wireType === 1) this.#skipBytes = 8;
    else if (wireType === 2) this.#reading = "length";
    else if (wireType === 3) this.#groups += 1;
    else if (wireType === 5) this.#skipBytes = 4;
    else if (this.#groups === 0) this.#giveUp();
    else this.#groups -= 1;
    if (isOurs && field === 1) this.#count += 1;
  }

  #giveUp(): void {
    this.#skipBytes = Number.POSITIVE_INFINITY;
  }
}

const byteOf = (character: string): number => character.charCodeAt(0);
const quote = byteOf('"');
const backslash = byteOf("\\");
const brace = { open: byteOf("{"), close: byteOf("}") } as const;
const bracket = { open: byteOf("["), close: byteOf("]") } as const;

/** A batch without entries has two: itself and its list. */
const batchParts = 2;

/** How many objects and lists an entry's attributes lie in. */
const attributesDepth = 3;

class JsonCount implements EntryCount {
  /** Objects and lists that are open. */
  #depth = 0;
  /** Those that were opened where attributes are: not more than there are entries. */
  #attributes = 0;
  /** All others. */
  #parts = 0;
  #isText = false;
  #isEscaped = false;

  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#isText) {
        at = this.#skipText(bytes, at);
        continue;
      }
      const byte = bytes[at++];
      if (byte === quote) this.#isText = true;
      // Which of the two it is does not matter here.
      else if (byte === brace.open || byte === bracket.open) this.#open();
      else if (byte === brace.close || byte === bracket.close) this.#depth -= 1;
    }
  }

  take(): number {
    const count = Math.max(0, this.#parts - batchParts, this.#attributes);
    this.#depth = 0;
    this.#attributes = 0;
    this.#parts = 0;
    this.#isText = false;
    this.#isEscaped = false;
    return count;
  }

  /** Returns where the text ends, or these bytes do. Most of a batch is text. */
  #skipText(bytes: Uint8Array, from: number): number {
    let isEscaped = this.#isEscaped;
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at];
      if (isEscaped) isEscaped = false;
      else if (byte === backslash) isEscaped = true;
      else if (byte === quote) {
        this.#isText = false;
        this.#isEscaped = false;
        return at + 1;
      }
    }
    this.#isEscaped = isEscaped;
    return bytes.length;
  }

  #open(): void {
    if (this.#depth === attributesDepth) this.#attributes += 1;
    else this.#parts += 1;
    this.#depth += 1;
  }
}
