/** Random regular expressions, and texts that they meet. */
import fc from "fast-check";

/** A character, class, assertion or flag, also such as RegExp and RE2 read differently. */
export const regexpLeaf = fc.constantFrom(
  ..."abkKsSß1 .^$-".split(""),
  ...[
    "\\d",
    "\\D",
    "\\w",
    "\\W",
    "\\s",
    "\\S",
    "\\.",
    "\\-",
    "\\n",
    "\\b",
    "\\B",
    "\\A",
    "\\z",
    "\u212A",
    "\u017F",
    "İ",
    "ς",
    "😀",
    "\\{",
  ],
  ...[
    "[ab]",
    "[^ab]",
    "[a-k]",
    "[^a-k1]",
    "[\\w.-]",
    "[-.]",
    '[^\\s"]',
    "[\\d\\n]",
    "[\\]\\[^]",
    '[\\.\\"]',
    "[κ-ω]",
    "[\\d-z]",
    "[[:alpha:]]",
  ],
  ...[
    "\\pL",
    "\\x41",
    "\\101",
    "\\x{6b}",
    "\\p{L}",
    "\\Qa.\\E",
    "\\Q\\E",
    "(?i)",
    "(?-i:k)",
    "{",
    "}",
    "{01}",
    "]",
  ],
);

/** A pattern, mostly one of RE2. */
export const regexpPattern = fc
  .tuple(
    fc.constantFrom("", "", "(?i)", "(?s)", "(?is)"),
    fc.letrec<{ part: string }>((tie) => ({
      part: fc.oneof(
        { maxDepth: 4, withCrossShrink: true },
        regexpLeaf,
        fc
          .tuple(tie("part"), fc.constantFrom("*", "+", "?", "{2}", "{1,2}", "{2,}", "+?", "{0}"))
          .map(([x, sign]) => x + sign),
        fc.array(tie("part"), { maxLength: 4 }).map((parts) => parts.join("")),
        fc.array(tie("part"), { minLength: 1, maxLength: 3 }).map((parts) => `(${parts.join("|")})`),
        tie("part").map((x) => `(?:${x})`),
        tie("part").map((x) => `(?P<n>${x})`),
      ),
    })).part,
  )
  .map(([flags, part]) => flags + part);

/** The characters of a text that such patterns often match. */
export const regexpSubject = fc.array(
  fc.constantFrom(...'aabbkKsSß1. -^{]"\n\rAZλΩ', "\u212A", "\u017F", "İ", "i", "ς", "Σ", "😀", "\u2028"),
  { maxLength: 12 },
);
