/**
 * Entries that were refused for good, in a file, a JSON object a line, so that
 * a person can mend and send them:
 *
 *   {"rejectedAt":"2026-01-31T12:00:00.000Z","reason":"message: empty","entry":{"level":…,"message":…,…}}
 *
 * `entry` has the fields of LogEntry that are not empty; its timestamp is RFC
 * 3339. The file is appended to, in the background, and becomes `<file>.1` when
 * it is large: at the most there are two of that size.
 */
import { appendFileSync } from "node:fs";
import { appendFile, rename, stat } from "node:fs/promises";
import { formatTimestamp, type LogEntryInit } from "@logsvc/client";
import type { RejectedWrite } from "./log-shipper.ts";

/** A file larger than this is moved away. */
const fileBytesMax = 64 * 1024 * 1024;

/** What waits to be written. A server that refuses everything must not fill the memory. */
const waitingBytesMax = 4 * 1024 * 1024;

/** Writes refused entries to a file. */
export class DeadLetter {
  readonly #path: string;
  readonly #failed: (error: Error) => void;
  #waiting = "";
  #writing: Promise<void> | undefined;

  /** @param failed Told when entries could not be written. */
  constructor(path: string, failed: (error: Error) => void) {
    this.#path = path;
    this.#failed = failed;
  }

  add(rejection: RejectedWrite): void {
    const line = lineOf(rejection);
    if (this.#waiting.length + line.length > waitingBytesMax) {
      this.#failed(new Error(`${this.#path} is written too slowly; ${waitingBytesMax} bytes wait for it`));
      return;
    }
    this.#waiting += line;
    this.#writing ??= this.#write();
  }

  /** Resolves when everything is written, or has failed. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  /** Writes what waits at once. What is being written may come twice. */
  saveSync(): void {
    if (this.#waiting === "") return;
    try {
      appendFileSync(this.#path, this.#waiting, { mode: 0o600 });
    } catch (reason) {
      this.#failed(toError(reason));
    }
    this.#waiting = "";
  }

  async #write(): Promise<void> {
    while (this.#waiting !== "") {
      const lines = this.#waiting;
      this.#waiting = "";
      try {
        await this.#makeRoom();
        await appendFile(this.#path, lines, { mode: 0o600 });
      } catch (reason) {
        this.#failed(toError(reason));
      }
    }
    this.#writing = undefined;
  }

  async #makeRoom(): Promise<void> {
    const bytes = await stat(this.#path).then(
      ({ size }) => size,
      // Not there yet, as a rule; what else is wrong with it, appending will say.
      () => 0,
    );
    if (bytes > fileBytesMax) await rename(this.#path, `${this.#path}.1`);
  }
}

function jsonOf({ timestamp, level, service, message, traceId, spanId, attributes }: LogEntryInit): object {
  return {
    ...(timestamp && { timestamp: typeof timestamp === "bigint" ? formatTimestamp(timestamp) : timestamp }),
    ...(level && { level }),
    ...(service && { service }),
    message,
    ...(traceId && { trace_id: traceId }),
    ...(spanId && { span_id: spanId }),
    ...(attributes && Object.keys(attributes).length > 0 && { attributes }),
  };
}

/** Of what JSON can't say, such as an object that holds itself, the reason is all there is to keep. */
function lineOf({ entry, reason }: RejectedWrite): string {
  const rejectedAt = new Date();
  try {
    return `${JSON.stringify({ rejectedAt, reason, entry: jsonOf(entry) })}\n`;
  } catch {
    return `${JSON.stringify({ rejectedAt, reason, entry: null })}\n`;
  }
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason), { cause: reason });
}
