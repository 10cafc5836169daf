/** Which figures the metrics page shows, in which order and words. */
import { formatTimestamp, type WatchStatsResponse } from "@logsvc/client-web";
import { formatAmount, formatBytes, formatCount, formatDuration } from "./format-amount.ts";
import type { StatsFigure } from "./stats-history.ts";

/** One figure. */
export interface StatsCard {
  readonly label: string;
  /** What is drawn and written. */
  readonly figure: StatsFigure;
  readonly format: (value: number) => string;
  /** What stands below the value, such as the total since the start. */
  readonly note?: (stats: WatchStatsResponse) => string;
  /** More than 0 of it is worth a look. */
  readonly alarming?: boolean;
}

/** Figures that belong together. */
export interface StatsGroup {
  readonly title: string;
  readonly cards: readonly StatsCard[];
  /** Figures without a chart: they are read, not watched. */
  readonly facts: (stats: WatchStatsResponse) => readonly (readonly [label: string, value: string])[];
}

const perSecond = (value: number): string => `${formatAmount(value)}/s`;
const bytesPerSecond = (value: number): string => `${formatBytes(value)}/s`;
const total = (count: bigint | undefined): string => `${formatCount(Number(count ?? 0n))} since the start`;
const noFacts = (): readonly [] => [];

/** The page's groups. */
export const statsGroups: readonly StatsGroup[] = [
  {
    title: "Writing",
    cards: [
      {
        label: "Entries",
        figure: "entriesPerSecond",
        format: perSecond,
        note: (s) => total(s.ingest?.accepted),
      },
      {
        label: "Bytes",
        figure: "bytesPerSecond",
        format: bytesPerSecond,
        note: (s) => `${formatBytes(Number(s.ingest?.bytes ?? 0n))} since the start`,
      },
      {
        label: "Rejected",
        figure: "rejectedPerSecond",
        format: perSecond,
        note: (s) => total(s.ingest?.rejected),
        alarming: true,
      },
      {
        label: "Duplicates",
        figure: "duplicatesPerSecond",
        format: perSecond,
        note: (s) => total(s.ingest?.duplicates),
      },
      {
        label: "Commits",
        figure: "commitsPerSecond",
        format: perSecond,
        note: (s) => total(s.ingest?.commits),
      },
      { label: "Time of a commit, mean", figure: "commitMs", format: formatDuration },
      {
        label: "In flight",
        figure: "inFlightBytes",
        format: formatBytes,
        note: () => "received, not yet answered",
      },
      { label: "Writing streams", figure: "streams", format: formatCount, note: () => "open now" },
    ],
    facts: noFacts,
  },
  {
    title: "Reading",
    cards: [
      { label: "Tails", figure: "tails", format: formatCount, note: () => "open now" },
      {
        label: "Sent to tails",
        figure: "sentPerSecond",
        format: perSecond,
        note: (s) => total(s.tail?.sent),
      },
      { label: "Slowest tail", figure: "lagMax", format: formatCount, note: () => "entries behind" },
      {
        label: "Gaps told to tails",
        figure: "gapsPerSecond",
        format: perSecond,
        note: (s) => total(s.tail?.gaps),
        alarming: true,
      },
      { label: "Searches running", figure: "queriesRunning", format: formatCount, note: () => "now" },
      {
        label: "Searches done",
        figure: "queriesPerSecond",
        format: perSecond,
        note: (s) => total(s.query?.done),
      },
    ],
    facts: noFacts,
  },
  {
    title: "Stored",
    cards: [
      { label: "Entries stored", figure: "entries", format: formatCount },
      { label: "Blocks", figure: "blocks", format: formatCount },
      { label: "On disk", figure: "diskBytes", format: formatBytes, note: compressionNote },
      {
        label: "Deleted by retention",
        figure: "deletedPerSecond",
        format: perSecond,
        note: (s) => total(s.storage?.deleted),
      },
    ],
    facts: ({ storage }) => [
      ["Before compression", formatBytes(Number(storage?.rawBytes ?? 0n))],
      ["Oldest entry", timeText(storage?.oldest)],
      ["Newest entry", timeText(storage?.newest)],
    ],
  },
  {
    title: "Server",
    cards: [{ label: "Memory", figure: "residentBytes", format: formatBytes, note: () => "resident" }],
    facts: ({ uptimeMs, version, storage }) => [
      ["Up for", formatDuration(Number(uptimeMs))],
      ["Version", version],
      ["Engine", storage?.engine ?? ""],
    ],
  },
];

function compressionNote({ storage }: WatchStatsResponse): string {
  const { rawBytes = 0n, diskBytes = 0n } = storage ?? {};
  if (rawBytes === 0n || diskBytes === 0n) return "";
  const ratio = Number(rawBytes) / Number(diskBytes);
  // A small log takes more than its entries: a database has pages, and a journal.
  return ratio < 1 ? "compressed little so far" : `compressed ${ratio.toFixed(1)} : 1`;
}

function timeText(time: bigint | undefined): string {
  if (time === undefined || time === 0n) return "none";
  return `${formatTimestamp(time).slice(0, 19).replace("T", " ")} UTC`;
}
