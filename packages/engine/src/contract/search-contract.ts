/**
 * The contract's promises about asking: every answer is compared with one that
 * is worked out by brute force over all entries.
 */
import assert from "node:assert/strict";
import { compileFilter, type FilterNode, parseFilter } from "@logsvc/filter";
import { type LogEntry, type StoredEntry, severityOf } from "@logsvc/proto";
import type { Engine, Histogram, QueryRequest } from "../engine.ts";
import {
  batchOf,
  type ContractTest,
  type EngineUnderTest,
  entriesOf,
  entryOf,
  epoch,
  everything,
  firstOf,
  messagesOf,
  queryAll,
  Random,
  type ReadEntry,
  readToEnd,
  rejectsWith,
} from "./engine-under-test.ts";

/** A log of entries whose times are out of order, often equal, and overlap between batches. */
async function fillRandomly(log: EngineUnderTest, seed: number): Promise<ReadEntry[]> {
  const { engine } = log;
  const random = new Random(seed);
  const start = engine.head();
  for (let call = 0; call < 25; call++) {
    const base = call * 40;
    const entries = Array.from({ length: 1 + random.below(60) }, (_, index) =>
      entryOf({
        timestamp: epoch + BigInt(base + random.below(200)) * 1_000_000_000n,
        level: random.of(["INFO", "INFO", "INFO", "WARN", "ERROR", "DEBUG", "FATAL", "custom", ""]),
        message: `${random.of(["timeout", "started", "connection reset"])} number ${call}-${index}`,
        service: random.of(["api", "web", "db", ""]),
        attributes:
          random.below(2) === 0 ? {} : { status: random.of(["200", "404", "500"]), constructor: "x" },
      }),
    );
    await engine.append(batchOf(entries));
  }
  return readToEnd(engine, start);
}

/** Matches nothing, and takes its time. */
const slowFilter = parseFilter('message:~"(a|b)*timeout.*started" OR message:~"z$"');

const filters = [
  "*",
  "timeout",
  "level:>=warn",
  "service:api -timeout",
  "status:500 OR level:custom",
  "nothing_has_this",
];

/** A random filter and range, as a request and as a predicate. */
function randomSelection(random: Random) {
  const filter: FilterNode = parseFilter(filters[random.below(filters.length)] ?? "*");
  const time = () => epoch + BigInt(random.below(1300)) * 1_000_000_000n;
  const start = random.below(3) === 0 ? undefined : time();
  const end = random.below(3) === 0 ? undefined : time();
  const matches = compileFilter(filter);
  return {
    request: { filter, ...(start === undefined ? {} : { start }), ...(end === undefined ? {} : { end }) },
    isSelected: ({ entry }: ReadEntry) =>
      (start === undefined || entry.timestamp >= start) &&
      (end === undefined || entry.timestamp < end) &&
      matches(entry),
    start,
    end,
  };
}

function byTime(all: readonly ReadEntry[], order: "newest" | "oldest"): ReadEntry[] {
  const sorted = all.toSorted((a, b) => Number(a.entry.timestamp - b.entry.timestamp));
  return order === "oldest" ? sorted : sorted.reverse();
}

/** The value that an entry has of a field, as requests name it. */
function fieldOf(entry: LogEntry, field: string): string {
  if (field === "level" || field === "service" || field === "message") return entry[field];
  return Object.hasOwn(entry.attributes, field) ? (entry.attributes[field] ?? "") : "";
}

function tally(values: Iterable<string>): { value: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return Array.from(counts, ([value, count]) => ({ value, count })).sort(
    (a, b) => b.count - a.count || (a.value < b.value ? -1 : 1),
  );
}

const newest: QueryRequest["order"] = "newest";

