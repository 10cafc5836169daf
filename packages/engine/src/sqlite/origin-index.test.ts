/** Each entry has the service that it came with, whatever services are called. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { OriginIndex } from "./origin-index.ts";

test("names that were made to have one hash are found as fast as others", { timeout: 10_000 }, async () => {
  // "Aa" and "BB" have the same sum of 31^i × byte, and so do all names of 15 of them. Compared with each other, these
  // take half a minute.
  const names = Array.from({ length: 2 ** 15 }, (_, index) =>
    Buffer.from(Array.from({ length: 15 }, (_, bit) => ((index >> bit) & 1 ? "Aa" : "BB")).join("")),
  );
  const origins = new OriginIndex(names.length * 2);
  for (let index = 0; index < names.length * 2; index++) {
    const name = names[index % names.length] ?? assert.fail();
    origins.add(index, name, { from: 0, to: name.length });
    // So that the timeout has its chance.
    if (index % 1024 === 0) await setImmediate();
  }
  assert.deepEqual(
    Array.from(origins.indexes),
    Array.from({ length: names.length * 2 }, (_, index) => index % names.length),
  );
  assert.equal(origins.names.length, names.length);
});
