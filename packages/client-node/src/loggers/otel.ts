/**
 * The active span's ids, from OpenTelemetry's API where the application has it.
 * It is handed in, so nothing here depends on it:
 *
 *   import { trace } from "@opentelemetry/api";
 *   const traceContext = openTelemetryContext(trace);
 *
 * Adapters that run beside the application take it as an option. pino's
 * transport runs in a worker, where no span is active, so there it is pino's
 * `mixin`: `pino({ mixin: traceMixin(traceContext) }, transport)`.
 */
import type { TraceIds } from "./trace-ids.ts";

/** Tells the ids of the span that is active now; undefined when none is. */
export type TraceContext = () => TraceIds | undefined;

/** What is used of OpenTelemetry's `trace`. */
export interface OpenTelemetryTrace {
  getActiveSpan(): { spanContext(): { readonly traceId: string; readonly spanId: string } } | undefined;
}

/** The ids of a span that is not recorded are zeros. */
const zeros = /^0*$/;

/** The active span of OpenTelemetry. */
export function openTelemetryContext(trace: OpenTelemetryTrace): TraceContext {
  return () => {
    const context = trace.getActiveSpan()?.spanContext();
    if (context === undefined || zeros.test(context.traceId)) return undefined;
    const { traceId, spanId } = context;
    return { traceId, ...(zeros.test(spanId) ? {} : { spanId }) };
  };
}

/** A `mixin` for pino that adds `trace_id` and `span_id` to each line. */
export function traceMixin(context: TraceContext): () => Record<string, string> {
  return () => {
    const ids = context();
    if (ids === undefined) return {};
    return { trace_id: ids.traceId, ...(ids.spanId === undefined ? {} : { span_id: ids.spanId }) };
  };
}

export type { TraceIds } from "./trace-ids.ts";
