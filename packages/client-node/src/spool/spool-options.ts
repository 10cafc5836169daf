/** What a user says of a spool. */

/** A spool: where it is, and how far it goes. */
export interface SpoolOptions {
  /** The folder; made when it is not there. Everything in it is the spool's. */
  readonly folder: string;
  /** Bytes on disk, at the most. Default: 1 GiB, from 4 MiB. */
  readonly bytesMax?: number;
  /**
   * When what is written goes from the system's memory to the disk. Whatever it
   * is, entries in the spool survive the end of the process, also by `kill -9`.
   *
   * - "always": before the next is written; power loss loses nothing that is in the spool.
   * - "interval": once a second; power loss loses a second. The default.
   * - "never": when the system sees fit.
   */
  readonly fsync?: "always" | "interval" | "never";
}
