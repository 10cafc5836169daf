/**
 * Tails at the lowest cost for their reader: Connect's protocol on Node's
 * HTTP/2 client by hand. Frames are looked through for the entries' timestamps;
 * nothing is decoded. Each tail's entries must come in their order, none twice.
 */
import http2 from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { TailLogsRequestSchema } from "@logsvc/proto";
import { sharedClockMs } from "./orders.ts";

/** Field numbers of TailLogsResponse, StoredEntry and LogEntry. */
const fields = { entries: 2, opened: 3, heartbeat: 4, gap: 5, entry: 2, timestamp: 3 } as const;

const frameHeaderBytes = 5;
const endFlag = 2;

/** Enough that flow control is the server's business alone. */
const windowBytes = 64 * 1024 * 1024;

/** Tails over a few connections. */
export class FrameTails {
  readonly #url: string;
  readonly #arrive: (timestamp: bigint, at: number) => void;
  #silences: number[] = [];

  /** @param arrive Told of every entry that arrives. */
  constructor(url: string, arrive: (timestamp: bigint, at: number) => void) {
    this.#url = url;
    this.#arrive = arrive;
  }

  /** Opens tails, and resolves when the server has said of all that they are open. */
  async open(wanted: { tails: number; connections: number; filters: readonly string[] }): Promise<void> {
    const sessions = Array.from({ length: wanted.connections }, () => {
      const session = http2.connect(this.#url, { settings: { initialWindowSize: windowBytes } });
      session.once("connect", () => session.setLocalWindowSize(windowBytes));
      return session;
    });
    const opened: Promise<void>[] = [];
    for (let index = 0; index < wanted.tails; index++) {
      const session = sessions[index % sessions.length];
      const filter = wanted.filters[index % wanted.filters.length] ?? "";
      if (session !== undefined) opened.push(this.#openTail(session, filter));
    }
    await Promise.all(opened);
  }

  /** How long each tail was silent between two messages since the last call, in milliseconds. */
  takeSilences(): number[] {
    return this.#silences.splice(0);
  }

  #openTail(session: http2.ClientHttp2Session, filter: string): Promise<void> {
    const stream = session.request({
      ":method": "POST",
      ":path": "/logsvc.LogService/TailLogs",
      "content-type": "application/connect+proto",
      "connect-protocol-version": "1",
    });
    const request = toBinary(TailLogsRequestSchema, create(TailLogsRequestSchema, { filter }));
    const header = Buffer.alloc(frameHeaderBytes);
    header.writeUInt32BE(request.length, 1);
    stream.end(Buffer.concat([header, request]));
    const opened = Promise.withResolvers<void>();
    const tail = { lastTimestamp: 0n, heardAt: sharedClockMs(), opened: opened.resolve };
    let rest: Buffer = Buffer.alloc(0);
    stream.on("data", (chunk: Buffer) => {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      rest = bytes.subarray(this.#readFrames(bytes, tail));
    });
    stream.once("error", opened.reject);
    return opened.promise;
  }

  /** Reads the whole frames, and returns where the rest begins. */
  #readFrames(bytes: Buffer, tail: OpenTail): number {
    const at = sharedClockMs();
    let start = 0;
    while (bytes.length - start >= frameHeaderBytes) {
      const end = start + frameHeaderBytes + bytes.readUInt32BE(start + 1);
      if (bytes.length < end) break;
      const message = bytes.subarray(start + frameHeaderBytes, end);
      if (((bytes[start] ?? 0) & endFlag) !== 0) throw new Error(`a tail ended: ${message.toString()}`);
      this.#readMessage(message, tail, at);
      start = end;
    }
    return start;
  }

  #readMessage(message: Uint8Array, tail: OpenTail, at: number): void {
    this.#silences.push(at - tail.heardAt);
    tail.heardAt = at;
    const reader = new BinaryReader(message);
    while (reader.pos < reader.len) {
      const [field, wireType] = reader.tag();
      if (field === fields.entries) {
        const end = reader.uint32() + reader.pos;
        const timestamp = timestampUntil(reader, end);
        if (timestamp <= tail.lastTimestamp) throw new Error(`${timestamp} came after ${tail.lastTimestamp}`);
        tail.lastTimestamp = timestamp;
        this.#arrive(timestamp, at);
      } else {
        if (field === fields.gap) throw new Error("a tail has a gap");
        if (field === fields.opened) tail.opened();
        reader.skip(wireType);
      }
    }
  }
}

interface OpenTail {
  lastTimestamp: bigint;
  heardAt: number;
  readonly opened: () => void;
}

/** The timestamp of the StoredEntry that ends at `end`. */
function timestampUntil(reader: BinaryReader, end: number): bigint {
  let timestamp = 0n;
  while (reader.pos < end) {
    const [field, wireType] = reader.tag();
    if (field !== fields.entry) {
      reader.skip(wireType);
      continue;
    }
    const entryEnd = reader.uint32() + reader.pos;
    while (reader.pos < entryEnd) {
      const [entryField, entryWireType] = reader.tag();
      if (entryField === fields.timestamp) timestamp = BigInt(reader.int64());
      else reader.skip(entryWireType);
    }
  }
  return timestamp;
}
