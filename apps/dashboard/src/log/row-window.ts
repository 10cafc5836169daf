/**
 * Which of a million rows are on the screen, and where: the arithmetic of the
 * list's scrolling, without a DOM.
 *
 * What the reader looks at is an anchor, a row and how far its top is above the
 * window's, and not a number of pixels from the beginning. So rows may come, go
 * or turn out to have another height anywhere else, and nothing on the screen
 * moves. The scrolled element's height is only what the scroll bar needs:
 *
 *   rows × height ≤ contentPxMax   every pixel of the element is one of the
 *                                  rows: scrolling is exact
 *   more, or broken lines          small steps move the anchor pixel by pixel;
 *                                  a jump goes to the same part of the rows as
 *                                  of the element. Between the two the element's
 *                                  position drifts off, and is put right at rest.
 *                                  Near both ends a pixel is a pixel again, so
 *                                  that they are reached by scrolling
 *
 * At an edge that it sticks to, the window follows that edge.
 *
 * TanStack Virtual keeps the start of every row, and computes all of them anew
 * when their number changes: at a million rows that took 40 ms a frame.
 */

/**
 * The greatest height of the scrolled element. Firefox ends at 17.8 million
 * pixels (2^30 sixtieths), others at 33.5 million (2^31 sixty-fourths); half of
 * the least leaves room for pages that are zoomed.
 */
const contentPxMax = 8_000_000;

/** Heights of broken lines that are remembered: those of some hundred screens. */
const heightsMax = 20_000;

/** So many windows from an end a pixel of the element is one of the rows. */
const endWindows = 10;

/** Lists of up to so many measured rows know their height, and don't estimate it. */
const summedMax = 500;

/** A step of up to so many windows is the reader's; a longer one is a jump of the scroll bar. */
const stepWindowsMax = 2;

/** Rows that are shown beyond one that is revealed: what comes next, and nothing that floats over the edge. */
const revealedRows = 2;

/** Rows that are drawn for the sake of selected text: more than anybody selects by dragging. */
const keptMax = 1_000;

/** Which way up. "oldest": the oldest row is at the top. */
export type RowOrder = "oldest" | "newest";

/** An edge of the list. */
export type Edge = "top" | "bottom";

/** The rows there are: positions in the buffer from `first` up to, not with, `end`. */
export interface RowRange {
  readonly first: number;
  readonly end: number;
}

/** What to draw. `index` counts rows on the screen from the top of the list. */
export interface WindowLayout {
  /** The first row that is drawn, and the one after the last. */
  readonly start: number;
  readonly end: number;
  /** Where the first drawn row's top is, in pixels from the element's top. */
  readonly top: number;
  /** The scrolled element's height. */
  readonly contentPx: number;
  /** Where the element is scrolled to. */
  readonly scrollTop: number;
}

/** The window's state. */
export class RowWindow {
  #order: RowOrder = "oldest";
  #rows: RowRange = { first: 0, end: 0 };
  /** The height of a row that was not measured. */
  #rowPx = 22;
  #windowPx = 0;
  /** By key. */
  readonly #heights = new Map<number, number>();
  #heightOf: (index: number) => number = () => this.#rowPx;
  #isKnown: (index: number) => boolean = () => true;
  #averagePx = 22;
  #measured = false;
  /** The position of the row at the window's top, and how much of it is above. */
  #anchor = { position: 0, abovePx: 0 };
  #stuck: Edge | undefined = "bottom";
  #scrollTop = 0;

  /** Which edge the window follows, if one. */
  get stuck(): Edge | undefined {
    return this.#stuck;
  }

  /** Whether rows have heights of their own. */
  get isMeasured(): boolean {
    return this.#measured;
  }

  /** Where the element should be scrolled to, as far as the window knows. */
  get scrollTop(): number {
    return this.#scrollTop;
  }

  /** How many rows. */
  get count(): number {
    return this.#rows.end - this.#rows.first;
  }

  /** The edge that new rows come in at. */
  get newestEdge(): Edge {
    return this.#order === "oldest" ? "bottom" : "top";
  }

  /** The position of the row at an index, and the other way round: the same arithmetic. */
  positionAt(index: number): number {
    return this.#order === "oldest" ? this.#rows.first + index : this.#rows.end - 1 - index;
  }

