/**
 * A JSON object as flat fields: `{"err":{"stack":"…"},"tags":["a"]}` has the
 * fields `err.stack` and `tags` = `["a"]`. Arrays, empty objects and what is
 * nested too deep stay JSON text, which says all there was to say.
 */
import type { Fields, FieldValue } from "./line-fields.ts";

/** Deeper than any logger nests; it bounds the recursion. */
const depthMax = 8;

/** 16 digits are the fewest that a JavaScript number may not hold exactly, with or without a point. */
const longNumber = /\d{16}|[\d.]{17}/;

/** The JSON object that a line is; undefined when it is none. */
export function parseJsonObject(line: string): Record<string, unknown> | undefined {
  const text = line.trim();
  if (!text.startsWith("{") || !text.endsWith("}")) return undefined;
  try {
    const value: unknown = longNumber.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    // A line that looks like JSON and is not is a plain line.
    return undefined;
  }
}

/** The fields of an object, in its order. */
export function flattenJson(object: Record<string, unknown>): Fields {
  const fields: [string, FieldValue][] = [];
  collect(object, "", depthMax, fields);
  return fields;
}

/** Whether a value is an object in the sense of JSON. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Ids, nanoseconds of 64 bits and long decimals keep their digits, as text. The third parameter has the number's source text. */
function keepDigits(_key: string, value: unknown, ...[context]: unknown[]): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = isObject(context) ? context["source"] : undefined;
  if (typeof source !== "string" || !/^-?[\d.]+$/.test(source) || !longNumber.test(source)) return value;
  return Number.isInteger(value) || String(value) !== source ? source : value;
}

function collect(
  object: Record<string, unknown>,
  prefix: string,
  depthLeft: number,
  fields: [string, FieldValue][],
): void {
  for (const [key, value] of Object.entries(object)) {
    const name = `${prefix}${key}`;
    if (isObject(value) && depthLeft > 1 && Object.keys(value).length > 0) {
      collect(value, `${name}.`, depthLeft - 1, fields);
    } else fields.push([name, scalarOf(value)]);
  }
}

function scalarOf(value: unknown): FieldValue {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  return value === null ? null : JSON.stringify(value);
}
