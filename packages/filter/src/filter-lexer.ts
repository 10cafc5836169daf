/**
 * Cuts a filter's text into tokens, for the parser, and for highlighting and
 * completion while it is typed. What a character means depends on what stands
 * before it:
 *
 *   term     where a condition begins: operators, keywords, field names, text
 *   match    after `field:`: operators and text, which may hold `:` here and may begin with `-`
 *   operand  after `=` `>` `>=` `<` `<=`: text only
 *   pattern  after `~`: a regular expression, best in quotes
 *
 * and inside `in( )` a comma ends text. Text without quotes ends at white
 * space, `(`, `)`, `*`, `"`, and in a term at `:`, which makes it a field's
 * name. Quotes are `"…"` and `'…'`, in which a backslash stands before a quote
 * or a backslash to take it as it is (before anything else it is itself), and
 * `…` between backticks, in which every character is itself.
 */

/** What a token is. `error` is a quote that is not closed, or a character that means nothing here. */
export type FilterTokenKind =
  | "space"
  | "field"
  | "operator"
  | "keyword"
  | "word"
  | "phrase"
  | "regexp"
  | "star"
  | "comma"
  | "paren"
  | "error";

/** A piece of a filter's text; the tokens of a text lie side by side and cover it. */
export interface FilterToken {
  readonly kind: FilterTokenKind;
  /** Where it begins, in UTF-16 code units from 0. */
  readonly start: number;
  /** Where it ends, not in it. */
  readonly end: number;
}

/** Cuts any text, a filter or not, into tokens. Never throws. */
export function tokenizeFilter(text: string): FilterToken[] {
  const lexer = new Lexer(text);
  const tokens: FilterToken[] = [];
  for (let token = lexer.next(); token !== undefined; token = lexer.next()) tokens.push(token);
  return tokens;
}

/** The text that a quoted token means; a token without quotes means itself. */
export function unquote(token: string): string {
  const quote = token[0];
  if (quote === "`") return token.slice(1, -1);
  if (quote !== '"' && quote !== "'") return token;
  return token.slice(1, -1).replace(/\\([\\"'])/g, (pair: string, escaped: string) => {
    // The other quote needs no backslash, so that before it a backslash is itself.
    return escaped === "\\" || escaped === quote ? escaped : pair;
  });
}

/** The place in a token of the character at `offset` of the text that it means. */
export function quotedOffset(token: string, offset: number): number {
  const quote = token[0];
  if (quote === "`") return offset + 1;
  if (quote !== '"' && quote !== "'") return offset;
  let at = 1;
  for (let seen = 0; seen < offset; seen++) at += isEscape(token, at, quote) ? 2 : 1;
  return at;
}

function isEscape(text: string, at: number, quote: string): boolean {
  return text[at] === "\\" && (text[at + 1] === "\\" || text[at + 1] === quote);
}

type Context = "term" | "match" | "operand" | "pattern";

const keywordPattern = /^(?:and|or|not)$/i;
const spacePattern = /\s+/y;
const matchOperatorPattern = /!=|!~|>=|<=|[=~<>!]/y;
const termOperatorPattern = /!=|!~|>=|<=|[=~<>!:-]/y;
const listOpenPattern = /\s*\(/y;
const barePattern = /[^\s()*"]+/y;
const bareNamePattern = /[^\s()*":]+/y;
const bareListPattern = /[^\s()*",]+/y;

class Lexer {
  readonly #text: string;
  #at = 0;
  #context: Context = "term";
  /** After the keyword `in`, before its parenthesis. */
  #listOpens = false;
  #inList = false;

  constructor(text: string) {
    this.#text = text;
  }

  next(): FilterToken | undefined {
    if (this.#at >= this.#text.length) return undefined;
    return (
      this.#space() ??
      this.#punctuation() ??
      this.#quoted() ??
      this.#operator() ??
      this.#bare() ??
      this.#stray()
    );
  }

  #space(): FilterToken | undefined {
    const length = this.#lengthOf(spacePattern);
    if (length === 0) return undefined;
    // A value follows its colon at once: `error: text` is rather a line of a log.
    return this.#take("space", length, this.#context === "match" ? "term" : this.#context);
  }

  #punctuation(): FilterToken | undefined {
    switch (this.#text.charAt(this.#at)) {
      case "(":
        this.#inList = this.#listOpens;
        this.#listOpens = false;
        return this.#take("paren", 1, this.#inList ? "operand" : "term");
      case ")":
        this.#inList = false;
        return this.#take("paren", 1, "term");
      case "*":
        return this.#take("star", 1, this.#afterText());
      case ",":
        return this.#inList ? this.#take("comma", 1, "operand") : undefined;
      default:
        return undefined;
    }
  }

  #quoted(): FilterToken | undefined {
    const quote = this.#text[this.#at];
    if (quote !== '"' && quote !== "'" && quote !== "`") return undefined;
    let end = this.#at + 1;
    while (end < this.#text.length && this.#text[end] !== quote) {
      end += quote !== "`" && isEscape(this.#text, end, quote) ? 2 : 1;
    }
    if (end >= this.#text.length) return this.#take("error", this.#text.length - this.#at, "term");
    const length = end + 1 - this.#at;
    if (this.#context === "pattern") return this.#take("regexp", length, "term");
    if (this.#context === "term" && this.#text[end + 1] === ":") return this.#take("field", length, "term");
    return this.#take("phrase", length, this.#afterText());
  }

  #operator(): FilterToken | undefined {
    if (this.#context !== "term" && this.#context !== "match") return undefined;
    const length = this.#lengthOf(this.#context === "term" ? termOperatorPattern : matchOperatorPattern);
    if (length === 0) return undefined;
    return this.#take("operator", length, this.#afterOperator(this.#text.slice(this.#at, this.#at + length)));
  }

  #afterOperator(operator: string): Context {
    switch (operator) {
      case ":":
        return "match";
      case "~":
      case "!~":
        return "pattern";
      case "!":
      case "-":
        return this.#context;
      default:
        return "operand";
    }
  }

  #bare(): FilterToken | undefined {
    if (this.#context === "term" && this.#text[this.#at] === "|") return undefined;
    const length = this.#lengthOf(this.#barePattern());
    const end = this.#at + length;
    const word = this.#text.slice(this.#at, end);
    if (this.#context === "pattern") return this.#take("regexp", length, "term");
    if (this.#context === "term" && this.#text[end] === ":") return this.#take("field", length, "term");
    if (this.#context === "term" && keywordPattern.test(word)) return this.#take("keyword", length, "term");
    if (
      this.#context !== "operand" &&
      word.toLowerCase() === "in" &&
      this.#lengthOf(listOpenPattern, end) > 0
    ) {
      this.#listOpens = true;
      return this.#take("keyword", length, "term");
    }
    return this.#take("word", length, this.#afterText());
  }

  #barePattern(): RegExp {
    if (this.#inList) return bareListPattern;
    return this.#context === "term" ? bareNamePattern : barePattern;
  }

  #stray(): FilterToken {
    return this.#take("error", 1, "term");
  }

  #afterText(): Context {
    return this.#inList ? "operand" : "term";
  }

  #lengthOf(sticky: RegExp, at = this.#at): number {
    sticky.lastIndex = at;
    return sticky.test(this.#text) ? sticky.lastIndex - at : 0;
  }

  #take(kind: FilterTokenKind, length: number, context: Context): FilterToken {
    const start = this.#at;
    this.#at += length;
    this.#context = context;
    return { kind, start, end: this.#at };
  }
}
