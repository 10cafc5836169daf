/** Batches of too many entries are refused before they are decoded: behind the entries comes what can't be. */
import assert from "node:assert/strict";
import { once } from "node:events";
import http2 from "node:http2";
import { type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import { fromBinary } from "@bufbuild/protobuf";
import {
  compressedFlag,
  EncodedBatchSchema,
  frameHeaderBytes,
  limits,
  writeFrameHeader,
} from "@logsvc/proto";
import fc from "fast-check";
import { startServer } from "../testing/start-server.ts";
import { type MessageFormat, startCount } from "./entry-count.ts";

const tooMany = limits.batchEntriesMax + 1;
const refusal = `entries: at most ${limits.batchEntriesMax} in a batch, got ${tooMany}`;

/** Too many entries, and then a field that breaks off. Undecoded they can't be told from a batch. */
const messages: Readonly<Record<MessageFormat, Buffer>> = {
  binary: Buffer.concat([Buffer.alloc(2 * tooMany, Buffer.of(0x0a, 0)), Buffer.of(0x12, 0x7f)]),
  json: Buffer.from(`{"producerId":"[{\\"","entries":[${'{"attributes":{}},'.repeat(tooMany - 1)}{}`),
};

function frame(message: Uint8Array, flags: number): Buffer {
  const header = new Uint8Array(frameHeaderBytes);
  writeFrameHeader(header, 0, flags, message.length);
  return Buffer.concat([header, message]);
}

interface Sent {
  readonly path: string;
  readonly headers: http2.OutgoingHttpHeaders;
  readonly body: Uint8Array;
}

/** All words of an answer: its trailers, and its body, which may hold them too. gRPC escapes them. */
async function answerTo(t: TestContext, url: string, { path, headers, body }: Sent): Promise<string> {
  const session = http2.connect(url);
  t.after(() => session.destroy());
  const stream = session.request({
    ":method": "POST",
    ":path": `/logsvc.LogService/${path}`,
    te: "trailers",
    ...headers,
  });
  let words = "";
  const note = (fields: http2.IncomingHttpHeaders): void => {
    words += `${fields["grpc-message"] ?? ""} ${fields["grpc-status"] ?? ""} `;
  };
  stream.on("response", note);
  stream.on("trailers", note);
  stream.on("data", (chunk: Buffer) => (words += chunk.toString("latin1")));
  stream.end(body);
  await once(stream, "close");
  return words.replaceAll(/%([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

const unaryTypes = { binary: "application/proto", json: "application/json" } as const;

for (const format of ["binary", "json"] as const) {
  const suffix = format === "json" ? "json" : "proto";
  const message = messages[format];
  const zipped = gzipSync(message);

  test(`too many entries in ${format}, in frames`, { timeout: 60_000 }, async (t) => {
    const { url, engine } = await startServer(t);
    const head = engine.head();
    for (const path of ["WriteLogs", "UploadLogs", "ShipLogs"]) {
      for (const protocol of ["grpc", "grpc-web", "connect"]) {
        if (path === "WriteLogs" && protocol === "connect") continue;
        const headers = { "content-type": `application/${protocol}+${suffix}` };
        const encoding = protocol === "connect" ? "connect-content-encoding" : "grpc-encoding";
        const plain = await answerTo(t, url, { path, headers, body: frame(message, 0) });
        assert(plain.includes(refusal), `${protocol} ${path}: ${plain}`);
        const compressed = await answerTo(t, url, {
          path,
          headers: { ...headers, [encoding]: "gzip" },
          body: frame(zipped, compressedFlag),
        });
        assert(compressed.includes(refusal), `${protocol} ${path}, compressed: ${compressed}`);
      }
    }
    assert.equal(engine.head(), head);
  });

  test(`too many entries in ${format}, in a body of their own`, async (t) => {
    const { url } = await startServer(t);
    const headers = { "content-type": unaryTypes[format] };
    for (const [sent, body] of [
      [headers, message],
      [{ ...headers, "content-encoding": "identity" }, message],
      [{ ...headers, "content-encoding": "gzip" }, zipped],
    ] as const) {
      const answer = await answerTo(t, url, { path: "WriteLogs", headers: sent, body });
      assert(answer.includes(refusal) && answer.includes("resource_exhausted"), answer);
    }
  });
}

test("what comes before too many entries is stored and answered", async (t) => {
  const { url, engine } = await startServer(t);
  const head = engine.head();
  const good = frame(Buffer.of(0x0a, 3, 0x12, 1, 0x61), 0);
  const sent = { path: "ShipLogs", headers: { "content-type": "application/connect+proto" } };
  const answer = await answerTo(t, url, { ...sent, body: Buffer.concat([good, frame(messages.binary, 0)]) });
  assert(answer.includes(refusal), answer);
  const upload = { path: "UploadLogs", headers: { "content-type": "application/grpc" } };
  await answerTo(t, url, { ...upload, body: Buffer.concat([good, frame(messages.binary, 0)]) });
  assert.equal(engine.lag(head), 2);
});

test("as many entries as may be are taken", async (t) => {
  const { url } = await startServer(t);
  const count = limits.batchEntriesMax;
  for (const [headers, body] of [
    [{ "content-type": unaryTypes.binary }, Buffer.alloc(2 * count, Buffer.of(0x0a, 0))],
    [{ "content-type": unaryTypes.json }, Buffer.from(`{"entries":[${"{},".repeat(count - 1)}{}]}`)],
  ] as const) {
    const answer = await answerTo(t, url, { path: "WriteLogs", headers, body });
    assert(!answer.includes("resource_exhausted"), answer.slice(0, 200));
  }
});

/** What is counted, however the bytes are cut. */
function countIn(bytes: Uint8Array, format: MessageFormat, pieceBytes: number): number {
  const count = startCount(format);
  for (let at = 0; at < bytes.length; at += pieceBytes) count.add(bytes.subarray(at, at + pieceBytes));
  return count.take();
}

const pieces = fc.integer({ min: 1, max: 40 });

test("what protobuf decodes is counted as it decodes it", () => {
  const field = fc.oneof(
    fc.constantFrom([0x0a, 0], [0x0a, 2, 0x0a, 0], [0x0a, 0x81, 0, 7], [0x08, 1, 9], [0x8a, 0, 0], [0x18, 5]),
    fc.constantFrom(
      [0x12, 1, 0x0a],
      [0x1a, 0x80, 1],
      [0x20, 0x8a, 0],
      [0x25, 10, 0, 10, 0],
      [0x2a, 2, 10, 0],
    ),
    fc.constantFrom([0x29, 10, 0, 10, 0, 10, 0, 10, 0], [0x33, 0x0a, 0, 0x08, 10, 0x3b, 0x3c, 0x34]),
    fc.uint8Array({ maxLength: 3 }).map((bytes) => [...bytes]),
  );
  let decoded = 0;
  fc.assert(
    fc.property(fc.array(field, { maxLength: 12 }), pieces, (fields, pieceBytes) => {
      const bytes = Uint8Array.from(fields.flat());
      let entries: number;
      try {
        entries = fromBinary(EncodedBatchSchema, bytes).entries.length;
      } catch {
        // What can't be decoded has no number of entries; that it is counted without a fault is enough.
        countIn(bytes, "binary", pieceBytes);
        return;
      }
      decoded += 1;
      assert.equal(countIn(bytes, "binary", pieceBytes), entries);
    }),
    { numRuns: 3_000 },
  );
  assert(decoded > 500, `${decoded} could be decoded`);
});

test("entries in JSON are counted, whatever their texts hold", () => {
  const text = fc.oneof(fc.string(), fc.constantFrom('"', "\\", '\\"', "{[", "]}", "grüße"));
  const entry = fc.record({ message: text, attributes: fc.dictionary(text, text) }, { requiredKeys: [] });
  const batch = fc.record({ producerId: text, entries: fc.array(entry) }, { requiredKeys: [] });
  fc.assert(
    fc.property(batch, pieces, fc.constantFrom(undefined, 2), (value, pieceBytes, indent) => {
      const bytes = Buffer.from(JSON.stringify(value, undefined, indent));
      assert.equal(countIn(bytes, "json", pieceBytes), value.entries?.length ?? 0);
    }),
  );
});

test("objects and lists that no batch has count as entries do", () => {
  const many = (one: string): string => Array(1_000).fill(one).join();
  for (const json of [
    `[${many("{}")}]`,
    `{"entries":[[${many("{}")}]]}`,
    `{"entries":[{"message":[${many("[]")}]}]}`,
  ]) {
    assert(countIn(Buffer.from(json), "json", 7) >= 999, json.slice(0, 40));
  }
});
