/**
 * Objects of loggers as attributes, which are flat texts:
 *
 * | value | attribute |
 * | --- | --- |
 * | text | itself |
 * | number, boolean, bigint, null | its text: `12.5`, `true`, `null` |
 * | Date | RFC 3339 in UTC, `Invalid Date` |
 * | Error | `<name>.type`, `.message`, `.stack`, and what else it has, `.cause` included |
 * | object | its fields, names joined by dots, 8 levels deep; deeper ones and empty ones as JSON text |
 * | array, Map, Set, bytes | JSON text |
 * | something with `toJSON` | what that returns |
 * | function, symbol | its description |
 * | the same object inside itself | `[Circular]` |
 * | undefined | none: there is nothing |
 *
 * Nothing is dropped. A name that an attribute must not have (`message`,
 * `level`, …) becomes `log.<name>`. What is beyond the limits (256 attributes,
 * 128 bytes of a name, names that occur twice once they are joined) is kept
 * together, as JSON text, in the attribute `log.rest`.
 */
import { entryFieldNames, limits } from "@logsvc/proto";

/** Deeper than any logger nests; it bounds the recursion. */
const depthMax = 8;

const restKey = "log.rest";

/** The attributes of named values, and of further ones that come after them. */
export function flattenAttributes(fields: Readonly<Record<string, unknown>>): Record<string, string> {
  const attributes = new Map<string, string>();
  const rest: [string, string][] = [];
  const add = (name: string, text: string): void => {
    const key = (entryFieldNames.has(name) || name === "__proto__" ? `log.${name}` : name).toWellFormed();
    // One place is kept free for the rest.
    const isFree = attributes.size < limits.attributesMax - 1 && !attributes.has(key);
    if (isFree && isKey(key)) attributes.set(key, text.toWellFormed());
    else rest.push([name, text]);
  };
  for (const [name, value] of Object.entries(fields)) collect(name, value, [fields], add);
  if (rest.length > 0) attributes.set(restKey, restText(rest));
  return Object.fromEntries(attributes);
}

function isKey(key: string): boolean {
  if (key === "" || key === restKey) return false;
  // A UTF-16 unit has at most 3 bytes: most names need no counting.
  return (
    key.length * 3 <= limits.attributeKeyBytesMax || Buffer.byteLength(key) <= limits.attributeKeyBytesMax
  );
}

/** A name that came before gets a number: `a`, `a#2`. */
function restText(fields: readonly (readonly [string, string])[]): string {
  const rest = new Map<string, string>();
  for (const [name, value] of fields) {
    let free = name;
    for (let copy = 2; rest.has(free); copy++) free = `${name}#${copy}`;
    rest.set(free, value);
  }
  return JSON.stringify(Object.fromEntries(rest)).toWellFormed();
}

/** @param around The objects that the value is in, itself not included. */
function collect(
  name: string,
  value: unknown,
  around: readonly unknown[],
  add: (name: string, text: string) => void,
): void {
  if (value === undefined) return;
  const plain = around.includes(value) ? "[Circular]" : toPlain(value);
  if (typeof plain !== "object" || plain === null) {
    add(name, scalarText(plain));
    return;
  }
  const fields = isRecord(plain) ? Object.entries(plain).filter(([, field]) => field !== undefined) : [];
  if (fields.length === 0 || around.length >= depthMax) add(name, jsonText(plain));
  else for (const [key, field] of fields) collect(`${name}.${key}`, field, [...around, value], add);
}

function scalarText(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "function") return `[Function: ${value.name || "anonymous"}]`;
  return String(value);
}

/** What a value says of itself, and the parts of an error. */
function toPlain(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Error) return errorFields(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
  if (value instanceof Map || value instanceof Set) return [...value];
  if (ArrayBuffer.isView(value)) return value;
  if (!("toJSON" in value) || typeof value.toJSON !== "function") return value;
  try {
    const plain: unknown = value.toJSON();
    return plain === undefined ? "undefined" : plain;
  } catch (error) {
    return `[toJSON: ${String(error)}]`;
  }
}

/** An error as pino's serializer has it. */
export function errorFields(error: Error): Record<string, unknown> {
  const { name, message, stack, cause, ...others } = error;
  const type = error.constructor.name || name;
  return { type, message, stack, ...(cause === undefined ? {} : { cause }), ...others };
}

function isRecord(value: object): value is Record<string, unknown> {
  return !Array.isArray(value) && !ArrayBuffer.isView(value);
}

function jsonText(value: object): string {
  const around: unknown[] = [];
  const text = JSON.stringify(
    ArrayBuffer.isView(value) ? bytesOf(value) : value,
    function (this: unknown, _key, field: unknown) {
      // `this` is what the field is in: what was visited beyond it is not around it.
      while (around.length > 0 && around.at(-1) !== this) around.pop();
      if (typeof field === "bigint") return String(field);
      if (typeof field === "function" || typeof field === "symbol") return scalarText(field);
      if (field instanceof Error) return errorFields(field);
      if (field instanceof Map || field instanceof Set) return [...field];
      if (typeof field !== "object" || field === null) return field;
      if (around.includes(field)) return "[Circular]";
      around.push(field);
      return field;
    },
  );
  return text ?? "null";
}

function bytesOf(view: ArrayBufferView): number[] {
  return [...new Uint8Array(view.buffer, view.byteOffset, view.byteLength)];
}
