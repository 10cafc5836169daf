/** The one error of the filter language: text that is not a filter, and where. */

/** Text that is not a filter. Offsets count UTF-16 code units from 0. */
export class FilterSyntaxError extends Error {
  override readonly name = "FilterSyntaxError";
  /** Where the fault begins. */
  readonly start: number;
  /** Where it ends, not in it. At least `start`. */
  readonly end: number;
  /** What is wrong, and what was expected. `message` also says where. */
  readonly reason: string;

  constructor(reason: string, start: number, end: number) {
    super(`filter, character ${start + 1}: ${reason}`);
    this.reason = reason;
    this.start = start;
    this.end = end;
  }
}
