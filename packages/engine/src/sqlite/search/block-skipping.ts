/** Tells blocks, and stripes of blocks, that no entry can pass a filter in, from their heads and their words. */
import { type FilterNeeds, type FilterNode, filterNeeds } from "@logsvc/filter";
import { levelOfSeverity, severityCount } from "../../scan/entry-field.ts";
import { type BlockHead, levelCountsOf, servicesOf } from "../block-format.ts";
import type { BlockReader } from "../block-reader.ts";
import { everyStripe } from "../stripes.ts";
import { hashWord } from "../word-filter.ts";

/** Where the words of blocks are looked up. */
type WordLookup = Pick<BlockReader, "stripesWithWord">;

/** The stripes of a block that may have an entry that passes, as a set of bits; 0: there is none. */
export type StripeTest = (head: BlockHead) => number;

/** The test for a filter's blocks; undefined: every stripe may. */
export function compileSkipping(filter: FilterNode, reader: WordLookup): StripeTest | undefined {
  return compileNeeds(filterNeeds(filter), reader);
}

function compileNeeds(needs: FilterNeeds, reader: WordLookup): StripeTest | undefined {
  switch (needs.kind) {
    case "anything":
      return undefined;
    case "nothing":
      return () => 0;
    case "and": {
      const tests = headsFirst(needs.needs).flatMap((need) => compileNeeds(need, reader) ?? []);
      return tests.length === 0 ? undefined : (head) => inAll(tests, head);
    }
    case "or": {
      const tests = headsFirst(needs.needs).flatMap((need) => compileNeeds(need, reader) ?? []);
      if (tests.length < needs.needs.length) return undefined;
      return (head) => inAny(tests, head);
    }
    case "word": {
      const hash = hashWord(needs.word);
      return (head) => reader.stripesWithWord(head, hash);
    }
    case "field":
      return needs.field === "level" ? levelTest(needs.matches) : serviceTest(needs.matches);
  }
}

/** An entry has all that is needed, and is in one stripe. */
function inAll(tests: readonly StripeTest[], head: BlockHead): number {
  let stripes = everyStripe;
  for (const test of tests) {
    stripes &= test(head);
    if (stripes === 0) break;
  }
  return stripes;
}

function inAny(tests: readonly StripeTest[], head: BlockHead): number {
  let stripes = 0;
  for (const test of tests) {
    stripes |= test(head);
    if (stripes === everyStripe) break;
  }
  return stripes;
}

/** What the head tells comes before what is looked up. */
function headsFirst(needs: readonly FilterNeeds[]): FilterNeeds[] {
  const costs = { anything: 0, nothing: 0, field: 1, word: 2, and: 3, or: 3 };
  return needs.toSorted((a, b) => costs[a.kind] - costs[b.kind]);
}

function levelTest(matches: (text: string) => boolean): StripeTest {
  // A severity of 0 may be any text.
  const passes = Uint8Array.from({ length: severityCount }, (_, severity) =>
    severity === 0 || matches(levelOfSeverity(severity)) ? 1 : 0,
  );
  const mayPass = (head: BlockHead) =>
    levelCountsOf(head)
      .keys()
      .some((severity) => passes[severity] === 1);
  return (head) => (mayPass(head) ? everyStripe : 0);
}

function serviceTest(matches: (text: string) => boolean): StripeTest {
  return (head) => ((servicesOf(head)?.some(matches) ?? true) ? everyStripe : 0);
}
