/**
 * Joins lines that belong together, such as those of a stack trace, into one
 * text, with the line ends between them.
 *
 * | mode | a line belongs to the one before it when |
 * | --- | --- |
 * | `off` | never |
 * | `auto` | it is indented, or is what Java, .NET, Python, Go and Node write on between and after indented lines |
 * | a pattern | it does not match the pattern, which is that of a first line |
 *
 * `auto` takes a line that is a JSON object for a whole one. Whether a line goes
 * on what was before is told from the lines since the last first line alone, so
 * who reads on at the end of a joined line finds the same lines again, as long
 * as the joiner was not told to let go (`flush`) in between.
 */
import type { Line } from "./read-lines.ts";

/** Which lines belong together. A pattern matches the first line of each. */
export type Multiline = "off" | "auto" | RegExp;

/** Options of a LineJoiner. */
export interface LineJoinerOptions {
  readonly multiline: Multiline;
  /** Joined lines have no more bytes together: the next line begins anew. */
  readonly bytesMax: number;
}

/** What the lines of the held record are part of. */
type Context = "none" | "python" | "go";

/** Joins the lines of one source, in order. */
export class LineJoiner {
  readonly #multiline: Multiline;
  readonly #bytesMax: number;
  #held: Line[] = [];
  /** Blank lines after the held ones, which are part of them only when more comes. */
  #blank: Line[] = [];
  #bytes = 0;
  #context: Context = "none";
  #joined = 0;

  constructor(options: LineJoinerOptions) {
    this.#multiline = options.multiline;
    this.#bytesMax = options.bytesMax;
  }

  /** Whether lines are held until it is known whether more belongs to them. */
  get holds(): boolean {
    return this.#held.length > 0;
  }

  /** How many lines were joined to one before them. */
  get joined(): number {
    return this.#joined;
  }

  /** Takes lines and returns those that are complete. */
  push(lines: readonly Line[]): readonly Line[] {
    if (this.#multiline === "off") return lines;
    const complete: Line[] = [];
    for (const line of lines) this.#take(line, complete);
    return complete;
  }

  /** What is held, though more may belong to it. */
  flush(): Line[] {
    const complete: Line[] = [];
    this.#release(complete);
    return complete;
  }

  #take(line: Line, complete: Line[]): void {
    if (this.holds && line.text.trim() === "") {
      this.#blank.push(line);
      this.#bytes += 1;
      // Blank lines take memory too.
      if (this.#bytes > this.#bytesMax) this.#release(complete);
      return;
    }
    const bytes = Buffer.byteLength(line.text) + 1;
    // What was cut for its length is joined to nothing.
    const isWhole = line.part === undefined;
    if (this.holds && isWhole && this.#bytes + bytes <= this.#bytesMax && this.#goesOn(line.text)) {
      this.#held.push(...this.#blank, line);
      this.#blank = [];
      this.#bytes += bytes;
      this.#joined++;
      return;
    }
    this.#release(complete);
    if (isWhole && line.text.trim() !== "" && this.#mayGoOn(line.text)) {
      this.#held.push(line);
      this.#bytes = bytes;
    } else complete.push(line);
  }

  #goesOn(text: string): boolean {
    if (this.#multiline instanceof RegExp) return !this.#multiline.test(text);
    const context = contextAfter(text, this.#context);
    if (context !== undefined) this.#context = context;
    // After a blank line only a trace that goes on does.
    return context !== undefined && (this.#blank.length === 0 || context !== "none" || chained.test(text));
  }

  /** Whether anything may belong to this line. */
  #mayGoOn(text: string): boolean {
    if (this.#multiline instanceof RegExp) return true;
    if (text.startsWith("{") && text.trimEnd().endsWith("}")) return false;
    this.#context = contextAfter(text, "none") ?? "none";
    return true;
  }

  #release(complete: Line[]): void {
    const last = this.#held.at(-1);
    if (last !== undefined) {
      const text = this.#held.length === 1 ? last.text : this.#held.map((line) => line.text).join("\n");
      complete.push({ text, end: last.end });
    }
    complete.push(...this.#blank);
    this.#held = [];
    this.#blank = [];
    this.#bytes = 0;
    this.#context = "none";
  }
}

/** How long lines wait for more that belongs to them: a trace is written at once, programs pause in between. */
export const joinWaitMsDefault = 1_000;

/** Joins the lines of a source as they come. What waits for more and does not get it in time is let go. */
export async function* joinLines(
  groups: AsyncIterable<readonly Line[]>,
  joiner: LineJoiner,
  waitMs = joinWaitMsDefault,
): AsyncGenerator<readonly Line[], void, undefined> {
  const source = groups[Symbol.asyncIterator]();
  let next = source.next();
  try {
    for (;;) {
      const step = joiner.holds ? await within(next, waitMs) : await next;
      if (step === undefined) yield joiner.flush();
      else if (step.done) break;
      else {
        const complete = joiner.push(step.value);
        next = source.next();
        // An error of the source is for the loop, however long the reader takes until then.
        next.catch(() => undefined);
        if (complete.length > 0) yield complete;
      }
    }
  } finally {
    await source.return?.();
  }
  const rest = joiner.flush();
  if (rest.length > 0) yield rest;
}

/** What a promise resolves with, or undefined when it takes longer. */
async function within<T>(promise: Promise<T>, waitMs: number): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), waitMs);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

const indented = /^[ \t]/;

/** What begins a trace within a trace, also after a blank line. */
const chained =
  /^(?:Caused by: |Suppressed: |During handling of the above exception|The above exception was the direct cause|Traceback \(most recent call last\):|goroutine \d+ \[|\.{3} \d+ more)/;

/** The end of a printed object, as Node's errors with properties have. */
const closing = /^[\]})]+[,;]?$/;

/** The last line of a Python traceback: `ValueError: no`, `KeyboardInterrupt`. */
const pythonError = /^[A-Za-z_][\w.]*(?::\s|:?$)/;

/** A frame of a Go trace, and what stands between its goroutines. */
const goFrame = /^(?:\S+\(.*\)$|created by \S|exit status \d|\[signal |runtime stack:$|panic: )/;

/** What the trace is in after a line; undefined: the line does not go on what was before. */
function contextAfter(text: string, context: Context): Context | undefined {
  if (text.startsWith("Traceback (most recent call last):")) return "python";
  if (/^goroutine \d+ \[/.test(text)) return "go";
  if (indented.test(text)) return context;
  if (context === "python" && pythonError.test(text)) return "none";
  if (context === "go" && goFrame.test(text)) return "go";
  return chained.test(text) || closing.test(text) ? context : undefined;
}
