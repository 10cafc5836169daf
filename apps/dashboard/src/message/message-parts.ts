/**
 * What a message is made of: text, JSON, stack traces. Loggers put all of them
 * into one string, and readers want each in its own form.
 *
 * Nothing here changes or leaves out text: the parts, put together, are the
 * message. What is not surely JSON or a stack trace stays text.
 */
import { type JsonNode, jsonSize, parseJsonAt } from "./json-tree.ts";
import { stackLines } from "./stack-trace.ts";

/** A part of a message. `text` is as it was written. */
export type MessagePart =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "json"; readonly text: string; readonly node: JsonNode }
  | { readonly kind: "stack"; readonly text: string; readonly lines: readonly StackLine[] };

/** A line of a stack trace. Frames of libraries and runtimes are rarely the ones looked for. */
export interface StackLine {
  readonly text: string;
  readonly kind: "error" | "frame" | "library";
}

/** Places at which JSON is looked for, at the most: each may mean reading to the message's end in vain. */
const candidatesMax = 16;

/** Shorter brackets are more often prose than JSON: "retry [1]", "{}". */
const embeddedLengthMin = 8;

/** Lines that are looked at for stack traces, at the most: one that is longer than this is read by no one. */
const linesMax = 20_000;

/** The parts of a message, in order. */
export function splitMessage(message: string): readonly MessagePart[] {
  const parts: MessagePart[] = [];
  let at = 0;
  for (const json of jsonParts(message)) {
    parts.push(...textParts(message.slice(at, json.start)));
    parts.push({ kind: "json", text: message.slice(json.start, json.end), node: json.node });
    at = json.end;
  }
  parts.push(...textParts(message.slice(at)));
  return parts;
}

/** The first line, cut after `lengthMax` characters, and how much there is besides: what a row of a list shows. */
export interface FirstLine {
  readonly text: string;
  /** Further lines, empty ones at the end not counted. */
  readonly moreLines: number;
  /** Whether the line itself goes on. */
  readonly cut: boolean;
}

/** More lines than this are not counted: a row of a list must cost nothing. */
export const moreLinesMax = 999;

/** The first line that is not empty. */
export function firstLine(message: string, lengthMax: number): FirstLine {
  const from = message.startsWith("\n") || message.startsWith("\r") ? leadingBreaks(message) : 0;
  const lineEnd = message.indexOf("\n", from);
  const end = lineEnd === -1 ? message.length : lineEnd;
  const cut = end - from > lengthMax;
  const text = message.slice(from, cut ? cutAt(message, from + lengthMax) : end);
  return { text, moreLines: lineEnd === -1 ? 0 : countLines(message, lineEnd + 1), cut };
}

function leadingBreaks(message: string): number {
  const at = message.search(/[^\r\n]/);
  return at === -1 ? 0 : at;
}

/** Not between the two halves of a character beyond the first 65 536. */
function cutAt(text: string, at: number): number {
  const code = text.charCodeAt(at - 1);
  return code >= 0xd800 && code < 0xdc00 ? at - 1 : at;
}

function countLines(message: string, from: number): number {
  let count = 0;
  let end = message.length;
  while (end > from && (message[end - 1] === "\n" || message[end - 1] === "\r")) end--;
  for (let at = from; at < end && count < moreLinesMax; count++) {
    const next = message.indexOf("\n", at);
    if (next === -1 || next >= end) return count + 1;
    at = next + 1;
  }
  return count;
}

interface FoundJson {
  readonly start: number;
  readonly end: number;
  readonly node: JsonNode;
}

function jsonParts(message: string): FoundJson[] {
  const found: FoundJson[] = [];
  let at = 0;
  for (let tries = 0; tries < candidatesMax; tries++) {
    const start = nextBracket(message, at);
    if (start === -1) break;
    const parsed = parseJsonAt(message, start);
    if (parsed !== undefined && worthShowing(message, start, parsed.end, parsed.node)) {
      found.push({ start, ...parsed });
    }
    at = parsed?.end ?? start + 1;
  }
  return found;
}

function nextBracket(message: string, from: number): number {
  const pattern = /\{\s*["}]|\[\s*[[{"\d\]tfn-]/g;
  pattern.lastIndex = from;
  return pattern.exec(message)?.index ?? -1;
}

function worthShowing(message: string, start: number, end: number, node: JsonNode): boolean {
  if (jsonSize(node) === 0) return false;
  const whole = message.slice(0, start).trim() === "" && message.slice(end).trim() === "";
  return whole || (end - start >= embeddedLengthMin && (node.kind === "object" || holdsObject(node)));
}

/** "[1, 2, 3]" within a sentence is best left there. */
function holdsObject(node: JsonNode): boolean {
  return node.kind === "array" && node.items.some((item) => item.kind === "object");
}

function textParts(text: string): MessagePart[] {
  if (text === "") return [];
  const lines = text.split("\n", linesMax + 1);
  if (lines.length < 2 || lines.length > linesMax) return [{ kind: "text", text }];
  const parts: MessagePart[] = [];
  let plain: string[] = [];
  const flush = (): void => {
    if (plain.length > 0) parts.push({ kind: "text", text: plain.join("\n") });
    plain = [];
  };
  for (let at = 0; at < lines.length; ) {
    const stack = stackLines(lines, at);
    if (stack.length === 0) {
      plain.push(lines[at] ?? "");
      at++;
    } else {
      flush();
      parts.push({ kind: "stack", text: stack.map((line) => line.text).join("\n"), lines: stack });
      at += stack.length;
    }
  }
  flush();
  return parts;
}
