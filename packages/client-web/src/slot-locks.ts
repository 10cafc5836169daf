/**
 * Locks that streams wait in line for: the browser's, which all tabs of an
 * origin share, or where there are none, those of this page alone.
 */

/** Named locks, each held by one and granted in the order of asking. */
export interface SlotLocks {
  /** Resolves with what gives the lock back, or with undefined when the signal aborts first. */
  take(name: string, signal: AbortSignal): Promise<(() => void) | undefined>;
  /** The names that are held or waited for, once for each who does. */
  look(): Promise<{ readonly held: readonly string[]; readonly waiting: readonly string[] }>;
}

/**
 * The browser's locks.
 *
 * @throws In `take` and `look`, what the browser says: not every frame may use them.
 */
export function webLocks(manager: LockManager): SlotLocks {
  return {
    take: (name, signal) => {
      const taken = Promise.withResolvers<(() => void) | undefined>();
      manager
        .request(name, { signal }, () => {
          const held = Promise.withResolvers<void>();
          taken.resolve(held.resolve);
          return held.promise;
        })
        .catch((error: unknown) => (signal.aborted ? taken.resolve(undefined) : taken.reject(error)));
      return taken.promise;
    },
    look: async () => {
      const { held = [], pending = [] } = await manager.query();
      return { held: held.map(nameOf), waiting: pending.map(nameOf) };
    },
  };
}

const nameOf = ({ name = "" }: LockInfo): string => name;

/** Locks of this page alone. */
export function localLocks(): SlotLocks {
  const lines = new Map<string, (() => void)[]>();
  const next = (name: string) => (): void => {
    const line = lines.get(name) ?? [];
    line.shift();
    if (line.length === 0) lines.delete(name);
    line[0]?.();
  };
  return {
    take: (name, signal) => {
      const { promise, resolve } = Promise.withResolvers<(() => void) | undefined>();
      if (signal.aborted) return Promise.resolve(undefined);
      const line = lines.get(name) ?? [];
      const leave = (): void => {
        line.splice(line.indexOf(grant), 1);
        resolve(undefined);
      };
      const grant = (): void => {
        signal.removeEventListener("abort", leave);
        resolve(next(name));
      };
      signal.addEventListener("abort", leave);
      lines.set(name, line);
      if (line.push(grant) === 1) grant();
      return promise;
    },
    look: async () => ({
      held: [...lines.keys()],
      waiting: [...lines].flatMap(([name, line]) => line.slice(1).map(() => name)),
    }),
  };
}
