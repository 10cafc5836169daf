/**
 * An application that logs at a steady rate through a shipper, to be killed.
 * It says on standard output how far it is, so that a test knows what must have
 * survived:
 *
 *   written <n>           entries 1 … n were taken by `write`
 *   spooled <n> <producer>  the producer's entry n is in the spool
 *   acked <n> <producer>    the producer's entry n is on the server's disk
 *   ended {…}             the summary, after the end of standard input
 *
 * Arguments: the server's URL, the spool's folder, the run's name, entries a
 * second. An entry's message is `<run> <n>`.
 */
import { subscribe } from "node:diagnostics_channel";
import { writeSync } from "node:fs";
import { createShipper, flushOnExit } from "@logsvc/client-node";

const [url = "", spool = "", run = "", rate = "1000"] = process.argv.slice(2);
const intervalMs = 5;
const perMs = Number(rate) / 1000;

/** What was missed while the process was stopped is not made up for beyond this. */
const burstMsMax = 500;

const shipper = createShipper({
  url,
  spool,
  pingIntervalMs: 1_000,
  pingTimeoutMs: 1_000,
  connectTimeoutMs: 2_000,
});
let written = 0;

/** At once: what is said must not lie in a buffer when the process is killed. */
function say(word: string, rest: unknown): void {
  writeSync(1, `${word} ${rest}\n`);
}

/** Of a batch. */
interface Told {
  readonly producerId: string;
  readonly firstSequence: number;
  readonly entries: number;
}

function tellOf(word: string): (message: unknown) => void {
  return (message) => {
    const { producerId, firstSequence, entries } = message as Told;
    say(word, `${firstSequence + entries - 1} ${producerId}`);
  };
}

subscribe("logsvc:shipper:spooled", tellOf("spooled"));
subscribe("logsvc:shipper:batch", tellOf("acked"));
for (const name of ["fault", "dropped", "rejected"] as const) {
  shipper.on(name, (event) => process.stderr.write(`${name} ${JSON.stringify(event)}\n`));
}
flushOnExit(shipper, process, { signals: ["SIGTERM"], timeoutMs: 2_000 });

let lastMs = performance.now();
let owed = 0;
const writing = setInterval(() => {
  const nowMs = performance.now();
  owed += Math.min(burstMsMax, nowMs - lastMs) * perMs;
  lastMs = nowMs;
  for (; owed >= 1; owed--) shipper.write({ level: "info", message: `${run} ${++written}` });
  say("written", written);
}, intervalMs);

shipper.on("state", ({ kind }) => {
  if (kind === "draining") clearInterval(writing);
});

process.stdin.resume().once("end", () => void end());

async function end(): Promise<void> {
  clearInterval(writing);
  const summary = await shipper.flush();
  await shipper.close();
  say("ended", JSON.stringify(summary));
}
