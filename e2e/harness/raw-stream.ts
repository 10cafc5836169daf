/**
 * One HTTP/2 request by `node:http2` alone, for what no well-behaved client
 * does: garbage, lies about lengths, a reader that stops reading.
 */
import { type ClientHttp2Stream, connect, type IncomingHttpHeaders } from "node:http2";
import type { TestContext } from "node:test";
import { decodeEnvelopes, type Envelope } from "./envelope.ts";

/** A request whose answer is gathered as it comes. */
export interface RawStream {
  readonly stream: ClientHttp2Stream;
  /** The whole envelopes received so far. */
  envelopes(): Envelope[];
  /** Resolves with the answer's headers and trailers together, when it has ended. */
  readonly ended: Promise<IncomingHttpHeaders>;
}

/** Opens a POST request on a connection of its own, which ends with the test. */
export function openRawStream(t: TestContext, url: string, path: string, contentType: string): RawStream {
  const session = connect(url, { rejectUnauthorized: false });
  // The stream tells of the same error.
  session.on("error", () => undefined);
  t.after(() => session.destroy());
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": contentType,
    te: "trailers",
    "connect-protocol-version": "1",
  });
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  return { stream, envelopes: () => decodeEnvelopes(Buffer.concat(chunks)), ended: endOf(stream) };
}

function endOf(stream: ClientHttp2Stream): Promise<IncomingHttpHeaders> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingHttpHeaders>();
  let headers: IncomingHttpHeaders = {};
  stream.on("response", (received) => {
    headers = { ...headers, ...received };
  });
  stream.on("trailers", (received) => {
    headers = { ...headers, ...received };
  });
  stream.once("error", reject);
  // The trailers come before it. A stream that is cut has no end, only a close.
  stream.once("end", () => resolve(headers));
  stream.once("close", () => resolve(headers));
  // Who awaits it sees the error; a stream that a test leaves open may end as it likes.
  promise.catch(() => undefined);
  return promise;
}