  /** The index of a row's position. */
  indexOf(position: number): number {
    return this.#order === "oldest" ? position - this.#rows.first : this.#rows.end - 1 - position;
  }

  /** Takes the rows there are now. What is on the screen stays where it is, unless it sticks to an edge. */
  setRows(rows: RowRange): void {
    this.#rows = rows;
  }

  /** Turns the list over. It goes to the edge where it was new before. */
  setOrder(order: RowOrder): void {
    if (order === this.#order) return;
    this.#order = order;
    this.stickTo(this.newestEdge);
  }

  /** The size of the window and of a row. `measured`: rows have heights of their own. */
  setSize(windowPx: number, rowPx: number, measured: boolean): void {
    if (rowPx !== this.#rowPx || measured !== this.#measured) {
      this.forgetHeights();
      this.#averagePx = rowPx;
    }
    this.#windowPx = windowPx;
    this.#rowPx = rowPx;
    this.#measured = measured;
  }

  /** Heights are no longer what they were: the list has another width. */
  forgetHeights(): void {
    this.#heights.clear();
  }

  /** How to find a row's measured height: by key, since positions may move. */
  setKeys(keyAt: (position: number) => number | undefined): void {
    this.#heightOf = (index) => {
      if (!this.#measured) return this.#rowPx;
      return this.#heights.get(keyAt(this.positionAt(index)) ?? Number.NaN) ?? this.#averagePx;
    };
    this.#isKnown = (index) =>
      !this.#measured || this.#heights.has(keyAt(this.positionAt(index)) ?? Number.NaN);
  }

  /** Takes the measured height of a row. Returns whether that is news. */
  measure(key: number, heightPx: number): boolean {
    if (!this.#measured || heightPx <= 0 || this.#heights.get(key) === heightPx) return false;
    if (this.#heights.size >= heightsMax) this.#heights.clear();
    this.#heights.set(key, heightPx);
    // Slowly: the scroll bar must not jump about.
    this.#averagePx += (heightPx - this.#averagePx) / Math.min(1000, this.#heights.size + 10);
    return true;
  }

  /** Goes to an edge and follows it. */
  stickTo(edge: Edge): void {
    this.#stuck = edge;
  }

  /** Holds still: follows no edge. */
  hold(): void {
    if (this.#stuck === undefined) return;
    this.#settleAnchor();
    this.#stuck = undefined;
  }

  /** The row at the window's top moved to another position: rows got in between. */
  moveAnchor(position: number): void {
    this.#anchor = { ...this.#anchor, position };
  }

  /** The position of the row at the window's top. */
  get anchorPosition(): number {
    this.#settleAnchor();
    return this.#anchor.position;
  }

  /** Shows a row: at the nearest edge of the window if it is not in it, or in its middle. */
  reveal(position: number, where: "nearest" | "middle"): void {
    const index = this.indexOf(position);
    if (index < 0 || index >= this.count) return;
    this.#settleAnchor();
    const heightPx = this.#heightOf(index);
    const y = this.#distance(this.indexOf(this.#anchor.position), index) - this.#anchor.abovePx;
    const padPx = Math.min(revealedRows * this.#rowPx, this.#windowPx / 4);
    const isIn = y >= padPx && y + heightPx + padPx <= this.#windowPx;
    if (where === "nearest" && isIn) return;
    this.#stuck = undefined;
    const far = Math.abs(y) > stepWindowsMax * this.#windowPx;
    const belowPx = this.#windowPx - heightPx;
    const toPx =
      where === "middle" || far ? belowPx / 2 : y < padPx ? padPx : Math.max(padPx, belowPx - padPx);
    this.#setAnchor(index, -toPx);
    this.#scrollTop = this.#proportional();
  }

  /**
   * The reader has scrolled the element to `scrollTop`. Returns whether an edge
   * was reached by that.
   */
  scrolledTo(scrollTop: number): Edge | undefined {
    const step = scrollTop - this.#scrollTop;
    this.#settleAnchor();
    this.#stuck = undefined;
    this.#scrollTop = scrollTop;
    if (Math.abs(step) <= stepWindowsMax * this.#windowPx) {
      this.#setAnchor(this.indexOf(this.#anchor.position), this.#anchor.abovePx + step);
    } else {
      this.#jumpTo(scrollTop);
    }
    return this.#edge();
  }

  /** Puts the element's position right, where it has drifted off. To be called when scrolling has ended. */
  rest(): void {
    this.#scrollTop = this.#proportional();
  }

  /**
   * What to draw, with so many pixels of rows above and below the window.
   *
   * @param keep Positions of rows that must be drawn too, such as those with
   *   selected text: from the one up to and with the other.
   */
  layout(sparePx: number, keep?: readonly [number, number]): WindowLayout {
    this.#settleAnchor();
    const contentPx = this.#contentPx();
    // At an end of the element there is no more scrolling, so rows must not be left there.
    const endPx = this.#endPx();
    const isNearEnd = this.#scrollTop < endPx || this.#scrollTop > contentPx - this.#windowPx - endPx;
    if (this.#isExact || this.#stuck !== undefined || isNearEnd) this.rest();
    const scrollTop = Math.max(0, Math.min(this.#scrollTop, contentPx - this.#windowPx));
    this.#scrollTop = scrollTop;
    const kept = this.#keptIndexes(keep);
    let start = this.indexOf(this.#anchor.position);
    let y = -this.#anchor.abovePx;
    while (start > 0 && (y > -sparePx || start > kept.start)) {
      start--;
      y -= this.#heightOf(start);
    }
    const top = scrollTop + y;
    let end = start;
    while (end < this.count && (y < this.#windowPx + sparePx || end < kept.end)) {
      y += this.#heightOf(end);
      end++;
    }
    return { start, end, top: this.#isExact ? start * this.#rowPx : top, contentPx, scrollTop };
  }

  /** The indexes of rows that are to be drawn though they are not seen, unless those are too many. */
  #keptIndexes(keep: readonly [number, number] | undefined): {
    readonly start: number;
    readonly end: number;
  } {
    const none = { start: Number.POSITIVE_INFINITY, end: 0 };
    if (keep === undefined) return none;
    const [one, other] = keep.map((position) => this.indexOf(position)) as [number, number];
    const start = Math.max(0, Math.min(one, other));
    const end = Math.min(this.count, Math.max(one, other) + 1);
    const anchor = this.indexOf(this.#anchor.position);
    return Math.max(end, anchor) - Math.min(start, anchor) > keptMax ? none : { start, end };
  }

  /** Whether the element's pixels are the rows' pixels. */
  get #isExact(): boolean {
    return !this.#measured && this.count * this.#rowPx <= contentPxMax;
  }

  /** Where the anchor is when the window follows an edge, and within the rows in any case. */
  #settleAnchor(): void {
    if (this.#stuck === "top") this.#setAnchor(0, 0);
    else if (this.#stuck === "bottom") this.#anchorAtEnd();
    else this.#setAnchor(this.indexOf(this.#anchor.position), this.#anchor.abovePx);
  }

  /** Sets the anchor so many pixels below a row's top, at the row that is there, and no further than the rows go. */
  #setAnchor(index: number, abovePx: number): void {
    if (this.count === 0) {
      this.#anchor = { position: this.positionAt(0), abovePx: 0 };
      return;
    }
    let row = Math.min(Math.max(0, index), this.count - 1);
    let above = row === index ? abovePx : 0;
    if (!this.#measured) {
      const y = Math.max(0, row * this.#rowPx + above);
      row = Math.min(this.count - 1, Math.floor(y / this.#rowPx));
      above = y - row * this.#rowPx;
    }
    // Rows that were never drawn may turn out to have another height: as long as one that was is in the
    // window, it is the anchor.
    while (above < 0 && row > 0 && (this.#isKnown(row - 1) || above < -this.#windowPx)) {
      above += this.#heightOf(--row);
    }
    while (above >= this.#heightOf(row) && row < this.count - 1) above -= this.#heightOf(row++);
    if (row === 0) above = Math.max(0, above);
    this.#anchor = { position: this.positionAt(row), abovePx: above };
    if (this.#leftPx(row, above) < 0) this.#anchorAtEnd();
  }

  /** Sets the anchor so that the last row ends with the window. */
  #anchorAtEnd(): void {
    let index = this.count;
    let y = this.#windowPx;
    while (index > 0 && y > 0) y -= this.#heightOf(--index);
    this.#anchor = { position: this.positionAt(index), abovePx: Math.max(0, -y) };
  }

  /** How many pixels of rows are below the window, as far as that is less than a window. */
  #leftPx(index: number, abovePx: number): number {
    let y = -abovePx - this.#windowPx;
    for (let row = index; row < this.count && y < this.#windowPx; row++) y += this.#heightOf(row);
    return index === 0 && y < 0 ? 0 : y;
  }

  /** From one row's top to another's. */
  #distance(from: number, to: number): number {
    const rows = to - from;
    if (!this.#measured || Math.abs(rows) > 1000) return rows * this.#averagePx;
    let y = 0;
    for (let row = from; row < to; row++) y += this.#heightOf(row);
    for (let row = to; row < from; row++) y -= this.#heightOf(row);
    return y;
  }

  #edge(): Edge | undefined {
    const { position, abovePx } = this.#anchor;
    const index = this.indexOf(position);
    // Within a pixel: browsers round.
    const isTop = index === 0 && abovePx < 1;
    const isBottom = this.#leftPx(index, abovePx) < 1;
    if (isTop && isBottom) return this.newestEdge;
    if (isTop) return "top";
    return isBottom ? "bottom" : undefined;
  }

  /** The height that the rows have together, about. */
  #totalPx(): number {
    if (!this.#measured) return this.count * this.#rowPx;
    return this.count > summedMax ? this.count * this.#averagePx : this.#distance(0, this.count);
  }

  #contentPx(): number {
    return Math.max(this.#windowPx, Math.min(contentPxMax, this.#totalPx()));
  }

  /** How much of the element at either end shows rows pixel by pixel. */
  #endPx(): number {
    return Math.min(endWindows * this.#windowPx, (this.#contentPx() - this.#windowPx) / 2);
  }

  /** The element's position at which the scroll bar tells where the anchor is. */
  #proportional(): number {
    const { position, abovePx } = this.#anchor;
    const index = this.indexOf(position);
    if (this.#isExact) return index * this.#rowPx + abovePx;
    const rangePx = this.#contentPx() - this.#windowPx;
    const edge = this.#edge();
    if (edge !== undefined) return edge === "top" ? 0 : rangePx;
    const endPx = this.#endPx();
    // What is beyond is not summed up: `abovePx` is less than a window either way, or of a row that is higher.
    const mostPx = endPx + 2 * this.#windowPx + Math.abs(abovePx);
    const fromTop = this.#pxBetween(0, index, mostPx) + abovePx;
    if (fromTop < endPx) return Math.max(1, fromTop);
    const toBottom = this.#pxBetween(index, this.count, mostPx) - abovePx - this.#windowPx;
    if (toBottom < endPx) return Math.min(rangePx - 1, rangePx - toBottom);
    const virtual = (index + abovePx / this.#heightOf(index)) * this.#averagePx;
    const scaled = ((virtual - endPx) * (rangePx - 2 * endPx)) / this.#scaledPx();
    return Math.min(rangePx - endPx, Math.max(endPx, endPx + scaled));
  }

  /** Where the element's position is among the rows: `#proportional` the other way round. */
  #jumpTo(scrollTop: number): void {
    const rangePx = this.#contentPx() - this.#windowPx;
    const endPx = this.#endPx();
    if (this.#isExact || scrollTop <= endPx) {
      this.#setAnchor(0, scrollTop);
    } else if (scrollTop >= rangePx - endPx) {
      this.#anchorAtEnd();
      this.#setAnchor(this.indexOf(this.#anchor.position), this.#anchor.abovePx - (rangePx - scrollTop));
    } else {
      const virtual = endPx + ((scrollTop - endPx) * this.#scaledPx()) / (rangePx - 2 * endPx);
      const index = Math.min(this.count - 1, Math.floor(virtual / this.#averagePx));
      this.#setAnchor(index, (virtual / this.#averagePx - index) * this.#heightOf(index));
    }
  }

  /** The pixels of the rows between both ends. */
  #scaledPx(): number {
    return Math.max(1, this.#totalPx() - this.#windowPx - 2 * this.#endPx());
  }

  /** From one row's top to a later one's, as far as it is less than `mostPx`. */
  #pxBetween(from: number, to: number, mostPx: number): number {
    if (!this.#measured) return (to - from) * this.#rowPx;
    let y = 0;
    for (let row = from; row < to && y <= mostPx; row++) y += this.#heightOf(row);
    return y;
  }
}
