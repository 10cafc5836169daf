/**
 * What an earlier run left in a place: whole segments, one that it was writing
 * when it ended, and whatever became of them since.
 */
import { type FileHandle, mkdir, open, readdir, readFile, stat, unlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { readAt, readItems, readSegmentHeader, type Segment } from "./segment.ts";
import { decodeRecordHeader, isOfLaterVersion, recordHeaderBytes } from "./segment-format.ts";
import { listSegments, type SegmentFile } from "./spool-places.ts";

/** Told of what does not read as it was written: how many entries are lost, as far as that is known, and what was found. */
export type TellDamage = (entries: number, message: string) => void;

/** What is acknowledged: all segments before this one, and of it what lies before the offset, so many entries. */
export interface SpoolPosition {
  readonly segment: number;
  readonly offset: number;
  readonly entries: number;
}

/** Damaged bytes are kept for a person to look at, up to so many. */
const damagedBytesMax = 64 * 1024 * 1024;

/** The segments of a place, the oldest first. What can't be one is set aside. */
export async function loadSegments(place: string, tell: TellDamage): Promise<Segment[]> {
  const segments: Segment[] = [];
  for (const file of await listSegments(place)) {
    const segment = await loadSegment(file, tell);
    if (segment !== undefined) segments.push(segment);
  }
  return segments;
}

/** What is acknowledged, as far as it was noted. */
export async function readPosition(place: string): Promise<SpoolPosition> {
  try {
    const position: unknown = JSON.parse(await readFile(positionPath(place), "utf8"));
    if (isPosition(position)) return position;
  } catch {
    // Not there, or cut short by a power loss: then more is sent again, and the server knows that it has it.
  }
  return { segment: 0, offset: 0, entries: 0 };
}

/** Where the position is noted. */
export function positionPath(place: string): string {
  return join(place, "position");
}

function isPosition(position: unknown): position is SpoolPosition {
  if (typeof position !== "object" || position === null) return false;
  return (["segment", "offset", "entries"] as const).every(
    (name) => name in position && Number.isSafeInteger(Reflect.get(position, name)),
  );
}

/** Keeps bytes of a segment that are not valid. Returns what to say of it. */
export async function setAside(segment: SegmentFile, bytes: Uint8Array, from: number): Promise<string> {
  const folder = join(dirname(segment.path), "damaged");
  const what = `${bytes.length} bytes at ${from} of ${segment.path} do not read as they were written`;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if ((await folderBytes(folder)) + bytes.length > damagedBytesMax) {
    return `${what}; they were not kept, as ${folder} is full`;
  }
  const path = join(folder, `${basename(segment.path)}-${from}`);
  await writeFile(path, bytes, { mode: 0o600 });
  return `${what}; they are now in ${path}`;
}

async function folderBytes(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder)) bytes += (await stat(join(folder, name))).size;
  return bytes;
}

async function loadSegment(segment: SegmentFile, tell: TellDamage): Promise<Segment | undefined> {
  await using file = await open(segment.path, "r+");
  const { size } = await file.stat();
  const header = await readSegmentHeader(file);
  if (header === undefined) {
    const bytes = await readAt(file, 0, Math.min(size, damagedBytesMax));
    if (isOfLaterVersion(bytes)) {
      tell(0, `${segment.path} was written by a later version; it is left alone`);
    } else {
      tell(0, await setAside(segment, bytes, 0));
      await unlink(segment.path);
    }
    return undefined;
  }
  const loaded = { ...segment, header, bytes: size, entries: 0, readEntries: 0, settledEntries: 0 };
  const entries = await endOf(file, size);
  if (entries === undefined) await scan(file, loaded, tell);
  else loaded.entries = entries;
  return loaded;
}

/** The count in a segment's end; undefined: it has none. */
async function endOf(file: FileHandle, size: number): Promise<number | undefined> {
  if (size < recordHeaderBytes) return undefined;
  const end = decodeRecordHeader(await readAt(file, size - recordHeaderBytes, recordHeaderBytes), 0);
  return end?.isEnd ? end.count : undefined;
}

/** Counts the entries of a segment that was being written, and cuts off what was not written to its end. */
async function scan(file: FileHandle, segment: Segment, tell: TellDamage): Promise<void> {
  const size = segment.bytes;
  let at = segment.header.bytes;
  while (at < size) {
    for (const item of await readItems(file, at, size)) {
      if (item.kind === "nothing") {
        tell(0, await setAside(segment, await readAt(file, at, size - at), at));
        await file.truncate(at);
        segment.bytes = at;
        return;
      }
      if (item.kind !== "end") segment.entries += item.count ?? 0;
      at = item.end;
    }
  }
}
