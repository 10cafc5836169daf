import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type RowOrder, RowWindow } from "./row-window.ts";

const windowPx = 600;
const rowPx = 22;

/** A list as a browser would show it: true heights, and a scrolled element. */
class Screen {
  readonly window = new RowWindow();
  readonly heightOf: (position: number) => number;
  readonly measured: boolean;
  first = 0;
  end: number;

  constructor(count: number, options: { order?: RowOrder; heightOf?: (position: number) => number } = {}) {
    const { order = "oldest", heightOf } = options;
    this.end = count;
    this.measured = heightOf !== undefined;
    this.heightOf = heightOf ?? (() => rowPx);
    this.window.setKeys((position) => position);
    this.window.setSize(windowPx, rowPx, this.measured);
    this.window.setOrder(order);
    this.draw();
  }

  /** Draws as the list does: rows are measured once they are there. Returns each row's place on the screen. */
  draw(): Map<number, number> {
    const { window } = this;
    window.setRows({ first: this.first, end: this.end });
    for (;;) {
      const { start, end, top, scrollTop } = window.layout(100);
      let news = false;
      const places = new Map<number, number>();
      let y = top - scrollTop;
      for (let index = start; index < end; index++) {
        const position = window.positionAt(index);
        const height = this.heightOf(position);
        news = window.measure(position, height) || news;
        places.set(position, y);
        y += height;
      }
      if (!news) return places;
    }
  }

  /** Those of which at least a part is seen. */
  seen(): Map<number, number> {
    return new Map([...this.draw()].filter(([at, y]) => y < windowPx && y + this.heightOf(at) > 0));
  }

  scroll(step: number): void {
    const { contentPx, scrollTop } = this.window.layout(0);
    this.window.scrolledTo(Math.max(0, Math.min(contentPx - windowPx, scrollTop + step)));
  }
}

const broken = (position: number): number => 20 + (((position * 7919) % 5) + 5) * 13;

function assertClose(actual: number | undefined, expected: number, message: string): void {
  assert.ok(
    actual !== undefined && Math.abs(actual - expected) < 0.01,
    `${message}: ${actual}, not ${expected}`,
  );
}

/** Once at rest the scroll bar tells where the rows are. */
function assertInPlace({ window }: Screen, count: number): void {
  window.rest();
  const { scrollTop, contentPx } = window.layout(0);
  const part = scrollTop / (contentPx - windowPx);
  const rowPart = window.indexOf(window.anchorPosition) / count;
  assert.ok(Math.abs(part - rowPart) < 0.05, `the bar at ${part}, the rows at ${rowPart}`);
}

