/** Trace and span ids in what loggers write, under the names that instrumentations give them. */

/** The ids of a span. */
export interface TraceIds {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId?: string;
}

const traceNames = ["trace_id", "traceId", "traceID", "traceid", "trace.id", "otelTraceID"] as const;
const spanNames = ["span_id", "spanId", "spanID", "spanid", "span.id", "otelSpanID"] as const;

const traceId = /^(?!0+$)[\da-f]{32}$/i;
const spanId = /^(?!0+$)[\da-f]{16}$/i;

/** W3C's header: version, trace id, span id, flags. */
const traceParent = /^[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-[\da-f]{2}$/i;

/**
 * Takes the ids out of named values: `trace_id`, `traceId`, `trace.id`,
 * `otelTraceID`, also nested (`trace: { id }`), and `traceparent`. What is not
 * an id stays where it is.
 */
export function takeTraceIds(fields: Record<string, unknown>): Partial<TraceIds> {
  const { traceparent } = fields;
  const [, trace, span] = typeof traceparent === "string" ? (traceParent.exec(traceparent) ?? []) : [];
  const ids = {
    traceId: take(fields, traceNames, traceId) ?? takeNested(fields, "trace", traceId),
    spanId: take(fields, spanNames, spanId) ?? takeNested(fields, "span", spanId),
  };
  if (ids.traceId === undefined && trace !== undefined) {
    delete fields["traceparent"];
    ids.traceId = trace;
    ids.spanId ??= span;
  }
  return {
    ...(ids.traceId === undefined ? {} : { traceId: ids.traceId.toLowerCase() }),
    ...(ids.spanId === undefined ? {} : { spanId: ids.spanId.toLowerCase() }),
  };
}

function take(
  fields: Record<string, unknown>,
  names: readonly string[],
  pattern: RegExp,
): string | undefined {
  for (const name of names) {
    const value = fields[name];
    if (typeof value !== "string" || !pattern.test(value)) continue;
    delete fields[name];
    return value;
  }
  return undefined;
}

/** Elastic's form: `{"trace":{"id":"…"}}`. The object may be the application's own, so it is replaced, not changed. */
function takeNested(fields: Record<string, unknown>, name: string, pattern: RegExp): string | undefined {
  const object = fields[name];
  if (typeof object !== "object" || object === null || !("id" in object)) return undefined;
  const { id, ...others } = object;
  if (typeof id !== "string" || !pattern.test(id)) return undefined;
  if (Object.keys(others).length > 0) fields[name] = others;
  else delete fields[name];
  return id;
}
