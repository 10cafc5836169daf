/** What one tail costs a writer at full speed, and whether the tail keeps up. */
import type { BenchCase, BenchOptions, Contestant, Figures } from "../bench-case.ts";
import { type OneTail, startClient, startOneTail } from "../clients.ts";
import { sharedClockMs } from "../peers/orders.ts";
import { settle } from "../program.ts";
import { statsOf } from "../server-stats.ts";
import { startLogsvc } from "../servers.ts";

/** How long the writer sends in a round. */
const sendMs = 3_000;

/** Which tail there is: none, one that gets an entry in so many, or one that reads nothing. */
type TailKind = "none" | "stalls" | { readonly step: number; readonly filter: string };

export const oneTail: BenchCase = {
  name: "one-tail",
  title:
    "Our Node client writes entries of about 100 bytes at full speed through StreamLogs, beside no tail or one, with our Node client as well. " +
    "The filter (`level:>=error`) keeps one entry in eight; the stalled tail asks for nothing after its first response. " +
    "Behind is what a tail has still to get when the last entry is answered, and catching up the time from then until it has it. " +
    "Each entry that arrives must be the one that is due.",
  columns: ["written, entries/s", "tail, entries/s", "behind, entries", "catching up, ms", "delivered"],
  compared: { column: "written, entries/s", better: "more", each: "times no tail" },
  rounds: 3,
  open: async (options) => [
    await openRow("no tail", "none", options),
    await openRow("a tail of everything", { step: 1, filter: "" }, options),
    await openRow("a tail of one entry in eight", { step: 8, filter: "level:>=error" }, options),
    await openRow("a stalled tail", "stalls", options),
  ],
};

async function openRow(name: string, kind: TailKind, options: BenchOptions): Promise<Contestant> {
  const server = await startLogsvc(options);
  const writer = await startClient("logsvc", server.url);
  const tail = kind === "none" ? undefined : await startOneTail(server.url, kind);
  return {
    name,
    run: async () => {
      const startedAt = sharedClockMs();
      const { accepted, answered, ms } = await writer.stream(sendMs);
      const writtenAt = sharedClockMs();
      if (accepted === 0 || accepted !== answered) throw new Error(`${accepted} of ${answered} accepted`);
      const written = { "written, entries/s": answered / (ms / 1000) };
      let ofTail: Figures = {};
      if (kind === "stalls") await checkStalled(server.url);
      else if (kind !== "none" && tail !== undefined) {
        ofTail = await figuresOf(tail, { expected: answered / kind.step, startedAt, writtenAt });
      }
      await settle(server.pid);
      return { ...written, ...ofTail };
    },
    close: async () => {
      await tail?.stop();
      await writer.stop();
      await server.stop();
    },
  };
}

async function figuresOf(
  tail: OneTail,
  round: { readonly expected: number; readonly startedAt: number; readonly writtenAt: number },
): Promise<Figures> {
  const { expected, startedAt, writtenAt } = round;
  const { delivered, inTime, lastAt } = await tail.report({ expected, writtenAt });
  return {
    "tail, entries/s": delivered / ((lastAt - startedAt) / 1000),
    "behind, entries": expected - inTime,
    "catching up, ms": Math.max(0, lastAt - writtenAt),
    delivered: delivered / expected,
  };
}

/** What has stalled has to be open still, and behind. */
async function checkStalled(url: string): Promise<void> {
  const { openTails, lagMax } = await statsOf(url);
  if (openTails !== 1 || lagMax === 0)
    throw new Error(`${openTails} tails are open, ${lagMax} entries behind`);
}
