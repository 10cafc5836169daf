/** What searches are measured on: the same log every time, with what is asked for in it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { entryBytesAt } from "@logsvc/engine";
import { LogEntrySchema, severityOf } from "@logsvc/proto";
import { dayStartUs, dayUs, generateBatches, generateLines, rareWordCount } from "./log-generator.ts";
import { rareWord, scatteredPhrase, serviceTemplates } from "./log-templates.ts";

const entries = 50_000;

test("the same seed makes the same log, another one another", () => {
  const text = (seed: number) => Buffer.concat([...generateLines({ entries: 2_000, seed })]).toString();
  assert.equal(text(1), text(1));
  assert.notEqual(text(1), text(2));
});

test("batches and lines hold the same entries", () => {
  const lines = parsedLines(5_000);
  let index = 0;
  for (const batch of generateBatches({ entries: 5_000 }, 999)) {
    for (let at = 0; at < batch.count; at++, index++) {
      const { level, message, timestamp, service, attributes, traceId, spanId } = fromBinary(
        LogEntrySchema,
        entryBytesAt(batch, at),
      );
      const line = lines[index];
      assert.deepEqual(
        { level, message, service, attributes, traceId, spanId },
        {
          ...{ level: line?.level, message: line?.message, service: line?.service },
          ...{
            attributes: line?.attributes ?? {},
            traceId: line?.trace_id ?? "",
            spanId: line?.span_id ?? "",
          },
        },
      );
      assert.equal(timestamp, batch.timestamps[at]);
      assert.equal(batch.severities[at], severityOf(level));
      assert.equal(timestamp / 1_000_000n, BigInt(Date.parse(line?.timestamp ?? "")));
    }
  }
  assert.equal(index, 5_000);
});

test("the rare word comes ten times, once in each tenth of the log", () => {
  const places = parsedLines(entries).flatMap(({ message }, place) =>
    message.includes(rareWord) ? [place] : [],
  );
  assert.equal(places.length, rareWordCount);
  assert.deepEqual(
    places.map((place) => Math.floor((place * rareWordCount) / entries)),
    Array.from({ length: rareWordCount }, (_, tenth) => tenth),
  );
});

test("shares of levels, services and the scattered phrase, sizes and times are those of a real log", () => {
  const lines = parsedLines(entries);
  const share = (matches: (line: Line) => boolean) => lines.filter(matches).length / entries;
  const within = (value: number, from: number, to: number) =>
    assert.ok(value >= from && value <= to, `expected ${from} to ${to}, got ${value}`);
  within(
    share(({ level }) => level === "INFO"),
    0.75,
    0.9,
  );
  within(
    share(({ level }) => level === "DEBUG"),
    0.03,
    0.12,
  );
  within(
    share(({ level }) => level === "WARN"),
    0.03,
    0.1,
  );
  within(
    share(({ level }) => level === "ERROR"),
    0.005,
    0.04,
  );
  within(
    share(({ message }) => message.endsWith(scatteredPhrase)),
    0.0005,
    0.0015,
  );
  for (const { service, perMille } of serviceTemplates) {
    within(
      share((line) => line.service === service),
      perMille / 1_300,
      perMille / 700,
    );
  }
  const bytes = generateLines({ entries }).reduce((sum, piece) => sum + piece.length, 0);
  within(bytes / entries, 150, 180);
  const times = lines.map(({ timestamp }) => Date.parse(timestamp) * 1_000);
  within(Math.min(...times), dayStartUs, dayStartUs + dayUs / 1_000);
  within(Math.max(...times), dayStartUs + dayUs - dayUs / 1_000, dayStartUs + dayUs);
});

interface Line {
  readonly timestamp: string;
  readonly level: string;
  readonly service: string;
  readonly message: string;
  readonly trace_id?: string;
  readonly span_id?: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

function parsedLines(count: number): Line[] {
  const text = Buffer.concat([...generateLines({ entries: count })]).toString();
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}
