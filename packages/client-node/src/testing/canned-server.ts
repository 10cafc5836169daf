/**
 * An HTTP/2 server that says bytes, for tests of what a server of our own never
 * does: frames cut anywhere, streams that break off, nonsense.
 */
import { once } from "node:events";
import * as http2 from "node:http2";
import type { TestContext } from "node:test";
import { portOf } from "./test-server.ts";

/** Starts a server that gives each request to `serve`; it is killed after the test. Returns its URL. */
export async function startCannedServer(
  t: TestContext,
  serve: (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void,
): Promise<string> {
  const server = http2.createServer();
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  server.on("stream", (stream, headers) => {
    // A client that cancels is what some of these tests are about.
    stream.on("error", () => undefined);
    serve(stream, headers);
  });
  t.after(() => {
    server.close();
    for (const session of sessions) session.destroy();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return `http://127.0.0.1:${portOf(server.address())}`;
}

/** A frame: flags, length, message. */
export function frameOf(flags: number, message: Uint8Array | string): Buffer {
  const bytes = Buffer.from(message);
  const header = Buffer.alloc(5);
  header.writeUInt8(flags);
  header.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([header, bytes]);
}

/** How many whole frames a request has brought so far. */
export class FrameCounter {
  #bytes = Buffer.alloc(0);
  count = 0;

  add(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    let at = 0;
    while (at + 5 <= this.#bytes.length) {
      const end = at + 5 + this.#bytes.readUInt32BE(at + 1);
      if (end > this.#bytes.length) break;
      at = end;
      this.count++;
    }
    this.#bytes = this.#bytes.subarray(at);
  }
}
