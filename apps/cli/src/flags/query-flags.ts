/** What a query may be asked for, and which of it goes together. */
import { limits } from "@logsvc/proto";
import { InvalidArgumentError, type Option } from "commander";
import { CommandError, exitCodes } from "../exit-code.ts";
import type { ClientFlags } from "./client-flags.ts";
import { flag } from "./flag.ts";
import { readDuration, readInteger, readMoment } from "./flag-values.ts";
import type { OutputFlags } from "./output-flags.ts";

const orders = ["newest", "oldest"] as const;

/** The values of `queryFlags`, and of those that other commands have as well. */
export interface QueryFlags extends ClientFlags, OutputFlags {
  readonly since?: bigint;
  readonly until?: bigint;
  readonly limit?: number;
  readonly order?: (typeof orders)[number];
  readonly count?: boolean;
  readonly histogram?: boolean;
  /** In nanoseconds. */
  readonly interval?: bigint;
  readonly groupBy?: string;
  readonly values?: string;
  readonly fields?: boolean;
  readonly around?: string;
  readonly before?: number;
  readonly after?: number;
  readonly stats?: boolean;
}

/** What is asked for: entries, one entry's neighbours, or counts of some kind. */
export type QueryKind = "entries" | "around" | "count" | "histogram" | "values" | "fields";

/** Neighbours on either side, when nothing else is said. */
export const neighboursDefault = 10;

/** The API takes one number for both sides and the entry itself. */
const neighboursMax = Math.floor((limits.pageEntriesMax - 1) / 2);

/** The flags of `query` alone. */
export const queryFlags = (): Option[] => [
  flag("--since <time>", "from this time on: 1h (ago), 2026-11-22, 2026-11-22T09:36:40Z").argParser(
    readMoment,
  ),
  flag("--until <time>", "before this time").argParser(readMoment),
  flag(
    "-n, --limit <count>",
    `how many at the most; 0: all (default: ${limits.pageEntriesDefault} entries, ${limits.valuesDefault} values)`,
  ).argParser(readInteger(0, Number.MAX_SAFE_INTEGER)),
  flag("--order <order>", "by time, from this end on").choices(orders),
  flag("--count", "how many entries match, instead of the entries"),
  flag("--histogram", "how many entries match by time and level"),
  flag(
    "--interval <duration>",
    "the time between two rows of --histogram (default: 30 rows or fewer)",
  ).argParser(readInterval),
  flag("--group-by <field>", "count in --histogram by this field's values, not by level").argParser(
    readField,
  ),
  flag("--values <field>", "the most frequent values of a field, with their counts").argParser(readField),
  flag("--fields", "the names of the fields, with their counts"),
  flag("--around <id>", "the entry with this id and its neighbours, whatever they are").argParser(readId),
  flag("--before <count>", `neighbours before it (default: ${neighboursDefault})`).argParser(
    readInteger(0, neighboursMax),
  ),
  flag("--after <count>", `neighbours after it (default: ${neighboursDefault})`).argParser(
    readInteger(0, neighboursMax),
  ),
  flag("--stats", "say on stderr what was scanned and skipped, and how long it took"),
];

type FlagName = keyof QueryFlags;

interface KindFlags {
  readonly kind: QueryKind;
  /** The flag that asks for it; entries are asked for by none. */
  readonly chosenBy?: string;
  /** What else it takes, beside the flags for output and server, which go with all. */
  readonly takes: readonly FlagName[];
}

const entriesFlags: KindFlags = { kind: "entries", takes: ["since", "until", "limit", "order"] };

const chosenFlags: readonly (KindFlags & { readonly kind: FlagName })[] = [
  { kind: "around", chosenBy: "--around", takes: ["before", "after"] },
  { kind: "count", chosenBy: "--count", takes: ["since", "until"] },
  { kind: "histogram", chosenBy: "--histogram", takes: ["since", "until", "interval", "groupBy"] },
  { kind: "values", chosenBy: "--values", takes: ["since", "until", "limit"] },
  { kind: "fields", chosenBy: "--fields", takes: ["since", "until", "limit"] },
];

/** The flags that belong to some kinds only, as they are written. */
const boundFlags: readonly (readonly [FlagName, string])[] = [
  ["since", "--since"],
  ["until", "--until"],
  ["limit", "--limit"],
  ["order", "--order"],
  ["interval", "--interval"],
  ["groupBy", "--group-by"],
  ["before", "--before"],
  ["after", "--after"],
];

/**
 * What the flags ask for.
 *
 * @param isGiven Whether a flag was written on the command line: a variable that
 *   is set for all queries must not spoil one that has no use for it.
 * @throws CommandError when flags are given that do not go together.
 */
export function queryKindOf(
  flags: QueryFlags,
  words: readonly string[],
  isGiven: (name: FlagName) => boolean,
): QueryKind {
  const chosen = chosenFlags.filter(({ kind }) => flags[kind] !== undefined);
  const names = chosen.map(({ chosenBy }) => chosenBy).join(" and ");
  if (chosen.length > 1) refuse(`${names} can't be asked for at once`);
  const { kind, takes } = chosen[0] ?? entriesFlags;
  for (const [name, written] of boundFlags) {
    if (takes.includes(name) || !isGiven(name)) continue;
    const users = chosenFlags.filter((one) => one.takes.includes(name)).map(({ chosenBy }) => chosenBy);
    if (kind === "entries") refuse(`${written} goes with ${users.join(" or ")}`);
    const hint = name === "groupBy" ? "; it goes with --histogram, and --values counts a field's values" : "";
    refuse(`${written} has no meaning with ${names}${hint}`);
  }
  if (kind === "around" && words.length > 0) {
    refuse(`--around takes no filter, as it shows whatever stands beside the entry; got ${words.join(" ")}`);
  }
  if (isGiven("limit") || kind === "entries") checkLimit(flags, kind);
  return kind;
}

function checkLimit({ limit = 1, order }: QueryFlags, kind: QueryKind): void {
  if (kind === "entries" && order === undefined && limit > limits.pageEntriesMax) {
    const needed = "needs --order newest or oldest, as so many can't be held to be turned round";
    refuse(`--limit above ${limits.pageEntriesMax} ${needed}`);
  }
  if ((kind === "values" || kind === "fields") && (limit === 0 || limit > limits.valuesMax)) {
    refuse(`--limit must be from 1 to ${limits.valuesMax} with --${kind}, got ${limit}`);
  }
}

function refuse(message: string): never {
  throw new CommandError(message, exitCodes.usage);
}

function readInterval(text: string): bigint {
  const durationMs = readDuration(text);
  if (durationMs === 0) throw new InvalidArgumentError("Expected a duration of at least 1ms.");
  return BigInt(durationMs) * 1_000_000n;
}

/** What a script passes when it found no entry. */
function readId(text: string): string {
  if (text !== "") return text;
  throw new InvalidArgumentError("Expected an entry's id.");
}

function readField(text: string): string {
  if (text !== "") return text;
  throw new InvalidArgumentError("Expected the name of a field.");
}
