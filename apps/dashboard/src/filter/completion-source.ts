/**
 * Asks the server for values and names of fields while a filter is typed:
 * briefly remembered, and not asked at all where a shorter beginning was
 * answered in full.
 */
import type { LogClient } from "@logsvc/client-web";
import { nowNs, rangeKey, spanOf } from "../range/range-span.ts";
import type { ViewRange } from "../view/view-state.ts";
import { faultOf } from "./filter-highlight.ts";
import type { Counted } from "./suggestions.ts";

/** What is asked. */
export interface ValuesQuestion {
  /** The field; absent: the names of the fields. */
  readonly field?: string;
  /** What the values begin with. */
  readonly prefix: string;
  /** Counted under it; where it is none, under none. */
  readonly filter: string;
  readonly range: ViewRange;
}

interface Answer {
  readonly values: readonly Counted[];
  /** Whether these are all there are. */
  readonly whole: boolean;
  readonly atMs: number;
}

/** Answers are remembered so long, in milliseconds, … */
const answersKeptMs = 20_000;
/** … and so many. */
const answersMax = 50;
const valuesMax = 30;
/** Longer nobody waits for a suggestion. */
const timeoutMs = 5_000;

/** Asks and remembers, for one client. */
export class CompletionSource {
  readonly #client: Pick<LogClient, "values">;
  readonly #answers = new Map<string, Answer>();
  readonly #now: () => number;

  constructor(client: Pick<LogClient, "values">, now: () => number = () => performance.now()) {
    this.#client = client;
    this.#now = now;
  }

  /** What is remembered of it, without asking. */
  remembered(question: ValuesQuestion): readonly Counted[] | undefined {
    const { prefix } = question;
    for (let length = prefix.length; length >= 0; length--) {
      const answer = this.#answers.get(keyOf({ ...question, prefix: prefix.slice(0, length) }));
      if (answer === undefined || this.#now() - answer.atMs > answersKeptMs) continue;
      if (length === prefix.length) return answer.values;
      if (answer.whole)
        return answer.values.filter(({ value }) => value.toLowerCase().startsWith(prefix.toLowerCase()));
    }
    return undefined;
  }

  /** The most frequent values. */
  async list(question: ValuesQuestion, signal: AbortSignal): Promise<readonly Counted[]> {
    const remembered = this.remembered(question);
    if (remembered !== undefined) return remembered;
    const { field, prefix, filter, range } = question;
    const { start, end } = spanOf(range, nowNs());
    const response = await this.#client.values({
      ...(field !== undefined && { field }),
      prefix,
      filter: faultOf(filter) === undefined ? filter : "",
      start,
      ...(range.kind === "between" && { end }),
      limit: valuesMax,
      signal,
      timeoutMs,
    });
    const { values, distinct, truncated } = response;
    this.#remember(keyOf(question), {
      values,
      whole: !truncated && distinct <= BigInt(values.length),
      atMs: this.#now(),
    });
    return values;
  }

  #remember(key: string, answer: Answer): void {
    this.#answers.delete(key);
    this.#answers.set(key, answer);
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > answersMax && oldest !== undefined) this.#answers.delete(oldest);
  }
}

function keyOf({ field, prefix, filter, range }: ValuesQuestion): string {
  return JSON.stringify([field ?? null, prefix.toLowerCase(), filter, rangeKey(range)]);
}
