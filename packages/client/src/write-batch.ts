/**
 * A batch as a caller hands it in, checked against the limits that can be told
 * without encoding it. Nothing is split silently: a batch is acknowledged as a
 * whole, and only its writer knows where it may be cut.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { limits, type WriteLogsRequest, type WriteLogsRequestSchema } from "@logsvc/proto";
import { encodeBatch, encodedRequest } from "./entry-encoding.ts";
import { type LogEntryInit, toLogEntry } from "./log-entry-init.ts";

/** Who wrote a batch, for recognising retries. */
export interface BatchOrigin {
  /** Names the writer and its count of sequences. Choose it at random, once. At most 128 bytes. */
  readonly producerId?: string;
  /** The sequence of the batch's first entry, from 1; the others follow one by one. Needs a producer id. Default: each entry's own. */
  readonly firstSequence?: number;
}

/** Entries that are written and acknowledged together. At most 100 000, and 16 MiB encoded. */
export interface WriteBatch extends BatchOrigin {
  readonly entries: readonly LogEntryInit[];
}

/**
 * The batch as a request.
 *
 * @throws RangeError that names what is over its limit, the limit and the value.
 */
export function toWriteRequest(batch: WriteBatch): MessageInitShape<typeof WriteLogsRequestSchema> {
  const { entries, producerId = "", firstSequence = 0 } = batch;
  checkBatch(batch);
  return { entries: entries.map(toLogEntry), producerId, firstSequence: BigInt(firstSequence) };
}

/**
 * The batch as a request whose entries are encoded already, which is several
 * times faster; for binary formats alone.
 *
 * @throws As toWriteRequest; TypeError when a field has a value that can't be encoded.
 */
export function toEncodedRequest(batch: WriteBatch): WriteLogsRequest {
  const { entries, producerId = "", firstSequence = 0 } = batch;
  checkBatch(batch);
  return encodedRequest(encodeBatch(entries), producerId, firstSequence);
}

function checkBatch(batch: WriteBatch): void {
  const { length } = batch.entries;
  if (length > limits.batchEntriesMax) {
    throw new RangeError(`Expected at most ${limits.batchEntriesMax} entries in a batch, got ${length}`);
  }
  checkOrigin(batch);
}

/**
 * Checks a producer id and a first sequence.
 *
 * @throws RangeError that names the field, the limit and the value.
 */
export function checkOrigin({ producerId = "", firstSequence = 0 }: BatchOrigin): void {
  const idBytes = new TextEncoder().encode(producerId).length;
  if (idBytes > limits.producerIdBytesMax) {
    throw new RangeError(
      `Expected producerId to have at most ${limits.producerIdBytesMax} bytes, got ${idBytes}`,
    );
  }
  if (!Number.isSafeInteger(firstSequence) || firstSequence < 0) {
    throw new RangeError(`Expected firstSequence to be an integer from 0 to 2^53 - 1, got ${firstSequence}`);
  }
  if (firstSequence > 0 && producerId === "") {
    throw new RangeError(`Expected a producerId, since firstSequence is ${firstSequence}; got none`);
  }
}
