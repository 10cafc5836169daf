/**
 * Follows files and patterns for as long as it is wanted: finds new ones, keeps
 * to those that are renamed, and tells copies from new contents.
 *
 * What is followed is contents. Which contents a file has is told so:
 *
 *   seen                                         means
 *   ─────────────────────────────────────────    ───────────────────────────────────────────
 *   a name leads to another inode                rotated by rename: the old one is read to its
 *                                                end, then the new one, and watched a while more
 *   what was read is no longer before the        truncated. The rest is read from the copy beside
 *   place where reading goes on                  it, where there is one; else it is counted
 *   a new file beside a log, named as rotation   the same beginning and the same bytes before the
 *   names them (`app.log.1`, `app.log.2.gz`)     place: a copy, which is not read again
 *   any other file                               new contents, read from the beginning
 *
 * While a log is copied and then truncated, lines that are written between the
 * two are in neither file. Whether there were any nobody can tell; each
 * truncation is counted and told.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { SourceError } from "../lines/open-source.ts";
import {
  type FileSource,
  isPacked,
  noPrint,
  openPacked,
  openPlain,
  type ReadPlace,
  readHead,
  readPackedHead,
} from "./file-source.ts";
import {
  byAge,
  type FileStatus,
  findFiles,
  findRotated,
  hasRotatedName,
  logOf,
  mayBeCopy,
  statusOf,
  statusOrNone,
} from "./find-files.ts";
import { type FollowContext, FollowedFile } from "./followed-file.ts";
import type { FilePosition } from "./positions.ts";
import { beginsAs } from "./print.ts";

/** What happened to files. */
export interface FollowCounts {
  /** Files that are followed now. */
  files: number;
  /** Truncations, each of which may have lost what was written between the copy and the truncation. */
  truncations: number;
  /** Bytes that are known to have been in files and were not read: truncated or deleted before. */
  missedBytes: number;
}

/** Options of followFiles. */
export interface FollowOptions {
  readonly patterns: readonly string[];
  readonly context: FollowContext;
  readonly counts: FollowCounts;
  /** The flags that decide where records end: with others the numbering begins anew. */
  readonly shape: string;
  readonly notice: (text: string) => void;
  readonly warn: (text: string) => void;
  /** Aborting ends the following: what is there is read and written, and the promise resolves. */
  readonly signal: AbortSignal;
  /** Between two looks at files, in milliseconds. Default: 100. */
  readonly pollMs?: number;
  /** Between two looks for new ones, in milliseconds. Default: 1 000. */
  readonly scanMs?: number;
  /** How long a file is watched after its name was taken away, in milliseconds. Default: 30 000: programs write on until they open the new one. */
  readonly lingerMs?: number;
}

interface Followed {
  readonly file: FollowedFile;
  /** Since when no name that was asked for leads to it; undefined while one does. */
  detachedAtMs: number | undefined;
  /** Everything that was in it at the last look is acknowledged. */
  isDrained: boolean;
  /** These come first: what was the same log before. */
  after: Followed[];
  /** Whether another one comes after it and waits until all of it is acknowledged. */
  isAwaited: boolean;
  /** As it was when it was last looked at, and before that. */
  seen: FileStatus | undefined;
  seenBefore: FileStatus | undefined;
}

/** Files that are read at the same time: each has a batch on its way, and one being made. */
const filesAtOnce = 8;

/** How often files are looked for while they are being renamed. */
const looksMax = 10;

/** Follows files until the signal aborts. Throws what the delivery throws when it gives up. */
export async function followFiles(options: FollowOptions): Promise<void> {
  const set = new FollowSet(options);
  try {
    await set.recover();
    await set.follow();
  } finally {
    await set.close();
  }
}

class FollowSet {
  readonly #options: FollowOptions;
  readonly #live = new Map<string, Followed>();
  /** Positions of files that are not followed now, the latest first. */
  readonly #known = new Map<string, FilePosition>();
  /** Of each log with all that rotation made of it: the latest. */
  readonly #latest = new Map<string, Followed>();
  /** Files that were looked at and are not to be read, as they were then. */
  readonly #passed = new Map<string, string>();
  /** What was told of a path, so that it is told once. */
  readonly #told = new Map<string, string>();
  #paths: readonly string[] = [];
  #mustScan = true;
  #staleLooks = 0;

