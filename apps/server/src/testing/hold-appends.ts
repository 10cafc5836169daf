/** An engine that stores when it is let, so that tests see what waits for it. */
import type { Engine } from "@logsvc/engine";

/** An engine whose appends are held. */
export interface HeldEngine {
  readonly engine: Engine;
  /** Lets all appends begin, those to come as well. */
  readonly letGo: () => void;
  /** How many appends were asked for. */
  readonly held: () => number;
  /** How many entries these were of. */
  readonly heldEntries: () => number;
}

/** The engine, with appends that begin only when they are let go. */
export function holdAppends(engine: Engine): HeldEngine {
  const gate = Promise.withResolvers<void>();
  let held = 0;
  let heldEntries = 0;
  const append: Engine["append"] = async (batch) => {
    held += 1;
    heldEntries += batch.count;
    await gate.promise;
    return engine.append(batch);
  };
  return {
    engine: withAppend(engine, append),
    letGo: () => gate.resolve(),
    held: () => held,
    heldEntries: () => heldEntries,
  };
}

/** The engine, with another way to append. */
export function withAppend(engine: Engine, append: Engine["append"]): Engine {
  return new Proxy(engine, {
    get: (target, key) => {
      if (key === "append") return append;
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
