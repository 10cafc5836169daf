/**
 * Two bad clients of one server: `URL`. One asks for the whole log and reads
 * none of it; the other sends entries as long as they are taken, and never
 * reads an answer.
 */
import http2 from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import { LogEntrySchema, TailLogsRequestSchema } from "@logsvc/proto";
import { originalEntryAt } from "../entries.ts";
import { url } from "./orders.ts";

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
writeOn();
process.stdout.write("stalled\n");
process.stdin.resume();
process.stdin.once("end", () => process.exit(0));

function writeOn(): void {
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
  return stream;
}

function framed(message: Uint8Array): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}
