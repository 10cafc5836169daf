/** What is asked of a generated log, each question in the words of all who are asked. */
import type { Engine, Selection } from "@logsvc/engine";
import { dayStartUs, dayUs } from "./log-generator.ts";
import { rareWord, scatteredPhrase } from "./log-templates.ts";
import type { SqlQuestion } from "./row-store.ts";

type Filter = Selection["filter"];

/** A question. All who answer it must come to the same count. */
export interface SearchQuestion {
  readonly name: string;
  /** Resolves with how many entries or values it found or counted. */
  ask(engine: Engine, log: AskedLog): Promise<number>;
  /** It has to look at the whole log's messages, so that bytes a second say something. */
  readonly scans?: boolean;
  /** The same with `zstdcat FILE | grep -c`. Absent: grep can't answer it. */
  readonly grep?: readonly string[];
  readonly sql: SqlQuestion;
}

/** What a question needs to know of the log. */
export interface AskedLog {
  /** The id of an entry in its middle. */
  readonly middleId: string;
}

/** How many entries a page has. */
const pageEntries = 100;

const buckets = 60;

/** The least round width of which a day has no more than 60. */
const bucketNs = 30 * 60 * 1_000_000_000;

const noLiteral = "[3-9][0-9]{3} [km]s";
const commonLiteral = "connection reset by p[a-z]+";
const rareLiteral = `${rareWord} between 10\\.[0-9]+`;

const everything: Filter = { kind: "all" };
const phrase = (text: string): Filter => onField("message", { kind: "phrase", text });
const regexp = (pattern: string): Filter => onField("message", { kind: "regexp", pattern });

/** An hour in the afternoon. */
const hour = {
  start: BigInt(dayStartUs + (dayUs * 15) / 24) * 1_000n,
  end: BigInt(dayStartUs + (dayUs * 16) / 24) * 1_000n,
};

/** All of them. Their names are the rows. */
export const searchQuestions: readonly SearchQuestion[] = [
  {
    name: `a word that occurs 10 times: \`${rareWord}\``,
    ask: (engine) => find(engine, phrase(rareWord)),
    grep: ["-Fiw", rareWord],
    sql: matching(rareWord),
  },
  {
    name: `a regular expression with a rare literal: \`~"${rareLiteral}"\``,
    ask: (engine) => find(engine, regexp(rareLiteral)),
    grep: ["-E", rareLiteral],
    sql: matchingRegexp(rareLiteral),
  },
  {
    name: `count of a phrase that is in every block: \`"${scatteredPhrase}"\``,
    ask: (engine) => count(engine, phrase(scatteredPhrase)),
    scans: true,
    grep: ["-Fi", scatteredPhrase],
    sql: matching(`"${scatteredPhrase}"`),
  },
  {
    name: `count of a regular expression with a literal that is in every block: \`~"${commonLiteral}"\``,
    ask: (engine) => count(engine, regexp(commonLiteral)),
    scans: true,
    grep: ["-E", commonLiteral],
    sql: matchingRegexp(commonLiteral),
  },
  {
    name: `count of a regular expression without a literal: \`~"${noLiteral}"\``,
    ask: (engine) => count(engine, regexp(noLiteral)),
    scans: true,
    grep: ["-E", noLiteral],
    sql: matchingRegexp(noLiteral),
  },
  {
    name: `newest ${pageEntries}`,
    ask: (engine) => find(engine, everything),
    sql: { sql: `SELECT * FROM entries ORDER BY timestamp DESC LIMIT ${pageEntries}`, counts: "rows" },
  },
  {
    name: `newest ${pageEntries} errors of one service: \`level:error service:=auth\``,
    ask: (engine) =>
      find(engine, {
        kind: "and",
        nodes: [
          onField("level", { kind: "phrase", text: "error" }),
          onField("service", { kind: "exact", text: "auth" }),
        ],
      }),
    sql: {
      sql: `SELECT * FROM entries WHERE level = 'ERROR' AND service = 'auth' ORDER BY timestamp DESC LIMIT ${pageEntries}`,
      counts: "rows",
    },
  },
  {
    name: `${pageEntries} entries around one in the middle`,
    ask: async (engine, { middleId }) =>
      (await engine.around({ id: middleId, before: pageEntries / 2, after: pageEntries / 2 - 1 })).length,
    sql: {
      sql: `SELECT * FROM entries WHERE id >= (SELECT max(id) / 2 FROM entries) ORDER BY id LIMIT ${pageEntries}`,
      counts: "rows",
    },
  },
  {
    name: `histogram of everything by level, at most ${buckets} buckets`,
    ask: (engine) => histogram(engine, everything),
    sql: {
      sql: `SELECT count(*) FROM entries GROUP BY timestamp / ${bucketNs}, level`,
      counts: "first column",
    },
  },
  {
    name: `histogram of \`"${scatteredPhrase}"\` by level, at most ${buckets} buckets`,
    ask: (engine) => histogram(engine, phrase(scatteredPhrase)),
    scans: true,
    sql: {
      sql: `SELECT count(*) FROM entries JOIN words ON words.rowid = entries.id
        WHERE words MATCH ? GROUP BY timestamp / ${bucketNs}, level`,
      values: [`"${scatteredPhrase}"`],
      counts: "first column",
    },
  },
  {
    name: "top 20 values of `path` over an hour",
    ask: async (engine) =>
      (await engine.values({ filter: everything, field: "path", ...hour, limit: 20 })).values.length,
    sql: {
      sql: `SELECT attributes ->> 'path', count(*) FROM entries
        WHERE timestamp >= ? AND timestamp < ? AND attributes NOT NULL GROUP BY 1 ORDER BY 2 DESC LIMIT 20`,
      values: [hour.start, hour.end],
      counts: "rows",
    },
  },
];

async function find(engine: Engine, filter: Filter): Promise<number> {
  let found = 0;
  const steps = engine.query({ filter, order: "newest", limit: pageEntries });
  for await (const { entries } of steps) found += entries.length;
  return found;
}

async function count(engine: Engine, filter: Filter): Promise<number> {
  return (await engine.count({ filter, buckets: 1, groups: 0 })).total;
}

async function histogram(engine: Engine, filter: Filter): Promise<number> {
  return (await engine.count({ filter, buckets, groupBy: "level", groups: 10 })).total;
}

function onField(field: string, match: Extract<Filter, { kind: "field" }>["match"]): Filter {
  return { kind: "field", field, match };
}

function matching(words: string): SqlQuestion {
  return { sql: "SELECT count(*) FROM words WHERE words MATCH ?", values: [words], counts: "first column" };
}

function matchingRegexp(pattern: string): SqlQuestion {
  return {
    sql: "SELECT count(*) FROM entries WHERE message REGEXP ?",
    values: [pattern],
    counts: "first column",
  };
}
