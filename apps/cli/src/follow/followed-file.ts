/**
 * One followed file: reads on, makes entries, writes them in batches, and moves
 * the file's position when they are acknowledged.
 *
 *   source ─▶ lines ─▶ joined ─▶ recognised ─▶ batch ─▶ acknowledged ─▶ position
 *
 * The file is its contents, not its name: when it is renamed it stays the same
 * one, and when it was copied and truncated its rest is read from the copy.
 * Numbering and what makes it exact: positions.ts.
 */
import type { LineJoiner } from "../lines/join-lines.ts";
import type { LineEntry } from "../lines/line-fields.ts";
import { type Line, LineCutter } from "../lines/read-lines.ts";
import type { LineRecogniser } from "../lines/recognise-line.ts";
import { entryOf, type LineCounts, lineBytesMax } from "../lines/ship-lines.ts";
import type { DeliverBatch } from "./deliver-batch.ts";
import { type FileSource, type ReadPlace, readBytesMax } from "./file-source.ts";
import type { FilePosition, Positions } from "./positions.ts";
import { headBytesMax, type Print, printOf, tailBytesMax } from "./print.ts";

/** What all followed files share. */
export interface FollowContext {
  readonly positions: Positions;
  readonly deliver: DeliverBatch;
  readonly counts: LineCounts;
  readonly createRecogniser: () => LineRecogniser;
  readonly createJoiner: () => LineJoiner;
  /** How long lines wait for more that belongs to them, in milliseconds. */
  readonly joinWaitMs: number;
}

/** What a step found. */
export type StepEnd =
  /** There is more to read. */
  | "more"
  /** Everything that is there was read. */
  | "end"
  /** The file no longer holds what was read of it: it was truncated, or is another one. */
  | "changed";

/** Read in one step, so that a large file leaves the others their turn. */
const stepBytesMax = 4 * 1024 * 1024;

/** A batch's lines together. Encoded they may take more, and stay far below what the server takes. */
const batchBytesMax = 1024 * 1024;

const batchEntriesMax = 10_000;

/** A file that is followed. */
export class FollowedFile {
  readonly #context: FollowContext;
  readonly #recognise: LineRecogniser;
  readonly #joiner: LineJoiner;
  #source: FileSource;
  #position: FilePosition;
  #cutter: LineCutter;
  /** Up to where the file was read, in bytes. */
  #readTo: number;
  /** The beginning of the file, as far as it was read and is known. */
  #head: Buffer;
  /** What was read since the end of the last batch, and some bytes before it. */
  #recent: Buffer;
  #entries: LineEntry[] = [];
  #batchBytes = 0;
  /** Where the last line ends that was taken into a batch, or was blank. */
  #takenTo: number;
  /** How many entries were taken, those of earlier runs included. */
  #taken: number;
  #writing: Promise<void> | undefined;
  #failure: Error | undefined;
  #isSaved: boolean;
  #grewAtMs = Date.now();

  constructor(context: FollowContext, position: FilePosition, source: FileSource) {
    this.#context = context;
    this.#recognise = context.createRecogniser();
    this.#joiner = context.createJoiner();
    this.#source = source;
    this.#position = position;
    this.#cutter = new LineCutter({ lineBytesMax, start: position.offset });
    this.#readTo = position.offset;
    this.#head = source.head;
    this.#recent = source.before;
    this.#takenTo = position.offset;
    this.#taken = position.entries;
    this.#isSaved = position.usedAtMs > 0;
  }

  get position(): FilePosition {
    return this.#position;
  }

  /** Whether everything that was read is acknowledged, but for the beginning of a line or a record. */
  get isSettled(): boolean {
    return this.#entries.length === 0 && this.#writing === undefined;
  }

  /** Whether lines wait for more that belongs to them. */
  get holdsLines(): boolean {
    return this.#joiner.holds;
  }

  /** Since when nothing was added, in Unix milliseconds. */
  get grewAtMs(): number {
    return this.#grewAtMs;
  }

  /** Whether it has an end: it is packed. */
  get isPacked(): boolean {
    return this.#source.isPacked;
  }