/** What a histogram must hold, from its own start and interval. */
function expectedSeries(
  selected: readonly ReadEntry[],
  histogram: Histogram,
  groupBy: string | undefined,
  groups: number,
) {
  const buckets = (entries: readonly ReadEntry[], count: number) => {
    const counts = new Array<number>(count).fill(0);
    for (const { entry } of entries) {
      const bucket = Number((entry.timestamp - histogram.start) / histogram.interval);
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
    return counts;
  };
  const length = histogram.series[0]?.counts.length ?? 0;
  const keyOf = ({ entry }: ReadEntry) => (groupBy === undefined ? "" : fieldOf(entry, groupBy));
  const chosen = tally(selected.map(keyOf)).slice(0, groupBy === undefined ? 1 : groups);
  if (groupBy === "level") chosen.sort((a, b) => severityOf(b.value) - severityOf(a.value));
  const series = chosen.map(({ value, count }) => ({
    value,
    counts: buckets(
      selected.filter((each) => keyOf(each) === value),
      length,
    ),
    total: count,
    other: false,
  }));
  const rest = selected.filter((each) => !chosen.some(({ value }) => value === keyOf(each)));
  if (rest.length === 0) return series;
  return [...series, { value: "", counts: buckets(rest, length), total: rest.length, other: true }];
}

async function lastProgress(engine: Engine, request: QueryRequest) {
  const steps = await Array.fromAsync(engine.query(request));
  const entries: StoredEntry[] = steps.flatMap((step) => step.entries);
  const progress = steps.at(-1)?.progress;
  assert.ok(progress?.complete, "the last step is complete");
  return { entries, progress };
}

/** Tests of `query`, `around`, `count` and `values`. */
export const searchContract: readonly ContractTest[] = [
  {
    name: "a query finds what brute force finds, in order, whatever the filter, range and page size",
    async run(t, open) {
      const log = await open(t);
      const all = await fillRandomly(log, 3);
      const random = new Random(4);
      for (let round = 0; round < 60; round++) {
        const { request, isSelected } = randomSelection(random);
        const order: QueryRequest["order"] = random.of(["newest", "oldest"]);
        const expected = byTime(all, order).filter(isSelected);
        const found = await queryAll(log.engine, { ...request, order, limit: random.of([1000, 100, 37]) });
        assert.deepEqual(
          found.map(({ id }) => id),
          expected.map(({ id }) => id),
        );
        assert.deepEqual(
          found.map(({ entry }) => entry),
          expected.map(({ entry }) => entry),
        );
        assert.deepEqual(
          found.map(({ receivedAt }) => receivedAt),
          expected.map(({ receivedAt }) => receivedAt),
        );
      }
    },
  },
  {
    name: "a query's progress adds up and ends complete",
    async run(t, open) {
      const log = await open(t);
      const none = await lastProgress(log.engine, { filter: everything, order: "newest", limit: 10 });
      assert.deepEqual(
        [none.entries.length, none.progress.blocksTotal, none.progress.nextPageToken],
        [0, 0, ""],
      );
      const all = await fillRandomly(log, 5);
      const whole = await lastProgress(log.engine, { filter: everything, order: "oldest", limit: 10_000 });
      assert.equal(whole.progress.matches, all.length);
      assert.equal(whole.progress.entriesScanned, all.length);
      assert.equal(whole.progress.blocksScanned, whole.progress.blocksTotal);
      assert.equal(whole.progress.bytesScanned, (await log.engine.stats()).rawBytes);
      const page = await lastProgress(log.engine, { filter: everything, order: "oldest", limit: 1 });
      assert.ok(
        page.progress.blocksScanned < page.progress.blocksTotal,
        "a short page does not read everything",
      );
      assert.notEqual(page.progress.nextPageToken, "");
    },
  },
  {
    name: "pages go on exactly where the last one ended, whatever is written between them, also after reopening",
    async run(t, open) {
      const log = await open(t);
      const all = await fillRandomly(log, 6);
      const expected = byTime(all, "newest").map(({ id }) => id);
      const ids: string[] = [];
      let pageToken = "";
      do {
        const request = { filter: everything, order: newest, limit: 50, pageToken };
        const page = await lastProgress(log.engine, request);
        ids.push(...page.entries.map(({ id }) => id));
        pageToken = page.progress.nextPageToken;
        const newer = entriesOf("newer", 30).map((entry) => ({ ...entry, timestamp: epoch + 10n ** 15n }));
        await log.engine.append(batchOf(newer));
        if (ids.length === 100) await log.reopen();
      } while (pageToken !== "");
      assert.deepEqual(ids, expected);
    },
  },
  {
    name: "a page token that is foreign, malformed or of the other order is out of range",
    async run(t, open) {
      const [log, other] = [await open(t), await open(t)];
      for (const { engine } of [log, other]) await engine.append(batchOf(entriesOf("a", 3)));
      const request = { filter: everything, order: newest, limit: 1 };
      const foreign = await lastProgress(other.engine, request);
      const own = await lastProgress(log.engine, request);
      const bad = [
        foreign.progress.nextPageToken,
        "nonsense",
        `${own.progress.nextPageToken}x`,
        log.engine.head(),
      ];
      for (const pageToken of bad) {
        await rejectsWith("out_of_range", () => firstOf(log.engine.query({ ...request, pageToken })));
      }
      const pageToken = own.progress.nextPageToken;
      await rejectsWith("out_of_range", () =>
        firstOf(log.engine.query({ ...request, order: "oldest", pageToken })),
      );
    },
  },
  {
    name: "requests beyond the limits are invalid, and say what the limit is",
    async run(t, open) {
      const { engine } = await open(t);
      const { message } = await rejectsWith("invalid", () =>
        firstOf(engine.query({ filter: everything, order: "newest", limit: 10_001 })),
      );
      assert.match(message, /limit is 10001.*10000/);
      const count = { filter: everything, buckets: 10, groups: 10 };
      for (const bad of [
        { buckets: 0 },
        { buckets: 10_001 },
        { groups: 101 },
        { interval: 0n },
        { interval: -1n },
      ]) {
        await rejectsWith("invalid", () => engine.count({ ...count, start: 0n, end: 10n, ...bad }));
      }
      await rejectsWith("invalid", () => engine.count({ ...count, start: 0n, end: 11n, interval: 1n }));
      const early = { ...count, start: -(2n ** 63n), end: 0n, interval: 5n * 10n ** 18n };
      const refused = await rejectsWith("invalid", () => engine.count(early));
      assert.match(refused.message, /would begin at -10000000000000000000, before -9223372036854775808/);
      await rejectsWith("invalid", () => engine.values({ filter: everything, limit: 1001 }));
    },
  },
  {
    name: "an aborted call rejects with the signal's reason",
    async run(t, open) {
      const log = await open(t);
      await fillRandomly(log, 7);
      const reason = new Error("enough");
      const later = () => {
        const abort = new AbortController();
        setImmediate(() => abort.abort(reason));
        return abort.signal;
      };
      const isReason = (error: unknown) => error === reason;
      const { engine } = log;
      // One after another on the same threads: the later ones still wait when the abort comes.
      for (const signal of [AbortSignal.abort(reason), later()]) {
        const jobs = [
          firstOf(engine.query({ filter: slowFilter, order: "newest", limit: 100 }, { signal })),
          engine.count({ filter: slowFilter, buckets: 60, groups: 10 }, { signal }),
          engine.values({ filter: slowFilter, limit: 10 }, { signal }),
          engine.backlog({ filter: slowFilter, limit: 10 }, { signal }),
        ];
        for (const job of signal.aborted ? jobs : jobs.slice(1)) await assert.rejects(job, isReason);
        await Promise.allSettled(jobs);
      }
      assert.equal((await engine.values({ filter: everything, field: "level", limit: 1 })).values.length, 1);
    },
  },
  {
    name: "around gives an entry and its neighbours in the order of the log",
    async run(t, open) {
      const [log, other] = [await open(t), await open(t)];
      const all = await fillRandomly(log, 8);
      const random = new Random(9);
      for (let round = 0; round < 20; round++) {
        const [at, before, after] = [random.below(all.length), random.below(80), random.below(80)];
        const found = await log.engine.around({ id: all[at]?.id ?? "", before, after });
        assert.deepEqual(
          found.map(({ id }) => id),
          all.slice(Math.max(0, at - before), at + after + 1).map(({ id }) => id),
        );
        assert.deepEqual(messagesOf(found), messagesOf(all.slice(Math.max(0, at - before), at + after + 1)));
      }
      const { firstId } = await other.engine.append(batchOf([entryOf()]));
      for (const id of [firstId, "nonsense", "", log.engine.head()]) {
        await rejectsWith("out_of_range", () => log.engine.around({ id, before: 1, after: 1 }));
      }
      const lastId = all.at(-1)?.id ?? "";
      const beyond = lastId.replace(/[0-9]+$/, (digits) => String(Number(digits) + 1));
      await rejectsWith("not_found", () => log.engine.around({ id: beyond, before: 1, after: 1 }));
    },
  },
  {
    name: "counts are those of brute force, whatever the filter, range, interval and grouping",
    async run(t, open) {
      const log = await open(t);
      const all = await fillRandomly(log, 10);
      const random = new Random(11);
      for (let round = 0; round < 60; round++) {
        const { request, isSelected, start, end } = randomSelection(random);
        const groupBy = random.of([undefined, "level", "service", "status", "message"]);
        const [buckets, groups] = [random.of([1, 10, 60, 500]), random.of([0, 1, 3, 100])];
        const histogram = await log.engine.count({
          ...request,
          buckets,
          groups,
          ...(groupBy ? { groupBy } : {}),
        });
        const selected = all.filter(isSelected);
        assert.equal(histogram.total, selected.length);
        assert.deepEqual(histogram.series, expectedSeries(selected, histogram, groupBy, groups));
        const length = histogram.series[0]?.counts.length ?? 1;
        assert.ok(length <= buckets, `${length} of ${buckets} buckets`);
        assert.equal(histogram.start % histogram.interval, 0n);
        if (selected.length === 0) continue;
        const { start: from, interval } = histogram;
        const sorted = byTime(all, "oldest").map(({ entry }) => entry.timestamp);
        const first = start ?? sorted[0] ?? 0n;
        const last = end === undefined ? (sorted.at(-1) ?? 0n) : end - 1n;
        assert.ok(from <= first && first < from + interval, "the first bucket holds the range's start");
        const lastBucket = from + BigInt(length - 1) * interval;
        assert.ok(
          lastBucket <= last && last < lastBucket + interval,
          "the last bucket holds the range's end",
        );
      }
    },
  },
  {
    name: "intervals are round, or the one that was asked for",
    async run(t, open) {
      const { engine } = await open(t);
      await engine.append(batchOf([entryOf({ timestamp: epoch })]));
      const second = 1_000_000_000n;
      const intervalOf = async (seconds: number, buckets: number) => {
        const request = {
          filter: everything,
          start: epoch,
          end: epoch + BigInt(seconds) * second,
          buckets,
          groups: 0,
        };
        return Number((await engine.count(request)).interval / 1_000_000n);
      };
      assert.equal(await intervalOf(1, 1000), 1);
      assert.equal(await intervalOf(60, 60), 1000);
      assert.equal(await intervalOf(61, 60), 2000);
      assert.equal(await intervalOf(900, 60), 15_000);
      assert.equal(await intervalOf(3600, 60), 60_000);
      assert.equal(await intervalOf(7 * 24 * 3600, 60), 3 * 3_600_000);
      assert.equal(await intervalOf(60 * 24 * 3600, 60), 24 * 3_600_000);
      const asked = {
        filter: everything,
        start: epoch + 5n,
        end: epoch + 12n,
        interval: 7n,
        buckets: 3,
        groups: 0,
      };
      const { start, interval, series, total } = await engine.count(asked);
      assert.deepEqual([start % 7n, interval, series, total], [0n, 7n, [], 0]);
    },
  },
  {
    name: "the times of a histogram are those of an int64, also at its ends",
    async run(t, open) {
      const { engine } = await open(t);
      const [least, greatest] = [-(2n ** 63n), 2n ** 63n - 1n];
      await engine.append(
        batchOf([0n, 1n, greatest - 1n, greatest].map((timestamp) => entryOf({ timestamp }))),
      );
      for (const start of [-(2n ** 62n), 0n, greatest]) {
        for (const buckets of [4, 60, 10_000]) {
          const histogram = await engine.count({ filter: everything, start, buckets, groups: 0 });
          assert.ok(histogram.start >= least && histogram.start <= start, `${histogram.start}`);
          assert.equal(histogram.total, start === greatest ? 1 : 4);
        }
      }
      const last = await engine.count({
        filter: everything,
        start: greatest,
        end: greatest,
        buckets: 1,
        groups: 0,
      });
      assert.equal(last.total, 0);
    },
  },
  {
    name: "values are those of brute force, whatever the filter, range, field and prefix",
    async run(t, open) {
      const log = await open(t);
      const all = await fillRandomly(log, 12);
      const random = new Random(13);
      for (let round = 0; round < 60; round++) {
        const { request, isSelected } = randomSelection(random);
        const field = random.of([undefined, "level", "service", "status", "message", "nobody_has_it"]);
        const [prefix, limit] = [random.of(["", "", "t", "S", "40"]), random.of([1, 3, 1000])];
        const found = await log.engine.values({ ...request, prefix, limit, ...(field ? { field } : {}) });
        const namesOf = ({ entry }: ReadEntry) =>
          ["level", "service", "message", ...Object.keys(entry.attributes)].filter(
            (name) => fieldOf(entry, name) !== "",
          );
        const selected = all.filter(isSelected);
        const values = selected.flatMap((each) =>
          field === undefined ? namesOf(each) : [fieldOf(each.entry, field)],
        );
        const expected = tally(
          values.filter((value) => value !== "" && value.toLowerCase().startsWith(prefix.toLowerCase())),
        );
        assert.deepEqual(found.values, expected.slice(0, limit));
        assert.deepEqual([found.distinct, found.truncated], [expected.length, false]);
      }
    },
  },
];