  constructor(options: FollowOptions) {
    this.#options = options;
    for (const position of options.context.positions.load()) this.#known.set(position.producerId, position);
  }

  /** Finds what earlier runs did not finish, wherever it is now, and what was rotated away since. */
  async recover(): Promise<void> {
    this.#paths = (await findFiles(this.#options.patterns)).paths;
    const unfinished = [...this.#known.values()].filter(({ ended }) => !ended).reverse();
    const writtenAtMs = new Map<string, number>();
    for (const position of unfinished) {
      const log = logOf(position.path);
      const writtenMs = await this.#recoverFile(position);
      writtenAtMs.set(log, Math.min(writtenMs, writtenAtMs.get(log) ?? Number.POSITIVE_INFINITY));
    }
    for (const [log, writtenMs] of writtenAtMs) await this.#catchUp(writtenMs, log);
  }

  async follow(): Promise<void> {
    const { signal, pollMs = 100, scanMs = 1000 } = this.#options;
    let scannedAtMs = Number.NEGATIVE_INFINITY;
    while (!signal.aborted) {
      if (this.#mustScan || performance.now() - scannedAtMs >= scanMs) {
        scannedAtMs = performance.now();
        this.#mustScan = false;
        await this.#scan();
      }
      const isMore = await this.#round();
      // Being told to end is no error.
      if (!isMore && !this.#mustScan) await sleep(pollMs, undefined, { signal }).catch(() => undefined);
    }
    await this.#readLast();
  }

  async close(): Promise<void> {
    for (const { file } of this.#live.values()) await file.close();
  }

  /** What was written until now is read and acknowledged, stack traces that nothing followed yet included. */
  async #readLast(): Promise<void> {
    while (await this.#round());
    await inParallel([...this.#live.values()], async ({ file }) => {
      await file.letGo();
      await file.settle();
    });
  }

  async #scan(): Promise<void> {
    const { paths, unmatched } = await findFiles(this.#options.patterns);
    this.#paths = paths;
    for (const pattern of unmatched)
      this.#tell(pattern, `${pattern}: nothing there yet; waiting for it`, "notice");
    const statuses: FileStatus[] = [];
    for (const path of paths) {
      const status = await statusOf(path).catch((error: unknown) => {
        this.#trouble(path, error);
      });
      if (status) statuses.push(status);
    }
    // What was written first is read first, where several files are one log.
    statuses.sort(byAge);
    for (const status of statuses) await this.#scanFile(status);
    this.#options.counts.files = this.#live.size;
  }

  async #scanFile(status: FileStatus): Promise<void> {
    const { path } = status;
    try {
      if (!status.isFile) {
        if (this.#options.patterns.includes(path)) this.#tell(path, `${path}: expected a file`, "warn");
        return;
      }
      const live = this.#live.get(status.key);
      if (live === undefined) await this.#discoverNext(status);
      else if (live.detachedAtMs !== undefined && !live.file.isPacked) {
        live.file.rename(path, status.key);
        live.detachedAtMs = undefined;
      }
      this.#told.delete(path);
    } catch (error) {
      this.#trouble(path, error);
    }
  }

  /** A file that is not followed, after what came in the same log since the last look. */
  async #discoverNext(status: FileStatus): Promise<void> {
    const { path } = status;
    const log = logOf(path);
    const before = this.#latest.get(log);
    if (before === undefined || hasRotatedName(path)) {
      await this.#discover(status);
      return;
    }
    const writtenAtMs = before.seen?.writtenAtMs ?? before.file.grewAtMs;
    await this.#catchUp(writtenAtMs, path);
    const previous = this.#latest.get(log) ?? before;
    const next = await this.#discover(status);
    if (next === undefined) return;
    // It may have been rotated away between the two, and what is there be the one after: nothing of it was read yet.
    const [first, ...others] = await this.#catchUp(writtenAtMs, path);
    if (first === undefined) return;
    first.after = [previous];
    const last = others.at(-1) ?? first;
    last.isAwaited = true;
    next.after = [last];
    this.#latest.set(log, next);
  }

  /** A file could not be read. It is tried again with each scan. */
  #trouble(path: string, error: unknown): void {
    const isGone = isSystemError(error) && (error.code === "ENOENT" || error.code === "ESTALE");
    if (isGone) this.#stale();
    else if (!isSystemError(error) && !(error instanceof SourceError)) throw error;
    else this.#tell(path, new SourceError(path, error).message, "warn");
  }

  #tell(path: string, text: string, kind: "notice" | "warn"): void {
    if (this.#told.get(path) === text) return;
    this.#told.set(path, text);
    this.#options[kind](text);
  }

  /** Finds out which contents a file has, and follows them unless they are known. */
  async #discover(status: FileStatus): Promise<Followed | undefined> {
    const { path, key } = status;
    const mark = `${key} ${status.bytes} ${status.writtenAtMs}`;
    if (this.#passed.get(path) === mark) return undefined;
    this.#passed.delete(path);
    const begin = await readHead(path);
    const packed = isPacked(begin);
    const found = { status, head: packed ? await readPackedHead(path) : begin, packed };
    const knownHere = [...this.#known.values()].filter(({ fileKey }) => fileKey === key);
    for (const known of knownHere.sort((a, b) => b.usedAtMs - a.usedAtMs)) {
      const resumed = await this.#resume(known, found);
      if (resumed === "passed") this.#passed.set(path, mark);
      if (resumed !== undefined) return resumed === "passed" ? undefined : resumed;
    }
    const copied = await this.#findOriginal(found);
    if (copied === "passed") this.#passed.set(path, mark);
    if (copied !== undefined) return copied === "passed" ? undefined : copied;
    const source = await this.#open(found, { offset: 0, head: noPrint, tail: noPrint });
    return source && this.#follow(found, this.#newPosition(status), source);
  }

  /** Goes on with contents of an earlier run, or of a file that was finished, where this file has them. */
  async #resume(position: FilePosition, found: FoundContents): Promise<Followed | "passed" | undefined> {
    const { status, packed } = found;
    // A packed file has one end, and it was reached.
    if (packed && position.ended && position.fileKey === status.key) return "passed";
    const source = await this.#open(found, position);
    if (source === undefined) return undefined;
    if (!packed && position.ended && status.bytes === position.offset) {
      await source.close();
      return "passed";
    }
    this.#known.delete(position.producerId);
    const { shape, context } = { ...this.#options };
    const moved = { ...position, path: status.path, fileKey: status.key, ended: false };
    if (position.shape === shape) return this.#follow(found, moved, source);
    // Where records end is decided otherwise now: other numbers, of another count.
    context.positions.save({ ...position, fileKey: "", ended: true });
    const renamed = { ...moved, producerId: randomUUID(), entries: 0, cuts: [], shape, usedAtMs: 0 };
    return this.#follow(found, renamed, source);
  }

  /** Whether a file is a copy of known contents. Copies of what is followed are passed over: the original is read. */
  async #findOriginal(found: FoundContents): Promise<Followed | "passed" | undefined> {
    const { status, head, packed } = found;
    if (!hasRotatedName(status.path)) return undefined;
    const isLike = (path: string, place: ReadPlace): boolean =>
      place.head.bytes > 0 && mayBeCopy(status.path, path) && beginsAs(head, place.head);
    for (const { file } of this.#live.values()) {
      const { place } = file;
      if (!isLike(file.position.path, place)) continue;
      // Shorter than what was read: it is still being copied.
      if (!packed && status.bytes < place.offset) return "passed";
      const source = await this.#open(found, place);
      await source?.close();
      if (source !== undefined) return "passed";
    }
    for (const position of [...this.#known.values()]) {
      if (!isLike(position.path, position)) continue;
      if (!packed && status.bytes < position.offset) return "passed";
      const resumed = await this.#resume(position, found);
      if (resumed !== undefined) return resumed;
    }
    return undefined;
  }

  /** Opens a file where it has the contents of a place, and is still the one that was looked at. */
  async #open({ status, packed }: FoundContents, place: ReadPlace): Promise<FileSource | undefined> {
    const source = await (packed ? openPacked : openPlain)(status.path, place);
    if (source === undefined || source.key === status.key) return source;
    await source.close();
    this.#stale();
    return undefined;
  }

  /** Files were renamed while they were looked for. */
  #stale(): void {
    this.#staleLooks++;
    this.#mustScan = true;
  }

