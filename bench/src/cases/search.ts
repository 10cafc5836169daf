/**
 * Searches in a generated log: how long each kind of question takes, beside
 * `grep` over the same text and a row an entry in SQLite.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { promisify } from "node:util";
import { type Engine, type EngineStats, openSqliteEngine } from "@logsvc/engine";
import {
  type BenchCase,
  type Contestant,
  type Figures,
  type LeftOut,
  type Note,
  quantile,
} from "../bench-case.ts";
import { commandMissing } from "../program.ts";
import { formatFigure } from "../report.ts";
import { RowStore } from "../row-store.ts";
import { type AskedLog, type SearchQuestion, searchQuestions } from "../search-questions.ts";
import { type CompressedText, compressLog, type LoadReport, storeLog } from "../stored-log.ts";

/** How often ours is asked in a round, after the first time. */
const warmAsks = 3;

/** Loading rows ends after so long, whether all are there or not. */
const rowsLoadMsMax = 300_000;

/** A million entries: seconds, so that it runs with the others. */
export const searchSmall: BenchCase = searchCase("search-small", 1_000_000);

/** Ten million entries, about 1.7 GB of text: minutes. */
export const search: BenchCase = searchCase("search", 10_000_000);

function searchCase(name: string, entriesDefault: number): BenchCase {
  return {
    name,
    title:
      "Questions to a generated log of one day and sixteen services. Ours is asked through the engine, with one thread that searches. " +
      "First: the first time it is asked after the log was opened, behind the rows above it; the file is in the system's cache, as are the others'. Warm: asked again. " +
      "GB/s: text as NDJSON by the warm time, where the messages have to be looked at; so it is of one core. " +
      "Beside it `zstdcat | grep -c` of the same text (two processes at a time, the system's cache warm), and SQLite with a row an entry, " +
      "an index on the time and FTS5 over the messages; its REGEXP is a function in JavaScript. All must come to the same count.",
    columns: ["count", "first, ms", "warm, ms", "GB/s", "zstdcat and grep, ms", "SQLite and FTS5, ms"],
    rounds: 3,
    warmUp: false,
    ...(entriesDefault > 1_000_000 ? { onlyByName: true } : {}),
    open: (options) => openSearch(options.entries ?? entriesDefault),
  };
}

/** All who are asked. */
interface Searched {
  readonly engine: Engine;
  readonly asked: AskedLog;
  readonly textBytes: number;
  /** The text's file; absent where it can't be searched. */
  readonly textPath: string | undefined;
  readonly rows: RowStore;
  /** The rows are of the whole log. */
  readonly rowsComplete: boolean;
}

async function openSearch(entries: number): Promise<(Contestant | LeftOut | Note)[]> {
  const folder = mkdtempSync(join(tmpdir(), "logsvc-bench-"));
  const remove = () => rmSync(folder, { recursive: true });
  try {
    const path = join(folder, "engine");
    const load = await storeLog(path, { entries });
    const textPath = join(folder, "text.ndjson.zst");
    const text = await compressLog(textPath, { entries });
    const rows = new RowStore(join(folder, "rows.db"), { entries }, rowsLoadMsMax);
    const asked = { middleId: await middleIdOf(path) };
    const engine = await openSqliteEngine({ path, queryWorkers: 1 });
    const grepMissing = commandMissing("zstdcat") || commandMissing("grep");
    const searched: Searched = {
      ...{ engine, asked, rows, textBytes: text.textBytes },
      textPath: grepMissing ? undefined : textPath,
      rowsComplete: rows.entries === entries,
    };
    const close = async () => {
      rows.close();
      await engine.close();
      remove();
    };
    return [
      // All ask the same log, so it is closed with the first of them.
      ...searchQuestions.map((question, index) => ({
        ...contestant(question, searched),
        ...(index === 0 ? { close } : {}),
      })),
      ...notesOf({ entries, load, text, rows, stats: await engine.stats() }),
      ...(grepMissing ? [{ name: "grep", leftOut: "there is no `zstdcat` on this machine" }] : []),
    ];
  } catch (error) {
    remove();
    throw error;
  }
}

