/** Blocks for tests: of entries, and of what was stored. */
import { batchOf } from "../../contract/engine-under-test.ts";
import type { EntryBatch } from "../../entry-batch.ts";
import type { ColumnName } from "../block-column.ts";
import { type BlockColumns, openColumns } from "../block-columns.ts";
import { checkHead, type StoredBlock } from "../block-format.ts";
import { type BlockImage, blockViews, createBlockImage } from "../block-image.ts";

/** The block of a batch, or of entries. */
export function imageOf(
  entries: EntryBatch | Parameters<typeof batchOf>[0],
  firstOffset: number,
  receivedAt: bigint,
): BlockImage {
  const batch = "bytes" in entries ? entries : batchOf(entries);
  const { count } = batch;
  const image = createBlockImage({ firstOffset, count, receivedAt, rawBytes: batch.bytes.length });
  const views = blockViews(image);
  views.bytes.set(batch.bytes);
  views.ends.set(batch.ends);
  views.timestamps.set(batch.timestamps);
  views.severities.set(batch.severities);
  return image;
}

/** The columns of a block as the reader has them. */
export function columnsOf(stored: StoredBlock): BlockColumns {
  checkHead(stored);
  return openColumns(stored, (name) => columnOf(stored, name));
}

function columnOf({ times, severities, entries, packed }: StoredBlock, name: ColumnName): Uint8Array {
  const columns: Partial<Record<ColumnName, Uint8Array>> = { times, severities, entries, ...packed };
  return columns[name] ?? new Uint8Array();
}