  #newPosition({ path, key }: FileStatus): FilePosition {
    const { shape } = this.#options;
    const start = { offset: 0, entries: 0, cuts: [], head: noPrint, tail: noPrint };
    return { producerId: randomUUID(), path, fileKey: key, ...start, shape, ended: false, usedAtMs: 0 };
  }

  #follow({ status }: FoundContents, position: FilePosition, source: FileSource): Followed {
    const { path, key } = status;
    const log = logOf(path);
    const before = this.#latest.get(log);
    if (before !== undefined) before.isAwaited = true;
    const followed: Followed = {
      file: new FollowedFile(this.#options.context, position, source),
      detachedAtMs: this.#paths.includes(path) ? undefined : Date.now(),
      isDrained: false,
      after: before === undefined ? [] : [before],
      isAwaited: false,
      seen: status,
      seenBefore: undefined,
    };
    this.#live.set(key, followed);
    this.#latest.set(log, followed);
    return followed;
  }

  /** Reads on in every file that has more. Returns whether there is still more. */
  async #round(): Promise<boolean> {
    let isMore = false;
    await inParallel([...this.#live.values()], async (followed) => {
      followed.after = followed.after.filter((before) => !before.isDrained && this.#isLive(before));
      if (followed.after.length > 0) return followed.file.look();
      if (!(await this.#hasNews(followed))) return;
      try {
        if (await this.#step(followed)) isMore = true;
      } catch (error) {
        if (!isSystemError(error)) throw error;
        this.#trouble(followed.file.position.path, error);
      }
    });
    return isMore;
  }

  #isLive(followed: Followed): boolean {
    return this.#live.get(followed.file.position.fileKey) === followed;
  }

  /** Looks where a file's name leads to now, and whether anything has changed. */
  async #hasNews(followed: Followed): Promise<boolean> {
    const { file, seen } = followed;
    if (followed.detachedAtMs !== undefined) return true;
    const status = await statusOrNone(file.position.path);
    if (status?.key !== file.position.fileKey) {
      await this.#detach(followed);
      return true;
    }
    followed.seenBefore = seen;
    followed.seen = status;
    const isSame = seen?.bytes === status.bytes && seen.writtenAtMs === status.writtenAtMs;
    return !isSame || !followed.isDrained;
  }

  /** Its name was taken away: renamed, deleted, or led elsewhere. */
  async #detach(followed: Followed): Promise<void> {
    const { file } = followed;
    const { path, fileKey } = file.position;
    followed.detachedAtMs = Date.now();
    followed.isDrained = false;
    this.#mustScan = true;
    const now = (await findRotated(path)).find(({ key }) => key === fileKey);
    if (now !== undefined) file.rename(now.path, fileKey);
  }

  /** Logs that came and were rotated away again while nobody looked: they come before what has the name now. */
  async #catchUp(writtenAtMs: number, path: string): Promise<Followed[]> {
    const found: Followed[] = [];
    for (let attempt = 0; attempt < looksMax; attempt++) {
      const before = this.#staleLooks;
      for (const status of await findRotated(path)) {
        if (status.writtenAtMs < writtenAtMs || this.#live.has(status.key)) continue;
        const next = await this.#discover(status).catch((error: unknown) => {
          this.#trouble(status.path, error);
        });
        if (next) found.push(next);
      }
      if (before === this.#staleLooks) break;
    }
    return found;
  }

  /** Returns whether there is more to read. */
  async #step(followed: Followed): Promise<boolean> {
    const { file } = followed;
    const end = await file.step();
    if (end === "changed") {
      await this.#moveOn(followed);
      return true;
    }
    if (end === "end" && followed.isAwaited) await file.settle();
    followed.isDrained = end === "end" && file.isSettled && !file.holdsLines;
    if (end === "end" && file.isPacked) await this.#finish(followed);
    else if (followed.detachedAtMs !== undefined && followed.isDrained) {
      const { lingerMs = 30_000 } = this.#options;
      if (Date.now() - Math.max(followed.detachedAtMs, file.grewAtMs) >= lingerMs)
        await this.#finish(followed);
    }
    return end === "more";
  }

  async #finish(followed: Followed): Promise<void> {
    await followed.file.finish();
    const { position } = followed.file;
    this.#live.delete(position.fileKey);
    this.#known.set(position.producerId, position);
    followed.isDrained = true;
  }

  /** The file was truncated, or written anew: what was in it is read to its end from the copy, where there is one. */
  async #moveOn(followed: Followed): Promise<void> {
    const { file, seenBefore } = followed;
    const { path, fileKey } = file.position;
    const { place } = file;
    this.#live.delete(fileKey);
    this.#mustScan = true;
    this.#options.counts.truncations++;
    const copy = await this.#findCopy(path, place);
    followed.seen = seenBefore;
    if (copy === undefined) {
      this.#countMissed(path, (seenBefore?.bytes ?? 0) - place.offset);
      // What is there now is not it, even should it begin alike.
      file.rename(path, "");
      await this.#finish(followed);
    } else {
      await file.moveTo(copy.source, copy.status.path, copy.status.key);
      followed.detachedAtMs = Date.now();
      followed.isDrained = false;
      this.#live.set(copy.status.key, followed);
    }
  }

  #countMissed(path: string, bytes: number): void {
    if (bytes <= 0) return;
    this.#options.counts.missedBytes += bytes;
    this.#options.warn(`${path}: truncated before it was read; at least ${bytes} bytes of it are lost`);
  }

  /** A file beside a log that holds everything that was read of it, and perhaps more. */
  async #findCopy(
    path: string,
    place: ReadPlace,
  ): Promise<{ source: FileSource; status: FileStatus } | undefined> {
    if (place.head.bytes === 0) return undefined;
    for (let attempt = 0; attempt < looksMax; attempt++) {
      const before = this.#staleLooks;
      for (const status of (await findRotated(path)).reverse()) {
        if (this.#live.has(status.key)) continue;
        const source = await this.#openCopy(status, place).catch((error: unknown) => {
          this.#trouble(status.path, error);
        });
        if (source) return { source, status };
      }
      if (before === this.#staleLooks) break;
    }
    return undefined;
  }

  async #openCopy(status: FileStatus, place: ReadPlace): Promise<FileSource | undefined> {
    const head = await readHead(status.path);
    return this.#open({ status, packed: isPacked(head), head }, place);
  }

  /** Goes on with contents of an earlier run. Returns when they were written last, or a time before that. */
  async #recoverFile(position: FilePosition): Promise<number> {
    const { path, usedAtMs } = position;
    for (let attempt = 0; attempt < looksMax; attempt++) {
      const { producerId } = position;
      if (!this.#known.has(producerId)) return usedAtMs;
      const before = this.#staleLooks;
      const writtenAtMs = await this.#findAgain(position);
      if (writtenAtMs !== undefined) return writtenAtMs;
      if (before === this.#staleLooks) break;
    }
    const ended = { ...position, ended: true };
    this.#known.set(position.producerId, ended);
    this.#options.context.positions.save(ended);
    this.#options.warn(
      `${path}: is gone, or was truncated; what came in it after byte ${position.offset}, if anything, is lost`,
    );
    return usedAtMs;
  }

  async #findAgain(position: FilePosition): Promise<number | undefined> {
    const { path, fileKey, usedAtMs } = position;
    const there = await statusOrNone(path);
    const rotated = (await findRotated(path)).reverse();
    // By its inode first; then copies and packed ones, whose own time may be later than that of the contents.
    const same = [there, ...rotated].filter((status) => status?.key === fileKey);
    for (const status of [...same, ...rotated]) {
      if (status === undefined || this.#live.has(status.key)) continue;
      const isFound = await this.#resumeAt(position, status).catch((error: unknown) => {
        this.#trouble(status.path, error);
        return false;
      });
      if (isFound)
        return status.key === fileKey ? status.writtenAtMs : Math.min(status.writtenAtMs, usedAtMs);
    }
    return undefined;
  }

  /** Whether a file has the contents of a position; then they are followed there. */
  async #resumeAt(position: FilePosition, status: FileStatus): Promise<boolean> {
    const begin = await readHead(status.path);
    const packed = isPacked(begin);
    const head = packed ? await readPackedHead(status.path) : begin;
    return (await this.#resume(position, { status, head, packed })) !== undefined;
  }
}

/** A file that was looked at. */
interface FoundContents {
  readonly status: FileStatus;
  /** Its first bytes, unpacked. */
  readonly head: Buffer;
  readonly packed: boolean;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "code" in error && "syscall" in error;
}

/** Does something with each item, a few at a time. The first error ends it. */
async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const workers = Array.from({ length: Math.min(filesAtOnce, items.length) }, async () => {
    for (const item of queue) await work(item);
  });
  await Promise.all(workers);
}
