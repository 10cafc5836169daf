/**
 * A log with all that the dashboard has a look for: every level and one of the
 * user's own, JSON, colours, a stack trace, long lines, attributes and a trace;
 * as a shop of five services writes in an hour.
 */
import type { TestContext } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { LogEntrySchema } from "@logsvc/proto";
import { connectRpc } from "../harness/rpc.ts";
import type { Server } from "../harness/server.ts";

/** The trace of the failed request. */
export const failedTraceId = "4bf92f3577b34da6a3ce929d0e0e4736";

/** What the failed request wrote: colours, JSON and frames in one message. */
export const failure = [
  '\u001b[31mrequest failed\u001b[0m {"user":{"id":12345678901234567890},"ok":false}',
  "TypeError: Cannot read properties of undefined (reading 'total')",
  "    at chargeCard (/srv/billing/src/charge-card.ts:41:13)",
  "    at processTicksAndRejections (node:internal/process/task_queues:105:5)",
  "    at next (/srv/billing/node_modules/express/lib/router.js:95:5)",
].join("\n");

const entryCount = 6_000;
const hourMs = 3_600_000;

type Fields = MessageInitShape<typeof LogEntrySchema>;

const services = ["checkout", "web", "auth", "billing", "inventory-sync"];
const paths = ["/", "/cart", "/api/v1/orders", "/api/v1/users/me", "/search?q=shoes"];

/** Entries one after the other, the rich ones among the last forty. */
export async function writeShowcase(t: TestContext, server: Server): Promise<void> {
  const rpc = connectRpc(t, server.url);
  const startMs = Date.now() - hourMs;
  const entries = Array.from({ length: entryCount }, (_, index) =>
    create(LogEntrySchema, rich.get(entryCount - index) ?? usual(index)),
  );
  entries.forEach((entry, index) => {
    entry.timestamp = BigInt(startMs + Math.floor((index * hourMs) / entryCount)) * 1_000_000n;
  });
  await rpc.writeLogs({ entries });
}

/** By how many entries before the end. */
const rich = new Map<number, Fields>([
  [
    12,
    {
      level: "ERROR",
      service: "billing",
      message: failure,
      traceId: failedTraceId,
      spanId: "00f067aa0ba902b7",
      attributes: { method: "POST", path: "/api/v1/orders", status: "500", payload: '{"cart":[1,2,3]}' },
    },
  ],
  [14, { level: "FATAL", service: "inventory-sync", message: "out of memory: killed process 4711 (worker)" }],
  [17, { level: "TRACE", service: "auth", message: "session 8f3a renewed for another 3600 s" }],
  [19, { level: "AUDIT", service: "auth", message: "role of user-17 changed from viewer to admin" }],
  [
    21,
    {
      level: "INFO",
      service: "web",
      message:
        '{"event":"page_view","user":{"id":42,"plan":"pro"},"tags":["a","b"],"durationMs":12.5,"cached":true}',
      attributes: { method: "GET", path: "/", status: "200" },
    },
  ],
  [23, { level: "DEBUG", service: "checkout", message: `cart recomputed: ${"item, ".repeat(60)}done` }],
  [25, { level: "WARN", service: "", message: "\u001b[1;33mretrying\u001b[0m in \u001b[36m250ms\u001b[0m" }],
]);

function usual(index: number): Fields {
  const pick = (list: readonly string[], step: number): string =>
    list[Math.floor((index * 7919) / step) % list.length] ?? "";
  const path = pick(paths, 5);
  const level = index % 61 === 0 ? "ERROR" : index % 17 === 0 ? "WARN" : index % 5 === 0 ? "DEBUG" : "INFO";
  return {
    level,
    service: pick(services, 3),
    message: level === "ERROR" ? `timeout while calling ${path}` : `served ${path}`,
    attributes: {
      method: index % 4 === 0 ? "POST" : "GET",
      path,
      status: level === "ERROR" ? "504" : "200",
      user: `user-${index % 500}`,
      duration: `${(index * 31) % 900}ms`,
    },
  };
}
