/**
 * A log as sixteen services write it in a day, for searching in: the same for
 * the same number of entries and the same seed, as batches for the engine and
 * as NDJSON for everybody else.
 *
 *   place of an entry   0 ───────────────────────────────────────────▶ entries
 *   time                00:00, rising with jitter ────────────────────▶ 24:00
 *   the rare word            ×     ×     ×     ×  … ten times
 *   the scattered phrase one message in a thousand, so in every block
 */
import { type EntryBatch, EntryBatchBuilder } from "@logsvc/engine";
import { type EncodableEntry, EntryEncoder, severityOf } from "@logsvc/proto";
import {
  type MessageTemplate,
  rareTemplate,
  type ServiceTemplates,
  scatteredPhrase,
  serviceTemplates,
} from "./log-templates.ts";
import { LogVariables, Random } from "./log-variables.ts";

/** Which log. */
export interface GeneratedLogOptions {
  readonly entries: number;
  /** Default: 1. */
  readonly seed?: number;
}

/** One entry; the next one is made in the same object. */
export interface GeneratedEntry extends EncodableEntry {
  /** Unix microseconds; a whole number of milliseconds where the service's clock has no more. */
  timeUs: number;
  level: string;
  message: string;
  service: string;
  attributes: Readonly<Record<string, string>>;
  traceId: string;
  spanId: string;
}

/** When the log begins, Unix microseconds: a week before the entries of entries.ts. */
export const dayStartUs = Date.UTC(2026, 8, 14) * 1000;

/** How long it lasts, microseconds. */
export const dayUs = 24 * 3_600 * 1_000_000;

/** How often the rare word occurs in the whole log. */
export const rareWordCount = 10;

/** One message in so many has the scattered phrase. */
const scatteredStep = 1_000;

/** An entry may come so much later than its time says, microseconds: services send in batches. */
const lateUsMax = 20_000;

/** A choice by weight is one look into a table of so many places. */
const choicePlaces = 4_096;

/** What an entry is made from. */
interface Source {
  readonly of: ServiceTemplates;
  readonly template: MessageTemplate;
}

const noAttributes = {};
const choices = choicesByWeight();
const rareSource: Source = {
  of: serviceTemplates.find(({ service }) => service === "zookeeper") ?? choices[0].of,
  template: [1, "ERROR", rareTemplate],
};