for (const [name, count, heightOf] of [
  ["a short list", 1_000, undefined],
  ["a million rows, higher than browsers allow", 1_000_000, undefined],
  ["broken lines", 1_000, broken],
  ["a million broken lines", 1_000_000, broken],
] as const) {
  test(`${name}: begins at the newest edge, filled, and reaches the other one by small steps`, () => {
    for (const order of ["oldest", "newest"] as const) {
      const screen = new Screen(count, { order, ...(heightOf && { heightOf }) });
      const seen = [...screen.seen()];
      assert.ok(seen.length > 0);
      const newest = order === "oldest" ? seen.at(-1) : seen[0];
      assert.equal(newest?.[0], count - 1);
      if (order === "oldest")
        assertClose((newest?.[1] ?? 0) + screen.heightOf(count - 1), windowPx, "its end");
      else assertClose(newest?.[1], 0, "its top");
    }
  });

  test(`${name}: a small step moves every row by that step`, () => {
    fc.assert(
      fc.property(
        fc.nat({ max: count - 1 }),
        fc.array(fc.integer({ min: -900, max: 900 }), { minLength: 1, maxLength: 20 }),
        (position, stepsPx) => {
          const screen = new Screen(count, heightOf && { heightOf });
          screen.window.reveal(position, "middle");
          for (const step of stepsPx) {
            const before = screen.draw();
            const { scrollTop, contentPx } = screen.window.layout(0);
            if (scrollTop + step < 600 || scrollTop + step > contentPx - 1200) continue;
            screen.scroll(step);
            const after = screen.draw();
            const isIn = (y: number): boolean => y > -100 && y < windowPx;
            const both = [...before].filter(([at, y]) => isIn(y) && isIn(after.get(at) ?? Number.NaN));
            for (const [at, y] of both) assertClose(after.get(at), y - step, `row ${at}`);
            assert.ok(both.length > 0 || Math.abs(step) > 500);
            assertInPlace(screen, count);
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  test(`${name}: held still, nothing moves whatever comes, goes or is at rest`, () => {
    const change = fc.oneof(
      fc.record({ kind: fc.constant("append"), count: fc.nat({ max: 5_000 }) }),
      fc.record({ kind: fc.constant("prepend"), count: fc.nat({ max: 5_000 }) }),
      fc.record({ kind: fc.constant("rest"), count: fc.constant(0) }),
    );
    fc.assert(
      fc.property(
        fc.constantFrom("oldest", "newest"),
        fc.integer({ min: 100, max: count - 100 }),
        fc.array(change, { maxLength: 10 }),
        (order, position, changes) => {
          const screen = new Screen(count, { order, ...(heightOf && { heightOf }) });
          screen.window.reveal(position, "middle");
          const before = screen.seen();
          for (const { kind, count: rows } of changes) {
            if (kind === "append") screen.end += rows;
            else if (kind === "prepend") screen.first -= rows;
            else screen.window.rest();
            const after = screen.draw();
            for (const [at, y] of before) assertClose(after.get(at), y, `row ${at} after ${kind}`);
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  test(`${name}: both ends can be reached with the wheel, and nothing is beyond them`, () => {
    const screen = new Screen(count, heightOf && { heightOf });
    screen.window.reveal(30, "middle");
    for (let step = 0; step < 200 && !screen.seen().has(0); step++) screen.scroll(-100);
    for (let step = 0; step < 3; step++) screen.scroll(-100);
    assertClose(screen.seen().get(0), 0, "the first row");
    assert.equal(screen.window.layout(0).scrollTop, 0);
    screen.window.reveal(count - 30, "middle");
    for (let step = 0; step < 200 && !screen.seen().has(count - 1); step++) screen.scroll(100);
    for (let step = 0; step < 3; step++) screen.scroll(100);
    const last = count - 1;
    assertClose((screen.seen().get(last) ?? 0) + screen.heightOf(last), windowPx, "the last row's end");
    const { scrollTop, contentPx } = screen.window.layout(0);
    assertClose(scrollTop, contentPx - windowPx, "the element is at its end");
  });

  test(`${name}: the scroll bar jumps to the same part of the rows`, () => {
    const screen = new Screen(count, heightOf && { heightOf });
    screen.window.reveal(0, "middle");
    const { contentPx } = screen.window.layout(0);
    screen.window.scrolledTo(0.4 * (contentPx - windowPx));
    const [position = 0] = screen.seen().keys();
    assert.ok(Math.abs(position - 0.4 * count) < 0.01 * count + 40, `at row ${position}`);
    assert.equal(screen.window.scrolledTo(screen.window.layout(0).contentPx - windowPx), "bottom");
    assert.ok(screen.seen().has(count - 1));
    assert.equal(screen.window.scrolledTo(0), "top");
    assertClose(screen.seen().get(0), 0, "the first row");
  });
}

test("stuck to an edge the window follows it, and no longer once the reader scrolls", () => {
  const screen = new Screen(1_000);
  screen.end += 500;
  assert.ok(screen.seen().has(1_499));
  screen.scroll(-50);
  assert.equal(screen.window.stuck, undefined);
  const before = screen.seen();
  screen.end += 500;
  assert.deepEqual(screen.seen(), before);
  screen.window.stickTo("bottom");
  assert.ok(screen.seen().has(1_999));
});

test("rows dropped above the window do not move it; dropped from it, the oldest row is at its top", () => {
  const screen = new Screen(1_000);
  screen.window.reveal(500, "middle");
  const before = screen.seen();
  screen.first = 400;
  assert.deepEqual(screen.seen(), before);
  screen.first = 700;
  assertClose(screen.seen().get(700), 0, "the oldest row");
});

test("revealing a row moves no more than is needed", () => {
  const screen = new Screen(1_000);
  screen.window.reveal(500, "middle");
  const before = screen.seen();
  const padPx = 2 * rowPx;
  const whole = [...before].filter(([, y]) => y >= padPx && y + rowPx + padPx <= windowPx).map(([at]) => at);
  for (const at of whole) screen.window.reveal(at, "nearest");
  assert.deepEqual(screen.seen(), before);
  const next = (whole.at(-1) ?? 0) + 2;
  screen.window.reveal(next, "nearest");
  assertClose((screen.seen().get(next) ?? 0) + rowPx + padPx, windowPx, "the row's end");
});

test("an empty list, and one that is shorter than the window, stand at the top", () => {
  const empty = new Screen(0);
  assert.equal(empty.draw().size, 0);
  assert.equal(empty.window.layout(0).contentPx, windowPx);
  const short = new Screen(3);
  assert.deepEqual(
    [...short.seen()],
    [
      [0, 0],
      [1, rowPx],
      [2, 2 * rowPx],
    ],
  );
  assert.equal(short.window.scrolledTo(0), "bottom");
  const newest = new Screen(3, { order: "newest" });
  assert.deepEqual(
    [...newest.seen()],
    [
      [2, 0],
      [1, rowPx],
      [0, 2 * rowPx],
    ],
  );
  assert.equal(newest.window.scrolledTo(0), "top");
});
