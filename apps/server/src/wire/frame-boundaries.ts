/** Cuts a stream's bytes where its frames end. */
import { Code, ConnectError } from "@connectrpc/connect";
import { frameHeaderBytes, messageLengthAt } from "@logsvc/proto";

/**
 * The same bytes, in chunks that end where a frame ends at the latest. Connect
 * decodes all frames of a chunk before it hands the first one on: were one of
 * them too long or malformed, those before it would be lost.
 *
 * @throws ConnectError InvalidArgument when the last frame has broken off, even
 *   right behind its header, which Connect takes for the stream's end.
 */
export async function* cutAtFrames(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const header = new Uint8Array(frameHeaderBytes);
  let headerBytes = 0;
  let messageBytes = 0;
  for await (const chunk of chunks) {
    let begin = 0;
    for (let at = 0; at < chunk.length; ) {
      if (headerBytes < frameHeaderBytes) {
        header[headerBytes++] = chunk[at++] ?? 0;
        if (headerBytes < frameHeaderBytes) continue;
        messageBytes = messageLengthAt(header, 0);
      }
      const taken = Math.min(messageBytes, chunk.length - at);
      at += taken;
      messageBytes -= taken;
      if (messageBytes > 0) break;
      headerBytes = 0;
      yield chunk.subarray(begin, at);
      begin = at;
    }
    if (begin < chunk.length) yield chunk.subarray(begin);
  }
  if (headerBytes > 0) throw brokenOff();
}

/** In Connect's words. */
export function brokenOff(): ConnectError {
  return new ConnectError("protocol error: incomplete envelope", Code.InvalidArgument);
}
