/** Tells blocks that no entry can pass a filter in, from their heads and their words. */
import { type FilterNeeds, type FilterNode, filterNeeds } from "@logsvc/filter";
import { levelOfSeverity, severityCount } from "../../scan/entry-field.ts";
import { type BlockHead, levelCountsOf, servicesOf } from "../block-format.ts";
import type { BlockReader } from "../block-reader.ts";
import { hashWord } from "../word-filter.ts";

/** Where the words of blocks are looked up. */
type WordLookup = Pick<BlockReader, "mayHaveWord">;

/** Whether a block may have an entry that passes. */
export type BlockTest = (head: BlockHead) => boolean;

/** The test for a filter's blocks; undefined: every block may. */
export function compileSkipping(filter: FilterNode, reader: WordLookup): BlockTest | undefined {
  return compileNeeds(filterNeeds(filter), reader);
}

function compileNeeds(needs: FilterNeeds, reader: WordLookup): BlockTest | undefined {
  switch (needs.kind) {
    case "anything":
      return undefined;
    case "nothing":
      return () => false;
    case "and": {
      const tests = headsFirst(needs.needs).flatMap((need) => compileNeeds(need, reader) ?? []);
      return tests.length === 0 ? undefined : (head) => tests.every((test) => test(head));
    }
    case "or": {
      const tests = headsFirst(needs.needs).map((need) => compileNeeds(need, reader));
      if (tests.includes(undefined)) return undefined;
      return (head) => tests.some((test) => test?.(head));
    }
    case "word": {
      const hash = hashWord(needs.word);
      return (head) => reader.mayHaveWord(head, hash);
    }
    case "field":
      return needs.field === "level" ? levelTest(needs.matches) : serviceTest(needs.matches);
  }
}

/** What the head tells comes before what is looked up. */
function headsFirst(needs: readonly FilterNeeds[]): FilterNeeds[] {
  const costs = { anything: 0, nothing: 0, field: 1, word: 2, and: 3, or: 3 };
  return needs.toSorted((a, b) => costs[a.kind] - costs[b.kind]);
}

function levelTest(matches: (text: string) => boolean): BlockTest {
  // A severity of 0 may be any text.
  const passes = Uint8Array.from({ length: severityCount }, (_, severity) =>
    severity === 0 || matches(levelOfSeverity(severity)) ? 1 : 0,
  );
  return (head) =>
    levelCountsOf(head)
      .keys()
      .some((severity) => passes[severity] === 1);
}

function serviceTest(matches: (text: string) => boolean): BlockTest {
  return (head) => servicesOf(head)?.some(matches) ?? true;
}