function contestant(question: SearchQuestion, searched: Searched): Contestant {
  let isFirst = true;
  return {
    name: question.name,
    run: async (): Promise<Figures> => {
      const first = await timed(() => question.ask(searched.engine, searched.asked));
      const warmTimes: number[] = [];
      for (let n = 0; n < warmAsks; n++) {
        warmTimes.push((await timed(() => question.ask(searched.engine, searched.asked))).ms);
      }
      const warmMs = quantile(warmTimes, 0.5);
      const figures = {
        count: first.count,
        ...(isFirst ? { "first, ms": first.ms } : {}),
        "warm, ms": warmMs,
        ...(question.scans ? { "GB/s": searched.textBytes / (warmMs * 1e6) } : {}),
      };
      isFirst = false;
      return { ...figures, ...(await askOthers(question, searched, first.count)) };
    },
  };
}

async function askOthers(question: SearchQuestion, searched: Searched, count: number): Promise<Figures> {
  const { textPath, rows, rowsComplete } = searched;
  const { grep, sql } = question;
  const byGrep =
    grep === undefined || textPath === undefined ? undefined : await timed(() => grepCount(textPath, grep));
  const bySql = await timed(async () => rows.ask(sql));
  if (byGrep !== undefined) checkCount(`grep ${grep?.join(" ")}`, byGrep.count, count);
  if (rowsComplete) checkCount(sql.sql, bySql.count, count);
  return {
    ...(byGrep === undefined ? {} : { "zstdcat and grep, ms": byGrep.ms }),
    "SQLite and FTS5, ms": bySql.ms,
  };
}

/** Who counts otherwise has not answered the same question. */
function checkCount(asked: string, count: number, expected: number): void {
  if (count !== expected) throw new Error(`expected ${expected} as ours found, got ${count} from ${asked}`);
}

async function timed(work: () => Promise<number>): Promise<{ readonly count: number; readonly ms: number }> {
  const start = performance.now();
  const count = await work();
  return { count, ms: performance.now() - start };
}

const pipe = 'file=$1; shift; zstdcat "$file" | grep -c "$@"';

async function grepCount(path: string, args: readonly string[]): Promise<number> {
  // Bytes instead of characters: grep is at its fastest.
  const env = { ...process.env, LC_ALL: "C" };
  const { stdout } = await promisify(execFile)("sh", ["-c", pipe, "sh", path, ...args], { env });
  return Number(stdout);
}

/** An id in the middle, found before the log is opened to be asked: the first time must be the first. */
async function middleIdOf(path: string): Promise<string> {
  const engine = await openSqliteEngine({ path });
  try {
    const { oldest, newest } = await engine.stats();
    const end = oldest + (newest - oldest) / 2n;
    for await (const { entries } of engine.query({
      filter: { kind: "all" },
      end,
      order: "newest",
      limit: 1,
    })) {
      const [entry] = entries;
      if (entry !== undefined) return entry.id;
    }
    throw new Error("the log is empty");
  } finally {
    await engine.close();
  }
}

function notesOf(run: {
  readonly entries: number;
  readonly load: LoadReport;
  readonly text: CompressedText;
  readonly rows: RowStore;
  readonly stats: EngineStats;
}): Note[] {
  const { entries, load, text, rows, stats } = run;
  const log =
    `${formatFigure(entries)} entries, ${formatFigure(text.textBytes / 1e6)} MB as NDJSON. Ours: loaded in ${formatFigure(load.loadMs / 1000)} s, ` +
    `merged ${formatFigure(load.mergeMs / 1000)} s later, ${formatFigure(stats.blocks)} blocks. ` +
    `SQLite: loaded in ${formatFigure(rows.loadMs / 1000)} s.`;
  if (rows.entries === entries) return [{ note: log }];
  const less = `SQLite has only the first ${formatFigure(rows.entries)} entries: loading them all would have taken more than ${rowsLoadMsMax / 60_000} minutes. Its times are for those.`;
  return [{ note: log }, { note: less }];
}
