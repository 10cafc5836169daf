/** Cuts a stream's bytes where its frames end. */
import { Code, ConnectError } from "@connectrpc/connect";
import { compressedFlag, frameHeaderBytes, messageLengthAt } from "@logsvc/proto";
import { checkCounted, type EntryCount } from "./entry-count.ts";

/**
 * The same bytes, in chunks that end where a frame ends at the latest. Connect
 * decodes all frames of a chunk before it hands the first one on: were one of
 * them too long or malformed, those before it would be lost.
 *
 * @param count Counts the entries of each message that is not compressed, where they are batches.
 * @throws ConnectError InvalidArgument when the last frame has broken off, even
 *   right behind its header, which Connect takes for the stream's end;
 *   ResourceExhausted before the end of a batch with too many entries.
 */
export async function* cutAtFrames(
  chunks: AsyncIterable<Uint8Array>,
  count?: EntryCount,
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
      const message = chunk.subarray(at, at + messageBytes);
      const isPlain = ((header[0] ?? 0) & compressedFlag) === 0;
      if (isPlain) count?.add(message);
      at += message.length;
      messageBytes -= message.length;
      if (messageBytes > 0) break;
      headerBytes = 0;
      if (isPlain && count !== undefined) checkCounted(count);
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
