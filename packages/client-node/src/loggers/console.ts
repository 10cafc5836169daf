/**
 * The console: what a program prints with it is shipped as well.
 *
 *   const capture = captureConsole(console, { url });
 *   // …
 *   await capture.restore();
 *
 * | method | level |
 * | --- | --- |
 * | `trace`, `debug` | DEBUG |
 * | `log`, `info` | INFO |
 * | `warn` | WARN |
 * | `error`, `assert` that fails | ERROR |
 *
 * The message is what is printed. Errors among the arguments are attributes too
 * (`err.type`, `err.message`, `err.stack`).
 */
import { format } from "node:util";
import type { LogEntryInit } from "@logsvc/client";
import type { LogShipper } from "../shipper/log-shipper.ts";
import { flattenAttributes } from "./attributes.ts";
import type { TraceContext } from "./otel.ts";
import { type AdapterTarget, openTarget } from "./shipper-source.ts";

/** Options of captureConsole: those of a shipper of its own, or a shipper. */
export type CaptureConsoleOptions = AdapterTarget & {
  /** Prints as before, too. Default: true. */
  readonly prints?: boolean;
  /** Adds the ids of the active span, see otel.ts. */
  readonly traceContext?: TraceContext;
};

/** A console that is captured. */
export interface ConsoleCapture {
  readonly shipper: LogShipper;
  /** Gives the console its own methods back, flushes, and closes a shipper of its own. */
  restore(): Promise<void>;
}

const methods = ["trace", "debug", "log", "info", "warn", "error"] as const;
type Method = (typeof methods)[number];

/** What is wrapped of a console. */
export type CapturedConsole = Record<Method, (...values: unknown[]) => void> & {
  assert(condition?: boolean, ...values: unknown[]): void;
};

const levels: Readonly<Record<Method, string>> = {
  trace: "DEBUG",
  debug: "DEBUG",
  log: "INFO",
  info: "INFO",
  warn: "WARN",
  error: "ERROR",
};

/**
 * Captures a console. Several captures of one console are taken back in any order.
 *
 * @throws As createShipper.
 */
export function captureConsole(target: CapturedConsole, options: CaptureConsoleOptions): ConsoleCapture {
  const { prints = true, traceContext, ...shipping } = options;
  const { shipper, end } = openTarget(shipping);
  let isCapturing = true;
  // Methods of the console call others, and a listener of the shipper's may print: that is no word of the program's.
  let isInside = false;
  const capture = (level: string | undefined, values: readonly unknown[], print: () => void): void => {
    if (isInside || !isCapturing) {
      print();
      return;
    }
    isInside = true;
    try {
      if (level !== undefined) shipper.write({ ...traceContext?.(), ...consoleEntry(level, values) });
      if (prints) print();
    } finally {
      isInside = false;
    }
  };
  const undo: (() => void)[] = [];
  for (const method of methods) {
    const original = target[method];
    const wrapper = (...values: unknown[]): void => {
      capture(levels[method], values, () => original.apply(target, values));
    };
    target[method] = wrapper;
    undo.push(() => {
      // Somebody may have wrapped it since; then ours stays below, and only passes on.
      if (target[method] === wrapper) target[method] = original;
    });
  }
  const { assert } = target;
  const wrapper = (condition?: boolean, ...values: unknown[]): void => {
    const message = values.length === 0 ? ["Assertion failed"] : ["Assertion failed:", ...values];
    capture(condition ? undefined : "ERROR", message, () => assert.call(target, condition, ...values));
  };
  target.assert = wrapper;
  undo.push(() => {
    if (target.assert === wrapper) target.assert = assert;
  });
  return {
    shipper,
    restore: async () => {
      for (const step of undo) step();
      isCapturing = false;
      await end();
    },
  };
}

function consoleEntry(level: string, values: readonly unknown[]): LogEntryInit {
  const message = format(...values);
  const err = values.find((value) => value instanceof Error);
  // An empty line is printed, and says nothing.
  return {
    level,
    message: message === "" ? " " : message,
    ...(err === undefined ? {} : { attributes: flattenAttributes({ err }) }),
  };
}
