import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import { createNotices } from "./notices.ts";
import { createOutput } from "./output.ts";
import { useColor } from "./use-color.ts";

const never = new AbortController().signal;

test("writing waits for a slow reader", async () => {
  let release = (): void => undefined;
  const written: string[] = [];
  const stream = new Writable({
    highWaterMark: 4,
    write: (chunk, _encoding, callback) => {
      written.push(String(chunk));
      release = callback;
    },
  });
  const output = createOutput(stream, never);
  let isDone = false;
  const done = output.write("longer than four").then(() => {
    isDone = true;
  });
  await new Promise(setImmediate);
  assert.equal(isDone, false);
  release();
  await done;
  assert.deepEqual(written, ["longer than four"]);
});

test("a reader who has paused does not keep an interrupted command", async () => {
  const interruption = new AbortController();
  const output = createOutput(
    new Writable({ highWaterMark: 1, write: () => undefined }),
    interruption.signal,
  );
  const written = output.write("text");
  interruption.abort();
  await written;
  await output.flush();
});

test("a reader who has gone is no error, and ends the waiting", async () => {
  const gone = Object.assign(new Error("write EPIPE"), { code: "EPIPE" });
  const stream = new Writable({ highWaterMark: 1, write: (_chunk, _encoding, callback) => callback(gone) });
  const output = createOutput(stream, never);
  await output.write("text");
  assert.ok(output.closed.aborted);
  await output.write("more");
  await output.flush();
});

test("another failure of the output is told", async () => {
  const full = Object.assign(new Error("no space left"), { code: "ENOSPC" });
  const output = createOutput(
    new Writable({ write: (_chunk, _encoding, callback) => callback(full) }),
    never,
  );
  await output.write("text");
  await new Promise(setImmediate);
  await assert.rejects(output.write("more"), /standard output: no space left/);
  await output.flush();
});

test("a failure of the last write is told by the flush", async () => {
  const full = Object.assign(new Error("no space left"), { code: "ENOSPC" });
  const output = createOutput(
    new Writable({ write: (_chunk, _encoding, callback) => callback(full) }),
    never,
  );
  await output.write("text");
  await assert.rejects(output.flush(), /standard output: no space left/);
  assert.ok(output.closed.aborted);
});

function createMemory(): { stream: Writable; text: () => string } {
  const chunks: string[] = [];
  const stream = new Writable({
    write: (chunk, _encoding, callback) => {
      chunks.push(String(chunk));
      callback();
    },
  });
  return { stream, text: () => chunks.join("") };
}

test("progress is drawn on a terminal only, and makes way for notices", () => {
  const screen = createMemory();
  const notices = createNotices(screen.stream, { isTerminal: true, quiet: false });
  notices.progress(() => "half");
  notices.notice("note");
  assert.equal(screen.text(), "\r\u001b[Khalf\r\u001b[Knote\n");
  const file = createMemory();
  createNotices(file.stream, { isTerminal: false, quiet: false }).progress(() => "half");
  assert.equal(file.text(), "");
});

test("quiet leaves warnings", () => {
  const { stream, text } = createMemory();
  const notices = createNotices(stream, { isTerminal: true, quiet: true });
  notices.notice("note");
  notices.progress(() => "half");
  notices.warn("warning");
  assert.equal(text(), "warning\n");
});

test("colours: the flag, then the variables, then the terminal", () => {
  assert.equal(useColor("always", false, { NO_COLOR: "1" }), true);
  assert.equal(useColor("never", true, { FORCE_COLOR: "1" }), false);
  assert.equal(useColor("auto", true, { NO_COLOR: "1", FORCE_COLOR: "1" }), false);
  assert.equal(useColor("auto", false, { FORCE_COLOR: "1" }), true);
  assert.equal(useColor("auto", true, { NO_COLOR: "" }), true);
  assert.equal(useColor("auto", true, { TERM: "dumb" }), false);
  assert.equal(useColor("auto", false, {}), false);
});

test("notices are harmless for a terminal, whatever they quote", () => {
  const { stream, text } = createMemory();
  const notices = createNotices(stream, { isTerminal: true, quiet: false });
  notices.warn("a\u001b[2Jb");
  notices.progress(() => "c\u009bd");
  assert.equal(text(), "a\\x1b[2Jb\n\r\u001b[Kc\\x9bd");
});

test("progress stays on one line of the screen, however narrow that becomes", () => {
  const { stream, text } = createMemory();
  const narrow = createNotices(stream, { isTerminal: true, quiet: false, columns: () => 10 });
  narrow.progress((columns) => `${columns} of them: a long line`);
  assert.equal(text(), "\r\u001b[K9 of them");
});
