/** Fields found in a column are those that protobuf decodes, however they are encoded. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { LogEntrySchema } from "@logsvc/proto";
import { Random } from "../../contract/engine-under-test.ts";
import { RestField } from "./rest-fields.ts";

const keys = ["status", "k".repeat(130), "", "größe"] as const;
const values = ["", "200", "v".repeat(300), "🪵"] as const;

function attribute(random: Random): Uint8Array {
  const parts = [
    (writer: BinaryWriter) => writer.tag(1, WireType.LengthDelimited).string(random.of(keys)),
    (writer: BinaryWriter) => writer.tag(2, WireType.LengthDelimited).string(random.of(values)),
    (writer: BinaryWriter) => writer.tag(9, WireType.Varint).uint32(300),
  ];
  const writer = new BinaryWriter();
  // Mostly key and value; sometimes in another order, missing, or more than once.
  if (random.below(2) === 0) for (const part of parts.slice(0, 2)) part(writer);
  else for (let count = random.below(4); count > 0; count--) parts[random.below(3)]?.(writer);
  return writer.finish();
}

function entry(random: Random): Uint8Array {
  const writer = new BinaryWriter();
  for (let count = random.below(6); count > 0; count--) {
    switch (random.below(5)) {
      case 0:
        writer.tag(6, WireType.LengthDelimited).string(random.of(values));
        break;
      case 1:
        writer.tag(8, WireType.Varint).uint64(2n ** 40n);
        break;
      case 2:
        writer.tag(100, WireType.Bit64).fixed64(7n);
        break;
      default:
        writer.tag(5, WireType.LengthDelimited).bytes(attribute(random));
    }
  }
  return writer.finish();
}

test("an attribute or id is found in entries of any encoding, whole or not", () => {
  const random = new Random(41);
  for (let round = 0; round < 200; round++) {
    const entries = Array.from({ length: 5 }, () => entry(random));
    const expected = entries.map((bytes) => fromBinary(LogEntrySchema, bytes));
    const heads = {
      fields: () => new Uint8Array(),
      marked: () => Uint8Array.of(0),
      whole: (bytes: Uint8Array) =>
        new BinaryWriter().tag(1, WireType.LengthDelimited).uint32(bytes.length).finish(),
    };
    for (const [kind, headOf] of Object.entries(heads)) {
      const parts = entries.map((bytes) => Buffer.concat([headOf(bytes), bytes]));
      let end = 0;
      const ends = Uint32Array.from(parts, (part) => (end += part.length));
      const column = { bytes: Buffer.concat(parts), ends, isExact: false, isWhole: kind === "whole" };
      for (const name of [...keys, "trace_id"]) {
        const field = new RestField(name);
        for (const [index, { attributes, traceId }] of expected.entries()) {
          const text = name === "trace_id" ? traceId : (attributes[name] ?? "");
          assert.equal(field.find(column, index), text !== "", `${kind} ${index} ${name}`);
          assert.equal(field.text, text);
        }
      }
    }
  }
});
