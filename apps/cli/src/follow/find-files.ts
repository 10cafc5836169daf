/**
 * Which files there are: those that the user's patterns name, and those that a
 * rotated log may have become.
 */
import { glob, readdir, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

/** A file as the system sees it. */
export interface FileStatus {
  readonly path: string;
  /** Device and inode: the same file under any name. */
  readonly key: string;
  readonly bytes: number;
  /** When it was written last, in Unix milliseconds. */
  readonly writtenAtMs: number;
  readonly isFile: boolean;
}

/** Names a file for as long as it exists. */
export function fileKey({ dev, ino }: { readonly dev: bigint; readonly ino: bigint }): string {
  return `${dev}:${ino}`;
}

/** What a path leads to, through symbolic links. Throws as `stat` does. */
export async function statusOf(path: string): Promise<FileStatus> {
  // Inodes may be larger than a number holds exactly.
  const { dev, ino, size, mtimeNs, ...status } = await stat(path, { bigint: true });
  return {
    path,
    key: fileKey({ dev, ino }),
    bytes: Number(size),
    writtenAtMs: Number(mtimeNs) / 1e6,
    isFile: status.mode !== undefined && (Number(status.mode) & fileTypeMask) === regularFile,
  };
}

const fileTypeMask = 0o170_000;
const regularFile = 0o100_000;

/** The same, or undefined where there is nothing, or nothing that may be looked at. */
export async function statusOrNone(path: string): Promise<FileStatus | undefined> {
  return statusOf(path).catch(() => undefined);
}

/** What the patterns name now. */
export interface FoundFiles {
  /** Full paths, each once, in the order of the patterns and by name. */
  readonly paths: readonly string[];
  /** Patterns that name nothing. */
  readonly unmatched: readonly string[];
}

/** Expands patterns. One that is the name of a file is that file, whatever characters it has. */
export async function findFiles(patterns: readonly string[]): Promise<FoundFiles> {
  const paths = new Set<string>();
  const unmatched: string[] = [];
  for (const pattern of patterns) {
    const found = (await isThere(pattern)) ? [pattern] : await Array.fromAsync(glob(pattern));
    if (found.length === 0) unmatched.push(pattern);
    for (const path of found.sort()) paths.add(resolve(path));
  }
  return { paths: [...paths], unmatched };
}

async function isThere(path: string): Promise<boolean> {
  return (await statusOrNone(path)) !== undefined;
}

const packedEnding = /\.(?:gz|zst)$/;

/** `app.log.1`, `app.log-20261129`, `app.log.2026-11-29-1764403200`, `app.log.old`. */
const rotatedEnding = /[.-](?:\d[\d.-]*|old|bak|orig)$/;

/** `app-20261129.log`, `app.1.log`. */
const rotatedInfix = /[.-]\d[\d.-]*(?=\.\w+$)/;

/** The names that a file may have had before it was rotated and packed; its own is the last. */
function formerNames(name: string): string[] {
  const unpacked = name.replace(packedEnding, "");
  return [unpacked.replace(rotatedEnding, ""), unpacked.replace(rotatedInfix, ""), unpacked];
}

/** Whether a file has a name that rotation gives, so that it may hold what another one held. */
export function hasRotatedName(path: string): boolean {
  const name = basename(path);
  return formerNames(name).some((former) => former !== name);
}

/** The log that a file is part of: the name that it has, or had before it was rotated. */
export function logOf(path: string): string {
  return join(dirname(path), basename(path).replace(packedEnding, "").replace(rotatedEnding, ""));
}

/** Whether a file may be another one's contents, copied or packed, by their names. */
export function mayBeCopy(path: string, original: string): boolean {
  const name = basename(path);
  const originalName = basename(original);
  const root = originalName.replace(packedEnding, "").replace(rotatedEnding, "");
  return hasRotatedName(path) && [originalName, root].some((known) => formerNames(name).includes(known));
}

/** The order in which files were written last. The system's clock for it is coarse: where it says the same, rotated ones come first. */
export function byAge(a: FileStatus, b: FileStatus): number {
  return a.writtenAtMs - b.writtenAtMs || Number(hasRotatedName(b.path)) - Number(hasRotatedName(a.path));
}

/** The files that rotation may have made of a log, the oldest first. */
export async function findRotated(path: string): Promise<FileStatus[]> {
  const log = logOf(path);
  const folder = dirname(log);
  const names = await readdir(folder).catch(() => []);
  const rotated = names.map((name) => join(folder, name)).filter((other) => mayBeCopy(other, log));
  const statuses = await Promise.all(rotated.map(statusOrNone));
  return statuses
    .filter((status) => status !== undefined)
    .filter(({ isFile }) => isFile)
    .sort(byAge);
}
