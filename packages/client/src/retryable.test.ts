import assert from "node:assert/strict";
import test from "node:test";
import { create } from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { FilterErrorSchema, RetryInfoSchema } from "@logsvc/proto";
import { backoffMs, backoffMsMax, backoffMsMin } from "./backoff.ts";
import { filterErrorOf, isRetryable, retryDelayMs } from "./retryable.ts";

function errorWithRetryInfo(code: Code, seconds: bigint, nanos = 0): ConnectError {
  const retryDelay = create(DurationSchema, { seconds, nanos });
  return new ConnectError("later", code, undefined, [{ desc: RetryInfoSchema, value: { retryDelay } }]);
}

test("a retry helps against the network, not against a wrong request", () => {
  const helped = [
    Code.Unavailable,
    Code.Aborted,
    Code.Canceled,
    Code.DeadlineExceeded,
    Code.Internal,
    Code.Unknown,
  ];
  for (let code = Code.Canceled; code <= Code.Unauthenticated; code++) {
    assert.equal(isRetryable(new ConnectError("x", code)), helped.includes(code), Code[code]);
  }
  assert.equal(isRetryable(new TypeError("fetch failed")), true);
});

test("a body cut short is retried although Connect calls it InvalidArgument", () => {
  const cut = new ConnectError("protocol error: missing EndStreamResponse", Code.InvalidArgument);
  assert.equal(isRetryable(cut), true);
});

test("ResourceExhausted is retried when the server says when, or HTTP/2 said it", () => {
  assert.equal(isRetryable(errorWithRetryInfo(Code.ResourceExhausted, 1n)), true);
  const calm = "http/2 stream closed with error code ENHANCE_YOUR_CALM (0xb)";
  assert.equal(isRetryable(new ConnectError(calm, Code.ResourceExhausted)), true);
});

test("the server's retry delay is read in milliseconds", () => {
  assert.equal(retryDelayMs(errorWithRetryInfo(Code.Unavailable, 2n, 500_000_000)), 2_500);
  assert.equal(retryDelayMs(new ConnectError("x", Code.Unavailable)), undefined);
});

test("a filter's fault is read with its place", () => {
  const value = { start: 3, end: 5, reason: "expected a word" };
  const error = new ConnectError("x", Code.InvalidArgument, undefined, [{ desc: FilterErrorSchema, value }]);
  const { start, end, reason } = filterErrorOf(error) ?? {};
  assert.deepEqual({ start, end, reason }, value);
  assert.equal(filterErrorOf(new ConnectError("x", Code.InvalidArgument)), undefined);
});

test("back-off stays within its bounds, grows, and honours the server", () => {
  const error = new ConnectError("x", Code.Unavailable);
  for (let attempt = 1; attempt <= 2_000; attempt++) {
    assert.equal(backoffMs(error, attempt, 0), backoffMsMin);
    const highest = backoffMs(error, attempt, 1);
    assert.ok(highest <= backoffMsMax && highest >= Math.min(backoffMsMax, backoffMsMin * 2), `${highest}`);
  }
  assert.equal(backoffMs(error, 1, 1), 500);
  assert.equal(backoffMs(error, 3, 1), 2_000);
  assert.equal(backoffMs(error, 12, 1), backoffMsMax);
  assert.equal(backoffMs(errorWithRetryInfo(Code.Unavailable, 7n), 1, 0), 7_000);
  assert.equal(backoffMs(errorWithRetryInfo(Code.Unavailable, 700n), 1, 0), backoffMsMax);
});
