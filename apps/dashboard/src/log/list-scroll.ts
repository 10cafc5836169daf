/**
 * The list's scrolling in the browser: what the reader does with the scrolled
 * element becomes steps of the row window, and the window's layout the
 * element's. Also decides when the list follows the log, and when it holds.
 *
 * Browsers scroll before the page hears of it, so every sign that the reader is
 * about to scroll away (the wheel, a finger, a key, the scroll bar) stops
 * following at once, before a frame could scroll back.
 */
import type { LogSource, SourceSnapshot } from "./log-source.ts";
import { type RowOrder, RowWindow, type WindowLayout } from "./row-window.ts";

/** After so long without a scroll event, scrolling has ended. */
const restMs = 150;

/** Rows drawn outside of the window: enough for a turn of the wheel, unless new ones come with every frame. */
const spareWindows = 1;
const sparePxFollowing = 100;

/** The key of the row before the oldest, which is no row of the buffer. */
export const olderKey = -0.5;

/** Scrolling of one list. Made once, and given its element when that is there. */
export class ListScroll {
  readonly window = new RowWindow();
  readonly #source: LogSource;
  readonly #redraw: () => void;
  #element: HTMLElement | undefined;
  /** The element's, as the window knows it. */
  #heightPx = 0;
  /** Where the element was scrolled to, by us or as far as we have heard. */
  #applied = 0;
  #answer = 0;
  #moves = 0;
  #anchorKey: number | undefined;
  #seekSerial = 0;
  /** The list goes to another place of its own accord, until it is drawn there. */
  #jumps = false;
  #selected: readonly [number, number] | undefined;

  /** @param redraw Called when the layout is another one. */
  constructor(source: LogSource, redraw: () => void) {
    this.#source = source;
    this.#redraw = redraw;
    this.window.setKeys((position) =>
      position === source.buffer.first - 1 ? olderKey : source.buffer.keyAt(position),
    );
  }

  /** Whether the newest row stays on the screen. */
  get isFollowing(): boolean {
    return this.window.stuck === this.window.newestEdge;
  }

