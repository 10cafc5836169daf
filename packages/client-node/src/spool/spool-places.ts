/**
 * Who may use which part of a spool's folder: each process has a place of its
 * own in it, so that a cluster of them can have one setting. See
 * segment-format.ts.
 *
 * The lock is SQLite's, since Node has none: the system lets go of it however
 * the process ends, and it also holds between the threads of one process.
 */
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";

/** Processes that may share a folder. */
const placesMax = 64;

const lockName = "lock";

/** Begins the name of a place that a process made on its way out. */
export const leftPrefix = "left-";

const segmentPattern = /^(\d{10})\.spool$/;
const numberDigits = 10;

/** A place that is ours until it is closed. */
export interface SpoolPlaceLock {
  readonly path: string;
  close(): void;
}

/** A segment's file. */
export interface SegmentFile {
  readonly number: number;
  readonly path: string;
}

/** Takes the first place that is free; undefined: none is. Throws when the folder can't be used. */
export async function takePlace(folder: string): Promise<SpoolPlaceLock | undefined> {
  for (let number = 0; number < placesMax; number++) {
    const path = join(folder, String(number));
    // Logs hold what only their owner should see.
    await mkdir(path, { recursive: true, mode: 0o700 });
    const lock = await takeLock(path);
    if (lock !== undefined) return lock;
  }
  return undefined;
}

/** Moves the segments of places that nobody has behind our own. */
export async function adoptSegments(folder: string, ours: SpoolPlaceLock): Promise<void> {
  const places = await readdir(folder, { withFileTypes: true });
  for (const place of places) {
    const path = join(folder, place.name);
    if (!place.isDirectory() || path === ours.path) continue;
    const left = await listSegments(path);
    if (left.length === 0) continue;
    const lock = await takeLock(path);
    if (lock === undefined) continue;
    try {
      let next = ((await listSegments(ours.path)).at(-1)?.number ?? 0) + 1;
      for (const segment of await listSegments(path))
        await rename(segment.path, segmentPath(ours.path, next++));
      // The others are taken again; this one was made for once.
      if (place.name.startsWith(leftPrefix)) await rm(path, { recursive: true });
    } finally {
      lock.close();
    }
  }
}

/** The segments in a place, in their order. */
export async function listSegments(place: string): Promise<SegmentFile[]> {
  const names = await readdir(place);
  return names
    .map((name) => segmentPattern.exec(name))
    .filter((match) => match !== null)
    .map(([name, digits]) => ({ number: Number(digits), path: join(place, name) }))
    .sort((one, other) => one.number - other.number);
}

/** The file of a segment. */
export function segmentPath(place: string, number: number): string {
  return join(place, `${String(number).padStart(numberDigits, "0")}.spool`);
}

async function takeLock(path: string): Promise<SpoolPlaceLock | undefined> {
  // Not needed by those who have no spool.
  const sqlite = await import("node:sqlite");
  let database: DatabaseSync | undefined;
  try {
    database = new sqlite.DatabaseSync(join(path, lockName));
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    database?.close();
    if (error instanceof Error && "errcode" in error && error.errcode === busyCode) return undefined;
    throw error;
  }
  const lock = database;
  return { path, close: () => lock.close() };
}

/** SQLITE_BUSY: somebody else has it. */
const busyCode = 5;
