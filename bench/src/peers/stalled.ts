/**
 * Two bad clients of one server: `URL`. One asks for the whole log and reads
 * none of it; the other sends entries as long as they are taken, and never
 * reads an answer. Whatever ends one of them ends the program, with an error;
 * any order is answered with how they stand, a StalledReport.
 */
import http2 from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import { LogEntrySchema, TailLogsRequestSchema } from "@logsvc/proto";
import { originalEntryAt } from "../entries.ts";
import { obeyOrders, url } from "./orders.ts";

/** How the two stand. */
export interface StalledReport {
  /** Whether the server takes no more of the writer's entries. */
  readonly writerWaits: boolean;
  /** How many entries the writer has handed over so far, the last ones not yet taken by the server. */
  readonly written: number;
}

/** As many frames as one write takes. */
const framesAtOnce = 1_000;

const reader = openRpc("TailLogs");
reader.end(framed(toBinary(TailLogsRequestSchema, create(TailLogsRequestSchema, { since: 1n }))));

const writer = openRpc("StreamLogs");
const frames = Buffer.concat(
  Array.from({ length: framesAtOnce }, (_, index) =>
    framed(toBinary(LogEntrySchema, originalEntryAt(index))),
  ),
);
let written = 0;
writeOn();
process.stdout.write("stalled\n");
await obeyOrders(async (): Promise<StalledReport> => ({ writerWaits: writer.writableNeedDrain, written }));

function writeOn(): void {
  do written += framesAtOnce;
  while (writer.write(frames));
  writer.once("drain", writeOn);
}

/** On a connection of its own; what comes back is not read. */
function openRpc(name: string): http2.ClientHttp2Stream {
  const stream = http2.connect(url).request({
    ":method": "POST",
    ":path": `/logsvc.LogService/${name}`,
    "content-type": "application/grpc+proto",
    te: "trailers",
  });
  stream.pause();
  stream.once("close", () => {
    throw new Error(`${name} is no longer connected`);
  });
  return stream;
}

function framed(message: Uint8Array): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}
