/**
 * Turns for tails where connections are few.
 *
 * Over HTTP/1.1 every stream takes a connection, and browsers open six to a
 * host, for all tabs together. Ten tabs with a tail each would leave none for
 * anything else, and four of them waiting for ever. So there streams hold one
 * of a few slots while they are connected, and hand it over:
 *
 *   slots    three for visible pages, one for all hidden ones: two connections
 *            are left for calls, and who is looked at waits for no hidden tab
 *   a slot   is a lock of the browser, shared by all tabs (slot-locks.ts)
 *   a turn   is 1.5 s; then whoever waits for that slot gets it. As long as
 *            nobody waits, it goes on. It goes on as well, 30 s at the most,
 *            while the stream has got nothing from its connection yet
 *   hiding   gives a visible page's slot up at once
 *   leaving  (frozen, or in the back/forward cache) gives everything up at
 *            once, over HTTP/2 as well, until the page is back
 *
 * Of ten visible tails each is some five seconds late at the most, of three none.
 * A tail resumes by its cursor, so a turn costs a request and loses nothing.
 *
 * Pages that are not of a secure context (http:// to another machine) have no
 * shared locks. There each page has two slots for itself, and hidden ones none:
 * they catch up when they are looked at.
 */
import type { Clock, ConnectionGate, ConnectionPass, ConnectionWish } from "@logsvc/client";
import type { PagePresence } from "./page-events.ts";
import { localLocks, type SlotLocks, webLocks } from "./slot-locks.ts";

/** How long a slot is kept when others wait for it. */
const turnMs = 1_500;

/** How many turns in a row a stream keeps a slot that was of no use to it yet: long enough for any heartbeat. */
const turnsMax = 20;

/** What turns are taken by. */
export interface ConnectionTurnsOptions {
  /** The server's origin: connections are counted by it. */
  readonly origin: string;
  /** Whether each stream takes a connection of its own. Asked before each. */
  readonly areFew: () => boolean;
  readonly presence: PagePresence;
  readonly clock: Clock;
  /** Absent: the browser has none to share. */
  readonly locks?: LockManager | undefined;
}

/** Names of slots, by who may have them. */
interface Slots {
  readonly locks: SlotLocks;
  readonly visible: readonly string[];
  readonly hidden: readonly string[];
}

/** A slot that is held. */
interface HeldSlot {
  readonly name: string;
  readonly slots: Slots;
  readonly giveBack: () => void;
}

/** The gate that makes streams take turns. */
export class ConnectionTurns implements ConnectionGate {
  readonly #options: ConnectionTurnsOptions;
  #slots: Slots;

  constructor(options: ConnectionTurnsOptions) {
    this.#options = options;
    const { origin, locks } = options;
    this.#slots = locks === undefined ? ownSlots(origin) : sharedSlots(origin, locks);
  }

  async enter(wish: ConnectionWish): Promise<ConnectionPass | undefined> {
    const { presence, areFew } = this.#options;
    while (!wish.signal.aborted) {
      if (presence.standing === "away") await this.#change(wish.signal);
      else if (!areFew()) return this.#pass(wish, undefined);
      else {
        const slot = await this.#wait(wish.signal);
        if (slot !== undefined) return this.#pass(wish, slot);
      }
    }
    return undefined;
  }

  /** Waits for a slot. Undefined: aborted, or the page's standing has changed meanwhile, so ask anew. */
  async #wait(signal: AbortSignal): Promise<HeldSlot | undefined> {
    const slots = this.#slots;
    const names = this.#options.presence.standing === "hidden" ? slots.hidden : slots.visible;
    if (names.length === 0) return this.#change(signal);
    const change = new AbortController();
    const forget = this.#options.presence.onChange(() => change.abort());
    const stop = AbortSignal.any([signal, change.signal]);
    try {
      const name = await this.#leastWanted(slots, names);
      const giveBack = await slots.locks.take(name, stop);
      if (giveBack === undefined) return undefined;
      if (!stop.aborted) return { name, slots, giveBack };
      giveBack();
    } catch {
      // A frame of another origin, or one without an origin, may not use the browser's locks.
      this.#slots = ownSlots(this.#options.origin);
    } finally {
      forget();
    }
    return undefined;
  }

  async #leastWanted({ locks }: Slots, names: readonly string[]): Promise<string> {
    const { held, waiting } = await locks.look();
    const wants = [...held, ...waiting];
    const first = Math.floor(this.#options.clock.random() * names.length);
    // Begun at random, so that those that ask at the same time do not all ask for the same.
    const inTurn = [...names.slice(first), ...names.slice(0, first)];
    const counts = inTurn.map((name) => wants.filter((want) => want === name).length);
    return inTurn[counts.indexOf(Math.min(...counts))] ?? "";
  }

  #pass(wish: ConnectionWish, slot: HeldSlot | undefined): ConnectionPass {
    const { presence } = this.#options;
    const recalled = new AbortController();
    const { signal } = recalled;
    const release = (): void => {
      if (signal.aborted) return;
      // The connection is closed by this, before others are let in.
      recalled.abort();
      forget();
      stopTurns();
      slot?.giveBack();
    };
    const isMisplaced = (): boolean =>
      presence.standing === "away" ||
      (presence.standing === "hidden" && slot !== undefined && !slot.slots.hidden.includes(slot.name));
    const forget = presence.onChange(() => isMisplaced() && release());
    const stopTurns = slot === undefined ? () => undefined : this.#turns(wish, slot, release);
    if (isMisplaced()) release();
    return { recalled: signal, release };
  }

  /** Calls `release` at the end of a turn, when others wait. Returns what stops it. */
  #turns(wish: ConnectionWish, { name, slots }: HeldSlot, release: () => void): () => void {
    const { clock } = this.#options;
    let cancel = (): void => undefined;
    let turns = 0;
    const begin = (): void => {
      cancel = clock.startTimer(() => void end(), turnMs);
    };
    const end = async (): Promise<void> => {
      turns += 1;
      begin();
      if (!wish.mayLeave() && turns < turnsMax) return;
      // What can't be asked now may be asked at the next turn's end.
      const { waiting } = await slots.locks.look().catch(() => ({ waiting: [name] }));
      if (waiting.includes(name)) release();
    };
    begin();
    return () => cancel();
  }

  /** Resolves when the page's standing changes, or the signal aborts. */
  async #change(signal: AbortSignal): Promise<undefined> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = (): void => resolve();
    const forget = this.#options.presence.onChange(stop);
    signal.addEventListener("abort", stop);
    await promise;
    forget();
    signal.removeEventListener("abort", stop);
  }
}

function sharedSlots(origin: string, manager: LockManager): Slots {
  const name = (place: string): string => `logsvc ${origin} ${place}`;
  return {
    locks: webLocks(manager),
    visible: [name("visible 1"), name("visible 2"), name("visible 3")],
    hidden: [name("hidden")],
  };
}

/** Of this page, whichever clients it has. */
const pageLocks = localLocks();

/** Two: with a second window beside this one there are still calls that find a connection. */
function ownSlots(origin: string): Slots {
  return { locks: pageLocks, visible: [`${origin} 1`, `${origin} 2`], hidden: [] };
}