  /** Takes what there is now, and says what to draw. */
  layout(snapshot: SourceSnapshot, order: RowOrder, isWrapped: boolean): WindowLayout {
    const { window } = this;
    const { first, end, moves, seek, isLive } = snapshot;
    // The row before the oldest says what is there.
    window.setRows(end > first ? { first: first - 1, end } : { first, end: first });
    if (moves !== this.#moves) {
      this.#moves = moves;
      const position =
        this.#anchorKey === undefined ? undefined : this.#source.buffer.positionOfKey(this.#anchorKey);
      if (position !== undefined) window.moveAnchor(position);
    }
    window.setOrder(order);
    if (this.#element !== undefined) this.#takeSize(this.#element, isWrapped);
    // What was not asked to pause follows: another question, or the first.
    const isNew = snapshot.answer !== this.#answer;
    this.#answer = snapshot.answer;
    if (isNew || (isLive && !snapshot.paused && window.stuck === undefined))
      window.stickTo(window.newestEdge);
    if (seek !== undefined && seek.serial !== this.#seekSerial) {
      this.#seekSerial = seek.serial;
      window.reveal(seek.position, "middle");
      this.#jumps = true;
    }
    const sparePx =
      this.isFollowing && isLive ? sparePxFollowing : spareWindows * (this.#element?.clientHeight ?? 0);
    return window.layout(sparePx, this.#selected);
  }

  /** After drawing: moves the element to where the layout has it, and notes what is looked at. */
  drawn(layout: WindowLayout): void {
    const { buffer } = this.#source;
    const element = this.#element;
    if (element !== undefined) {
      if (this.window.isMeasured && this.#measure(element)) {
        // Before the browser paints.
        this.#redraw();
        return;
      }
      // What the reader has scrolled, and we have not heard of yet. Not so where the list itself went to
      // another place: then the browser may have moved the element, whose old place is no longer in it.
      const isOurs = this.window.stuck !== undefined || this.#jumps;
      const aheadPx = isOurs ? 0 : element.scrollTop - this.#applied;
      const scrollTop = layout.scrollTop + aheadPx;
      if (Math.abs(element.scrollTop - scrollTop) >= 1) element.scrollTop = scrollTop;
    }
    this.#applied = layout.scrollTop;
    this.#jumps = false;
    const position = this.window.anchorPosition;
    this.#anchorKey = buffer.keyAt(position);
    const row = this.isFollowing ? undefined : buffer.at(position);
    this.#source.lookAt(row?.kind === "entry" ? row.entry.timestamp : undefined);
  }

  /** Listens to the scrolled element. Returns what ends it. */
  attach(element: HTMLElement): () => void {
    this.#element = element;
    const stop = new AbortController();
    const options = { passive: true, signal: stop.signal };
    let timer: ReturnType<typeof setTimeout> | undefined;
    element.addEventListener(
      "scroll",
      () => {
        clearTimeout(timer);
        timer = setTimeout(() => this.#rest(), restMs);
        this.#onScroll(element);
      },
      options,
    );
    element.addEventListener("wheel", (event) => this.#onWheel(event), options);
    element.addEventListener("touchmove", () => this.#holdIfScrollable(), options);
    element.addEventListener("pointerdown", (event) => this.#onPointer(event, element), options);
    element.addEventListener("keydown", (event) => this.#onKey(event), options);
    document.addEventListener("selectionchange", () => this.#onSelection(element), options);
    const resizes = new ResizeObserver(() => {
      this.window.forgetHeights();
      this.#redraw();
    });
    resizes.observe(element);
    return () => {
      stop.abort();
      resizes.disconnect();
      clearTimeout(timer);
      this.#element = undefined;
    };
  }

  /** Holds still, and pauses what is live. */
  hold(): void {
    this.window.hold();
    this.#source.pause();
    this.#redraw();
  }

  /** Goes to the newest row and stays there. */
  follow(): void {
    this.window.stickTo(this.window.newestEdge);
    this.#source.resume();
    this.#redraw();
  }

  /** Shows a row. */
  reveal(position: number): void {
    this.hold();
    this.window.reveal(position, "nearest");
    this.#redraw();
  }

  /** Goes to the top or the bottom; where new rows come in, it stays there. */
  goTo(edge: "top" | "bottom"): void {
    if (edge === this.window.newestEdge) {
      this.follow();
      return;
    }
    this.hold();
    this.window.stickTo(edge);
    this.#redraw();
  }

  /** Tells the window how high the rows are. Returns whether that was news. */
  #measure(element: HTMLElement): boolean {
    let news = false;
    for (const row of element.querySelectorAll("[data-key]")) {
      const key = Number(row.getAttribute("data-key"));
      news = this.window.measure(key, row.getBoundingClientRect().height) || news;
    }
    return news;
  }

  #takeSize(element: HTMLElement, isWrapped: boolean): void {
    const rowPx = Number.parseFloat(getComputedStyle(element).lineHeight);
    this.#heightPx = element.clientHeight;
    this.window.setSize(this.#heightPx, Number.isFinite(rowPx) ? rowPx : 22, isWrapped);
  }

  #onScroll(element: HTMLElement): void {
    const { scrollTop, clientHeight } = element;
    // The browser's doing, since the element has another size; it is put right when that is drawn.
    if (clientHeight !== this.#heightPx) return;
    // Our own doing, or rounded.
    if (Math.abs(scrollTop - this.window.scrollTop) < 1) return;
    const edge = this.window.scrolledTo(scrollTop);
    this.#applied = scrollTop;
    if (edge === this.window.newestEdge && this.#selected === undefined) this.follow();
    else this.hold();
  }

  #rest(): void {
    this.window.rest();
    this.#redraw();
  }

  #onWheel({ deltaY }: WheelEvent): void {
    const isAway = this.window.newestEdge === "bottom" ? deltaY < 0 : deltaY > 0;
    if (isAway) this.#holdIfScrollable();
  }

  #onKey({ key, defaultPrevented }: KeyboardEvent): void {
    if (defaultPrevented) return;
    if (key === (this.window.newestEdge === "bottom" ? "PageUp" : "PageDown")) this.#holdIfScrollable();
  }

  /** On a row, text may be about to be selected; on the element itself, it is the scroll bar. */
  #onPointer({ pointerType, target, button }: PointerEvent, element: HTMLElement): void {
    if (pointerType === "touch" || button !== 0) return;
    if (target instanceof Element && target.closest("button") !== null) return;
    const isRow = target instanceof Element && target.closest("[data-key]") !== null;
    if (isRow) this.hold();
    else if (target === element) this.#holdIfScrollable();
  }

  #holdIfScrollable(): void {
    const element = this.#element;
    if (element !== undefined && element.scrollHeight > element.clientHeight) this.hold();
  }

  #onSelection(element: HTMLElement): void {
    const selection = document.getSelection();
    const positions =
      selection?.isCollapsed === false ? selectedPositions(selection, element, this.#source) : undefined;
    const before = this.#selected;
    this.#selected = positions;
    if (positions !== undefined && before === undefined) this.hold();
  }
}

/** Between which rows text is selected. */
function selectedPositions(
  { anchorNode, focusNode }: Selection,
  element: HTMLElement,
  { buffer }: LogSource,
): readonly [number, number] | undefined {
  const [from, to] = [anchorNode, focusNode].map((node) => {
    const key = node !== null && element.contains(node) ? rowKeyOf(node) : undefined;
    return key === undefined ? undefined : buffer.positionOfKey(key);
  });
  if (from === undefined && to === undefined) return undefined;
  return [from ?? to ?? 0, to ?? from ?? 0];
}

/** The key of the row that an element is in. */
export function rowKeyOf(node: Node): number | undefined {
  const element = node instanceof Element ? node : node.parentElement;
  const text = element?.closest("[data-key]")?.getAttribute("data-key");
  return text === undefined || text === null ? undefined : Number(text);
}
