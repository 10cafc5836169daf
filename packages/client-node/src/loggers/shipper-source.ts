/** Where an adapter's entries go: to a shipper of the application's, or to one of its own. */
import { createShipper } from "../shipper/create-shipper.ts";
import type { LogShipper, ShipperOptions } from "../shipper/log-shipper.ts";

/** An application's shipper, which it closes itself. */
export interface SharedShipper {
  readonly shipper: LogShipper;
  /** Whether the shipper names a service, so that the logger's own name stays an attribute. Default: false. */
  readonly hasService?: boolean;
}

/** A shipper of the adapter's own, which it closes. */
export type AdapterTarget = ShipperOptions | SharedShipper;

/** A shipper, and what the adapter has to do with it. */
export interface OpenedTarget {
  readonly shipper: LogShipper;
  readonly hasService: boolean;
  /** Flushes; closes a shipper of the adapter's own. */
  end(): Promise<void>;
}

/**
 * Takes the application's shipper, or creates one.
 *
 * @throws As createShipper.
 */
export function openTarget(target: AdapterTarget): OpenedTarget {
  if ("shipper" in target) {
    const { shipper, hasService = false } = target;
    return {
      shipper,
      hasService,
      end: async () => {
        await shipper.flush();
      },
    };
  }
  const shipper = createShipper(target);
  return {
    shipper,
    hasService: target.service !== undefined && target.service !== "",
    end: async () => {
      await shipper.close();
    },
  };
}
