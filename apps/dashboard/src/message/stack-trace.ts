/**
 * Stack traces as the runtimes print them:
 *
 *   JavaScript, .NET   Error: …             ⏎     at f (file.js:1:2)
 *   Java, Kotlin       x.y.Exception: …     ⏎ \tat x.y.Z.f(Z.java:1)   Caused by: …   ... 12 more
 *   Python             Traceback (most …):  ⏎   File "f.py", line 1, in f  ⏎     code  ⏎ ValueError: …
 *   Go                 panic: … goroutine 1 [running]:  ⏎ main.f(…)  ⏎ \t/f.go:1 +0x1
 *
 * A trace is a run of lines of which at least two are of this form. Lines of
 * other text, before and after, are not taken.
 */
import type { StackLine } from "./message-parts.ts";

/** Longer lines are none of a trace; patterns are not tried on them. */
const lineLengthMax = 2_000;

/** The lines of the trace that begins at `start`; none when there is none. */
export function stackLines(lines: readonly string[], start: number): readonly StackLine[] {
  const first = lineAt(lines, start);
  if (first === undefined) return [];
  if (first.startsWith("Traceback (most recent call last):")) return pythonTrace(lines, start);
  if (goroutinePattern.test(first) || first.startsWith("panic: ")) return goTrace(lines, start);
  return atTrace(lines, start);
}

function lineAt(lines: readonly string[], at: number): string | undefined {
  const line = lines[at];
  return line !== undefined && line.length <= lineLengthMax ? line : undefined;
}

// A place in a file or brackets end a frame, so that "  at noon" is none.
const atPattern = /^\s+at \S.*[)\d]$/;
const morePattern = /^\s*\.\.\. \d+ (?:more|common frames omitted)/;
const causePattern = /^\s*(?:Caused by: |Suppressed: |\[cause\]: |--- End of )/;
const libraryAt =
  /node_modules|node:|internal\/|<anonymous>\)?$|\(native\)|^\s+at (?:\w+\/)?(?:async )?(?:java|javax|jdk|sun|kotlin|scala|org\.springframework|org\.apache|io\.netty|System|Microsoft)\b/;

/** JavaScript, Java and .NET: frames begin with "at". The line before the first one is the error. */
function atTrace(lines: readonly string[], start: number): readonly StackLine[] {
  const headed = !atPattern.test(lines[start] ?? "");
  if (headed && !atPattern.test(lineAt(lines, start + 1) ?? "")) return [];
  const stack: StackLine[] = headed ? [{ text: lines[start] ?? "", kind: "error" }] : [];
  for (let at = start + stack.length; at < lines.length; at++) {
    const text = lineAt(lines, at);
    if (text === undefined) break;
    if (atPattern.test(text)) stack.push({ text, kind: libraryAt.test(text) ? "library" : "frame" });
    else if (morePattern.test(text)) stack.push({ text, kind: "library" });
    else if (causePattern.test(text)) stack.push({ text, kind: "error" });
    else break;
  }
  return stack.length >= 2 ? stack : [];
}

const filePattern = /^\s+File "/;
const pythonLibrary = /site-packages|dist-packages|[\\/]lib[\\/]python|<frozen /;
const chainPattern =
  /^(?:During handling of the above exception|The above exception was the direct cause)|^Traceback \(most recent call last\):/;

/** Python: frames of two or more indented lines, then the error at the margin; chained errors follow. */
function pythonTrace(lines: readonly string[], start: number): readonly StackLine[] {
  const stack: StackLine[] = [{ text: lines[start] ?? "", kind: "error" }];
  let kind: StackLine["kind"] = "frame";
  let ended = false;
  for (let at = start + 1; at < lines.length; at++) {
    const text = lineAt(lines, at);
    if (text === undefined) break;
    if (/^\s+\S/.test(text) && !ended) {
      if (filePattern.test(text)) kind = pythonLibrary.test(text) ? "library" : "frame";
      stack.push({ text, kind });
    } else if (!ended && text !== "") {
      stack.push({ text, kind: "error" });
      ended = true;
    } else if (text === "" && chainPattern.test(lines[at + 1] ?? "")) {
      stack.push({ text, kind: "error" });
    } else if (chainPattern.test(text)) {
      stack.push({ text, kind: "error" });
      ended = !text.startsWith("Traceback");
    } else break;
  }
  return stack.length >= 3 ? stack : [];
}

const goroutinePattern = /^goroutine \d+ (?:gp=\S+ m=\S+ (?:mp=\S+ )?)?\[.{1,100}\]:$/;
const goFilePattern = /^\s+\S.{0,1000}:\d+(?: \+0x[\da-f]+)?$/;
const goLibrary = /\/src\/runtime\/|\/go\/src\/|\/pkg\/mod\/|\/libexec\/src\//;

/** Go: a panic, and for each goroutine pairs of lines: a function, and where it is. */
function goTrace(lines: readonly string[], start: number): readonly StackLine[] {
  const stack: StackLine[] = [];
  let frames = 0;
  for (let at = start; at < lines.length; at++) {
    const text = lineAt(lines, at);
    if (text === undefined) break;
    const next = lineAt(lines, at + 1) ?? "";
    if (goFilePattern.test(next) && text !== "" && !text.startsWith("goroutine ")) {
      const kind = goLibrary.test(next) ? "library" : "frame";
      stack.push({ text, kind }, { text: next, kind });
      frames++;
      at++;
    } else if (/^(?:panic: |\tpanic: |goroutine |\[signal |exit status )/.test(text)) {
      stack.push({ text, kind: "error" });
    } else if (text === "" && goGoesOn(next)) {
      stack.push({ text, kind: "error" });
    } else break;
  }
  return frames > 0 ? stack : [];
}

function goGoesOn(line: string): boolean {
  return goroutinePattern.test(line) || line.startsWith("[signal ");
}
