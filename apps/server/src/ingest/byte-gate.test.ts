/** The bound on bytes in flight. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteGate } from "./byte-gate.ts";

test("readers wait from the bound on, and go on in their order when there is room", async () => {
  const gate = new ByteGate(100);
  gate.add(99);
  assert.equal(gate.room(), undefined);
  gate.add(51);
  const order: string[] = [];
  const first = gate.room()?.then(() => order.push("first"));
  const second = gate.room()?.then(() => order.push("second"));
  gate.release(50);
  assert.equal(gate.bytes, 100);
  // Still at the bound: nobody was let go, or this would be in the order as well.
  await Promise.resolve();
  order.push("released");
  gate.release(1);
  await Promise.all([first, second]);
  assert.deepEqual(order, ["released", "first", "second"]);
  assert.equal(gate.room(), undefined);
});
