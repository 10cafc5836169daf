/**
 * The definition of an engine, as tests: every promise of engine.ts. An
 * implementation calls it in its own test file and is an engine when they pass.
 * A difference exists only as a `skip` with its reason.
 */
import { test } from "node:test";
import { appendContract } from "./contract/append-contract.ts";
import type { ContractTest, OpenEngine } from "./contract/engine-under-test.ts";
import { randomSearchContract } from "./contract/random-search-contract.ts";
import { readContract } from "./contract/read-contract.ts";
import { searchContract } from "./contract/search-contract.ts";

export type { EngineUnderTest, OpenEngine } from "./contract/engine-under-test.ts";

/** Who is tested. */
export interface EngineContractOptions {
  /** The implementation's name, which the tests' names begin with. */
  readonly name: string;
  readonly open: OpenEngine;
  /** Promises that this engine does not keep, by the tests' names, and why. */
  readonly skip?: readonly { readonly reason: string; readonly tests: readonly string[] }[];
}

/**
 * Registers the tests.
 *
 * @throws Error when a test to skip does not exist.
 */
export function engineContract({ name, open, skip = [] }: EngineContractOptions): void {
  const contract: readonly ContractTest[] = [
    ...appendContract,
    ...readContract,
    ...searchContract,
    ...randomSearchContract,
  ];
  const reasons = new Map(skip.flatMap(({ reason, tests }) => tests.map((each) => [each, reason] as const)));
  for (const each of contract) {
    test(`${name}: ${each.name}`, { skip: reasons.get(each.name) ?? false }, (t) => each.run(t, open));
    reasons.delete(each.name);
  }
  if (reasons.size > 0) throw new Error(`no such tests to skip: ${[...reasons.keys()].join("; ")}`);
}