  /** How far it was read, for finding the rest of it elsewhere. */
  get place(): ReadPlace {
    return { offset: this.#readTo, head: this.#headPrint(), tail: this.#tailAt(this.#readTo) };
  }

  /** The file has another name now, or is found at another place. */
  rename(path: string, fileKey: string): void {
    if (path === this.#position.path && fileKey === this.#position.fileKey) return;
    this.#move({ path, fileKey });
    if (this.#isSaved) this.#context.positions.save(this.#position);
  }

  /** Goes on reading in a copy, which holds what was read so far. */
  async moveTo(source: FileSource, path: string, fileKey: string): Promise<void> {
    const old = this.#source;
    this.#source = source;
    this.rename(path, fileKey);
    await old.close();
  }

  /** Reads on for a while and has what came written. What was read is on its way when it resolves, not yet acknowledged. */
  async step(): Promise<StepEnd> {
    if (this.#failure !== undefined) throw this.#failure;
    let end: StepEnd = "more";
    for (let bytes = 0; bytes < stepBytesMax && end === "more"; ) {
      const cut = this.#position.cuts.find((offset) => offset > this.#readTo);
      const read = await this.#source.read(
        Math.min(readBytesMax, (cut ?? Number.POSITIVE_INFINITY) - this.#readTo),
      );
      if (read.kind !== "bytes") {
        end = read.kind;
        break;
      }
      bytes += read.bytes.length;
      this.#grewAtMs = Date.now();
      await this.#push(read.bytes);
      if (this.#readTo === cut) await this.#endRecord();
    }
    if (end === "end" && this.#joiner.holds && Date.now() - this.#grewAtMs >= this.#context.joinWaitMs) {
      await this.letGo();
    }
    if (end !== "more") await this.#write();
    return end;
  }

  /** While it may not be read yet: looks what it is, to know it again. */
  async look(): Promise<void> {
    await this.#source.look();
    if (this.#readTo === 0) this.#head = this.#source.head;
  }

  /** Takes lines that wait for more as they are: for the end of the file, or of this process. */
  async letGo(): Promise<void> {
    const lines = this.#joiner.flush();
    const end = lines.at(-1)?.end;
    if (end === undefined) return;
    this.#cut(end);
    await this.#takeAll(lines);
  }

  /** Everything that was read is acknowledged when it resolves. */
  async settle(): Promise<void> {
    await this.#write();
    await this.#writing;
  }

  /** Nothing more will come: takes the last line also without its end, and closes the file. */
  async finish(): Promise<void> {
    if (this.#cutter.heldBytes > 0 || this.#joiner.holds) this.#cut(this.#readTo);
    await this.#endRecord();
    await this.settle();
    if (this.#readTo > 0) this.#save({ ended: true, offset: this.#readTo, tail: this.#tailAt(this.#readTo) });
    await this.close();
  }

  /** Lets go of the file. What is not acknowledged is read again by the next run. */
  async close(): Promise<void> {
    await this.#source.close();
  }

  async #push(bytes: Buffer): Promise<void> {
    const { length } = this.#head;
    if (length < headBytesMax && length < this.#readTo + bytes.length) {
      this.#head = Buffer.concat([this.#head, bytes.subarray(length - this.#readTo)]).subarray(
        0,
        headBytesMax,
      );
    }
    this.#recent = Buffer.concat([this.#recent, bytes]);
    this.#readTo += bytes.length;
    await this.#takeAll(this.#joiner.push(this.#cutter.push(bytes)));
  }

  /** Here a record ends, whatever the contents say. */
  async #endRecord(): Promise<void> {
    await this.#takeAll([...this.#joiner.push(this.#cutter.end()), ...this.#joiner.flush()]);
  }

  async #takeAll(lines: readonly Line[]): Promise<void> {
    for (const line of lines) {
      const entry = entryOf(line, this.#recognise, this.#context.counts);
      this.#takenTo = line.end;
      if (entry === undefined) continue;
      this.#entries.push(entry);
      this.#taken++;
      this.#batchBytes += line.text.length;
      if (this.#entries.length >= batchEntriesMax || this.#batchBytes >= batchBytesMax) await this.#write();
    }
  }

  /** Sends what is there, after what was sent before is acknowledged. */
  async #write(): Promise<void> {
    if (this.#entries.length === 0) return;
    const entries = this.#entries;
    const offset = this.#takenTo;
    const taken = this.#taken;
    const tail = this.#tailAt(offset);
    this.#entries = [];
    this.#batchBytes = 0;
    this.#recent = this.#recent.subarray(
      Math.max(0, this.#recent.length - (this.#readTo - offset) - tailBytesMax),
    );
    await this.#writing;
    // Before anything of it is sent, the file has a name that this run and the next one know it by.
    if (!this.#isSaved || this.#position.head.bytes < this.#head.length) this.#save({});
    const { producerId, path } = this.#position;
    const batch = { path, producerId, firstSequence: taken - entries.length + 1, entries };
    const writing = this.#context.deliver(batch).then(() => {
      this.#save({ offset, entries: taken, tail, cuts: this.#position.cuts.filter((cut) => cut > offset) });
      this.#writing = undefined;
    });
    // Who awaits it next, or steps next, sees the error; until then it must not end the process.
    writing.catch((error: Error) => {
      this.#failure = error;
    });
    this.#writing = writing;
  }

  /** Remembers that a record ends there, before anybody can have received it. */
  #cut(offset: number): void {
    if (this.#position.cuts.includes(offset)) return;
    this.#save({ cuts: [...this.#position.cuts, offset] });
  }

  #tailAt(offset: number): Print {
    const end = this.#recent.length - (this.#readTo - offset);
    return printOf(this.#recent.subarray(Math.max(0, end - tailBytesMax), end));
  }

  #headPrint(): Print {
    return this.#head.length > this.#position.head.bytes ? printOf(this.#head) : this.#position.head;
  }

  #move(changes: Partial<FilePosition>): void {
    this.#position = { ...this.#position, ...changes };
  }

  #save(changes: Partial<FilePosition>): void {
    this.#move({ ...changes, head: this.#headPrint(), usedAtMs: Date.now() });
    this.#context.positions.save(this.#position);
    this.#isSaved = true;
  }
}
