/**
 * Writes entries in the form that was asked for.
 *
 *   pretty  for people, see pretty-entry.ts
 *   json    a line each, as in GET /tail: the way to jq, and back by `logsvc import`
 *   raw     the message alone
 */
import { entryToJson, type StoredEntry } from "@logsvc/proto";
import { neutralise, neutraliseJson } from "./neutralise.ts";
import type { Notices } from "./notices.ts";
import type { Output } from "./output.ts";
import { createPrettyPrinter, type PrettyPrinter } from "./pretty-entry.ts";

/** The forms of output. */
export const outputFormats = ["pretty", "json", "raw"] as const;

/** One of the forms of output. */
export type OutputFormat = (typeof outputFormats)[number];

/** Options of createEntryWriter. */
export interface EntryWriterOptions {
  readonly format: OutputFormat;
  readonly color: boolean;
  readonly utc: boolean;
  /** The output is a terminal: control characters are shown, not sent, in every form. */
  readonly isTerminal: boolean;
  /** The id of an entry to mark among the others, in the pretty form. */
  readonly marked?: string;
}

/** Where entries are missing, and how many. */
export interface GapNotice {
  readonly from: string;
  readonly to: string;
  readonly count: number;
}

/** Writes what a tail or a query comes upon. */
export interface EntryWriter {
  /** Writes entries, and resolves when there is room for more. */
  entries(entries: readonly StoredEntry[]): Promise<void>;
  /** Says, at the place where it is, that entries are missing. */
  gap(gap: GapNotice): Promise<void>;
}

/** Creates a writer. What is no data (a gap, in raw output) goes to the notices. */
export function createEntryWriter(
  output: Output,
  notices: Notices,
  options: EntryWriterOptions,
): EntryWriter {
  const print = createPrinter(options);
  const printJson = createJsonPrinter(options);
  return {
    entries: async (entries) => {
      notices.clearProgress();
      await output.write(entries.map(print).join(""));
    },
    gap: async (gap) => {
      const text = `gap: ${gap.count} entries were deleted by retention before they were read`;
      notices.clearProgress();
      if (options.format === "raw") notices.warn(text);
      else if (options.format === "json") {
        const { from, to, count } = gap;
        await output.write(printJson({ gap: { from, to, count } }));
      } else await output.write(`── ${text} ──\n`);
    },
  };
}

function createPrinter(options: EntryWriterOptions): (stored: StoredEntry) => string {
  switch (options.format) {
    case "pretty":
      return createMarkingPrinter(createPrettyPrinter(options), options.marked);
    case "json": {
      const printJson = createJsonPrinter(options);
      return (stored) => printJson(entryToJson(stored));
    }
    case "raw":
      return ({ entry }) =>
        `${options.isTerminal ? neutralise(entry?.message ?? "") : (entry?.message ?? "")}\n`;
    default:
      return options.format satisfies never;
  }
}

function createMarkingPrinter(print: PrettyPrinter, marked: string | undefined): PrettyPrinter {
  if (marked === undefined) return print;
  return (stored) => `${stored.id === marked ? "▶" : " "} ${print(stored)}`;
}

function createJsonPrinter({ isTerminal }: EntryWriterOptions): (value: object) => string {
  return (value) => {
    const json = JSON.stringify(value);
    return `${isTerminal ? neutraliseJson(json) : json}\n`;
  };
}
