/** What an entry takes on the disk, with all that it is found again by, beside its bare text. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { BenchCase, Contestant, Figures } from "../bench-case.ts";
import { compressLog, storeLog } from "../stored-log.ts";

const entriesDefault = 1_000_000;

export const disk: BenchCase = {
  name: "disk",
  title:
    "Bytes on the disk for an entry of a generated log, when its blocks are merged: ours with all indexes, and the same entries as text. " +
    "Merging leaves pages free, which what comes next is written into; they are counted apart.",
  columns: ["bytes an entry", "free pages, bytes an entry"],
  compared: { column: "bytes an entry", better: "less" },
  rounds: 1,
  warmUp: false,
  open: async ({ entries = entriesDefault }) => {
    const folder = mkdtempSync(join(tmpdir(), "logsvc-bench-"));
    try {
      await storeLog(join(folder, "engine"), { entries });
      const { textBytes, compressedBytes } = await compressLog(join(folder, "text.ndjson.zst"), { entries });
      return [
        row("logsvc, index included", perEntry(pagesOf(join(folder, "engine", "log.db")), entries)),
        row("`zstd -3` of the NDJSON, one stream", perEntry({ used: compressedBytes }, entries)),
        row("NDJSON", perEntry({ used: textBytes }, entries)),
      ];
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

/** Bytes stay the same in every round, so they are taken once. */
function row(name: string, figures: Figures): Contestant {
  return { name, run: async () => figures };
}

function perEntry({ used, free }: { used: number; free?: number }, entries: number): Figures {
  return {
    "bytes an entry": used / entries,
    ...(free === undefined ? {} : { "free pages, bytes an entry": free / entries }),
  };
}

/** The bytes of a closed database's pages. */
function pagesOf(path: string): { readonly used: number; readonly free: number } {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const [size = 0, count = 0, free = 0] = ["page_size", "page_count", "freelist_count"].map((name) =>
      Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]),
    );
    return { used: size * (count - free), free: size * free };
  } finally {
    db.close();
  }
}