/** The entries in their order. */
export class LogGenerator {
  readonly #entries: number;
  readonly #random: Random;
  readonly #variables: LogVariables;
  readonly #entry: GeneratedEntry = {
    timeUs: 0,
    level: "",
    message: "",
    service: "",
    attributes: noAttributes,
    traceId: "",
    spanId: "",
  };
  readonly #stepUs: number;
  readonly #rareStep: number;
  #next = 0;

  constructor({ entries, seed = 1 }: GeneratedLogOptions) {
    this.#entries = entries;
    this.#random = new Random(seed);
    this.#variables = new LogVariables(this.#random);
    this.#stepUs = dayUs / entries;
    this.#rareStep = Math.max(1, Math.floor(entries / rareWordCount));
  }

  /** The next entry, in the object of the one before; undefined after the last. */
  next(): GeneratedEntry | undefined {
    const place = this.#next;
    if (place === this.#entries) return undefined;
    this.#next = place + 1;
    const random = this.#random;
    const variables = this.#variables;
    const isRare = this.#isRare(place);
    const { of, template } = isRare ? rareSource : (choices[random.below(choicePlaces)] ?? rareSource);
    const [, level, message] = template;
    const entry = this.#entry;
    if (of.traced) variables.chooseRequest(level);
    entry.level = level;
    entry.service = of.service;
    entry.message = message(variables);
    if (random.below(scatteredStep) === 0) entry.message += `: ${scatteredPhrase}`;
    entry.timeUs = this.#timeUs(place, of.clock);
    const { request } = variables;
    entry.attributes = of.traced ? attributesOf(request) : noAttributes;
    entry.traceId = of.traced ? request.traceId : "";
    entry.spanId = of.traced ? request.spanId : "";
    return entry;
  }

  /** In the middle of each tenth. */
  #isRare(place: number): boolean {
    const step = this.#rareStep;
    return place % step === step >>> 1 && place < step * rareWordCount;
  }

  #timeUs(place: number, clock: ServiceTemplates["clock"]): number {
    const lateUs = this.#random.below(lateUsMax);
    const sinceStart = Math.max(0, Math.floor((place + this.#random.share()) * this.#stepUs) - lateUs);
    return dayStartUs + (clock === "ms" ? sinceStart - (sinceStart % 1_000) : sinceStart);
  }
}

/** The log as the engine takes it, `batchEntries` at a time. */
export function* generateBatches(
  options: GeneratedLogOptions,
  batchEntries: number,
): Generator<EntryBatch, void, undefined> {
  const generator = new LogGenerator(options);
  const encoder = new EntryEncoder();
  for (let left = options.entries; left > 0; left -= batchEntries) {
    yield buildBatch(generator, encoder, Math.min(left, batchEntries));
  }
}

/** The log as NDJSON, whole lines in pieces of about 256 KiB: what `logsvc query --output json` writes, without ids. */
export function* generateLines(options: GeneratedLogOptions): Generator<Buffer, void, undefined> {
  const generator = new LogGenerator(options);
  const seconds = new SecondTexts();
  let piece = "";
  for (let entry = generator.next(); entry !== undefined; entry = generator.next()) {
    piece += `${lineOf(entry, seconds)}\n`;
    if (piece.length < 256 * 1024) continue;
    yield Buffer.from(piece);
    piece = "";
  }
  if (piece !== "") yield Buffer.from(piece);
}

/** Tag of an entry in a batch; see EntryBatch. */
const entryTag = 0x0a;

/** A time in nanoseconds, and its two words. */
const time = new BigInt64Array(1);
const timeWords = new Uint32Array(time.buffer);

function buildBatch(generator: LogGenerator, encoder: EntryEncoder, count: number): EntryBatch {
  encoder.clear();
  const ends = new Uint32Array(count);
  const marks: { timestampLow: number; timestampHigh: number; severity: number; sequence: number }[] = [];
  for (let index = 0; index < count; index++) {
    const entry = generator.next();
    if (entry === undefined) throw new RangeError(`the log ended ${count - index} entries early`);
    const start = encoder.beginItem(entryTag);
    time[0] = BigInt(entry.timeUs) * 1_000n;
    encoder.writeEntry(entry, time[0]);
    encoder.endItem(start);
    ends[index] = encoder.length;
    const [timestampLow = 0, timestampHigh = 0] = timeWords;
    marks.push({ timestampLow, timestampHigh, severity: severityOf(entry.level), sequence: 0 });
  }
  const builder = new EntryBatchBuilder(undefined, encoder.length);
  builder.reserve(encoder.length).set(encoder.view());
  for (const [index, entryMarks] of marks.entries()) builder.commit(ends[index] ?? 0, entryMarks);
  return builder.build();
}

function lineOf(entry: GeneratedEntry, seconds: SecondTexts): string {
  const { level, service, message, traceId, spanId, attributes } = entry;
  return JSON.stringify({
    timestamp: seconds.format(entry.timeUs),
    level,
    service,
    message,
    ...(traceId === "" ? noAttributes : { trace_id: traceId, span_id: spanId, attributes }),
  });
}

function attributesOf(request: LogVariables["request"]): Readonly<Record<string, string>> {
  return {
    path: request.path,
    status: request.status,
    user_id: request.userId,
    duration_ms: String(request.durationMs),
  };
}

/** RFC 3339 with three or six digits; the text of a second is made once, as long as it lasts. */
class SecondTexts {
  #second = Number.NaN;
  #text = "";

  format(timeUs: number): string {
    const fraction = timeUs % 1_000_000;
    const second = (timeUs - fraction) / 1_000_000;
    if (second !== this.#second) {
      this.#second = second;
      this.#text = new Date(second * 1000).toISOString().slice(0, 20);
    }
    const digits = String(1_000_000 + fraction).slice(1, fraction % 1_000 === 0 ? 4 : 7);
    return `${this.#text}${digits}Z`;
  }
}

/** Each source in as many places as its weight is worth. */
function choicesByWeight(): readonly [Source, ...Source[]] {
  const weighted = serviceTemplates.flatMap((of) => {
    const sum = of.templates.reduce((before, [weight]) => before + weight, 0);
    return of.templates.map((template) => ({ of, template, perMille: (of.perMille * template[0]) / sum }));
  });
  const choice: Source[] = [];
  let upTo = 0;
  for (const { of, template, perMille } of weighted) {
    upTo += (perMille / 1_000) * choicePlaces;
    while (choice.length < Math.round(upTo)) choice.push({ of, template });
  }
  const [first, ...others] = choice;
  if (first === undefined || choice.length !== choicePlaces) {
    throw new Error(`expected the services' shares to be 1 000 per mille, got ${upTo / choicePlaces}`);
  }
  return [first, ...others];
}
