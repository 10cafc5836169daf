/**
 * Fingerprints: a hash of the beginning of a file, and of what stands before a
 * position in it. By both a file is known again under another name, as a copy
 * and packed, and it shows when it no longer holds what was read of it.
 */
import { createHash } from "node:crypto";

/** So many bytes, and their hash. */
export interface Print {
  readonly bytes: number;
  /** SHA-256 in hex. */
  readonly hash: string;
}

/** Of a file's beginning, at the most. */
export const headBytesMax = 1024;

/** Before a position, at the most. */
export const tailBytesMax = 256;

/** The print of all these bytes. */
export function printOf(bytes: Uint8Array): Print {
  return { bytes: bytes.length, hash: createHash("sha256").update(bytes).digest("hex") };
}

/** Whether a file that begins with these bytes begins as the print says. */
export function beginsAs(head: Uint8Array, print: Print): boolean {
  return head.length >= print.bytes && printOf(head.subarray(0, print.bytes)).hash === print.hash;
}

/** Whether bytes end as the print says. */
export function endsAs(bytes: Uint8Array, print: Print): boolean {
  if (bytes.length < print.bytes) return false;
  return printOf(bytes.subarray(bytes.length - print.bytes)).hash === print.hash;
}
