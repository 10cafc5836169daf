/** A range from–to while it is typed: what it means, or which field is wrong and why. */
import type { ViewRange } from "../view/view-state.ts";
import { parseTime, type TimeContext, TimeSyntaxError } from "./time-text.ts";

/** What stands in the two fields. */
export interface RangeDraft {
  readonly from: string;
  readonly to: string;
}

/** Which field is wrong, and why. */
export interface RangeFault {
  readonly field: keyof RangeDraft;
  readonly message: string;
}

/** The range, or the first fault. An empty end is now. */
export function readRangeDraft(draft: RangeDraft, context: TimeContext): ViewRange | RangeFault {
  const start = read("from", draft.from, context);
  if (typeof start !== "bigint") return start;
  const end = read("to", draft.to.trim() === "" ? "now" : draft.to, context);
  if (typeof end !== "bigint") return end;
  if (end > start) return { kind: "between", start, end };
  const problem = end === start ? "the same time as" : "before";
  return {
    field: "to",
    message: `To: "${draft.to.trim() || "now"}" is ${problem} From, "${draft.from.trim()}"`,
  };
}

/** Whether it is a fault, and no range. */
export function isRangeFault(result: ViewRange | RangeFault): result is RangeFault {
  return "field" in result;
}

function read(field: keyof RangeDraft, text: string, context: TimeContext): bigint | RangeFault {
  try {
    return parseTime(text, context);
  } catch (error) {
    if (!(error instanceof TimeSyntaxError)) throw error;
    return { field, message: `${field === "from" ? "From" : "To"}: ${error.message}` };
  }
}
