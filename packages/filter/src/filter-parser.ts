/**
 * Reads a filter's text into its tree.
 *
 *   filter     = [ or ]
 *   or         = and { "OR" and }
 *   and        = not { [ "AND" ] not }
 *   not        = ( "NOT" | "-" | "!" ) not | primary
 *   primary    = "(" or ")" | "*" | [ name ":" ] match
 *   match      = "!" match | "(" or ")" | "in" "(" text { "," text } ")"
 *              | text [ "*" ] | "*" | ( "=" | "!=" ) text | ( "~" | "!~" ) regexp | ( ">" | ">=" | "<" | "<=" ) text
 *   name, text = a word without quotes or a text in quotes (see the lexer)
 *
 * Keywords are read in any case. Without a name a match is on the message, or,
 * in the parentheses of `name:( )`, on that name. What belongs to one text, and
 * a name's colon and its match, stand side by side without space.
 *
 * The tree is in one shape for one meaning: `and` and `or` have two nodes or
 * more and none of their own kind, `!=` and `!~` are `not`, an empty text is
 * `absent`.
 */
import { limits, severityOf } from "@logsvc/proto";
import { parseComparable } from "./comparable.ts";
import { type FilterToken, quotedOffset, tokenizeFilter, unquote } from "./filter-lexer.ts";
import type { CompareOperator, FieldMatch, FilterNode } from "./filter-node.ts";
import { formatFilter } from "./filter-printer.ts";
import { FilterSyntaxError } from "./filter-syntax-error.ts";
import { compileRegexp, RegexpSyntaxError, regexpSize } from "./regexp.ts";

/**
 * Reads a filter. Empty text is the filter that every entry passes.
 *
 * @throws FilterSyntaxError when the text is not a filter, or exceeds
 *   `limits.filterBytesMax` or `limits.filterDepthMax`.
 */
export function parseFilter(text: string): FilterNode {
  refuseLongText(text);
  const node = new Parser(text).parse();
  // Quoting and `name:(a OR b)` can make the printed form longer; a tree whose
  // print can't be read back would be of no use to whoever stores or sends it.
  const printedBytes = utf8.encode(formatFilter(node)).length;
  if (printedBytes > limits.filterBytesMax) {
    const reason = `written out in full the filter has ${printedBytes} bytes, the limit is ${limits.filterBytesMax}`;
    throw new FilterSyntaxError(reason, 0, text.length);
  }
  return node;
}

const utf8 = new TextEncoder();

function refuseLongText(text: string): void {
  // UTF-8 has at least a byte for each UTF-16 code unit, so that only text of a bounded length is encoded.
  const bytes = text.length > limits.filterBytesMax ? text.length : utf8.encode(text).length;
  if (bytes <= limits.filterBytesMax) return;
  const reason = `the filter has ${bytes} bytes or more, the limit is ${limits.filterBytesMax}`;
  throw new FilterSyntaxError(reason, 0, text.length);
}

class Parser {
  readonly #text: string;
  readonly #tokens: FilterToken[];
  #index = 0;
  #depth = 0;
  /** The field of the parentheses that `name:( )` opened. */
  #field: string | undefined;
  #regexpCount = 0;
  /** The sizes of all regular expressions so far. */
  #regexpSize = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokenizeFilter(text).filter((token) => token.kind !== "space");
  }

  parse(): FilterNode {
    if (this.#tokens.length === 0) return { kind: "all" };
    const node = this.#or("a condition");
    const rest = this.#peek();
    if (rest !== undefined) throw this.#unexpected(rest);
    return node;
  }

  #or(expected: string): FilterNode {
    const nodes = [this.#and(expected)];
    while (this.#takeKeyword("or")) nodes.push(this.#and("a condition after OR"));
    return join("or", nodes);
  }

  #and(expected: string): FilterNode {
    const nodes = [this.#not(expected)];
    for (;;) {
      if (this.#takeKeyword("and")) nodes.push(this.#not("a condition after AND"));
      else if (this.#beginsCondition()) nodes.push(this.#not("a condition"));
      else return join("and", nodes);
    }
  }

  #beginsCondition(): boolean {
    const token = this.#peek();
    if (token === undefined || token.kind === "error" || token.kind === "comma") return false;
    const text = this.#textOf(token);
    return text !== ")" && !(token.kind === "keyword" && text.toLowerCase() === "or");
  }

  #not(expected: string): FilterNode {
    const token = this.#peek();
    if (token !== undefined && this.#takeNegation()) {
      const operand = `a condition after ${this.#textOf(token).toUpperCase()}`;
      if (token.kind === "operator") this.#refuseLooseNegation(token);
      return this.#nested(token, () => ({ kind: "not", node: this.#not(operand) }));
    }
    return this.#primary(expected);
  }

  /** In `a - b` the dash is rather text than a negation. */
  #refuseLooseNegation(token: FilterToken): void {
    if (this.#peek() === undefined || this.#isAdjacent(token)) return;
    const sign = this.#textOf(token);
    throw this.#fault(
      `\`${sign}\` stands directly before what it negates; put text that holds it in quotes`,
      token,
    );
  }

  #primary(expected: string): FilterNode {
    const token = this.#peek();
    if (token === undefined) throw this.#missing(expected);
    if (token.kind === "field") return this.#fieldCondition();
    if (this.#textOf(token) === "(") return this.#group();
    if (token.kind === "star" && this.#field === undefined) {
      this.#index++;
      this.#refuseAdjacent(token, "`*` stands at the end of a word");
      return { kind: "all" };
    }
    return this.#match(this.#field ?? "message", expected);
  }

  #group(): FilterNode {
    const open = this.#next();
    return this.#nested(open, () => {
      if (this.#isNext(")"))
        throw this.#fault("empty parentheses; expected a condition in them", open, this.#peek());
      const node = this.#or("a condition after `(`");
      const close = this.#peek();
      if (close === undefined) throw this.#fault("the parenthesis is not closed; expected `)`", open);
      if (this.#textOf(close) !== ")") throw this.#unexpected(close);
      this.#index++;
      return node;
    });
  }

  #fieldCondition(): FilterNode {
    const token = this.#next();
    const colon = this.#next();
    const field = unquote(this.#textOf(token));
    this.#refuseField(field, token);
    if (!this.#isAdjacent(colon)) {
      const reason = `expected a value directly after \`${this.#textOf(token)}:\`; put text that holds a colon in quotes`;
      throw this.#fault(reason, token, colon);
    }
    return this.#match(field, `a value after \`${this.#textOf(token)}:\``);
  }

  #refuseField(field: string, token: FilterToken): void {
    if (field === "") throw this.#fault("the field's name is empty", token);
    const bytes = utf8.encode(field).length;
    if (bytes > limits.attributeKeyBytesMax) {
      const reason = `the field's name has ${bytes} bytes, the limit is ${limits.attributeKeyBytesMax}`;
      throw this.#fault(reason, token);
    }
    if (field === "timestamp") {
      throw this.#fault("time is not in the filter; give a time range beside it (start, end, since)", token);
    }
  }

  #match(field: string, expected: string): FilterNode {
    const token = this.#peek();
    if (token === undefined) throw this.#missing(expected);
    switch (token.kind) {
      case "word":
      case "phrase":
        return this.#phrase(field);
      case "star":
        this.#index++;
        this.#refuseAdjacent(token, "`*` stands at the end of a word");
        return condition(field, { kind: "present" });
      case "paren":
        return this.#textOf(token) === "(" ? this.#fieldGroup(field) : this.#throwExpected(expected, token);
      case "keyword":
        return this.#textOf(token).toLowerCase() === "in"
          ? this.#in(field)
          : this.#throwExpected(expected, token);
      case "operator":
        return this.#operator(field, expected);
      case "error":
        throw this.#unexpected(token);
      case "field":
      case "regexp":
      case "comma":
      case "space":
        return this.#throwExpected(expected, token);
    }
  }

  #fieldGroup(field: string): FilterNode {
    const outer = this.#field;
    this.#field = field;
    const node = this.#group();
    this.#field = outer;
    return node;
  }

  #phrase(field: string): FilterNode {
    const token = this.#next();
    const text = unquote(this.#textOf(token));
    const star = this.#peek();
    if (star?.kind === "star" && star.start === token.end) {
      this.#index++;
      if (text === "")
        throw this.#fault("nothing before `*`; write `field:*` for a field that is present", token, star);
      this.#refuseAdjacent(star, "`*` stands at the end of a word");
      return condition(field, { kind: "prefix", text });
    }
    this.#refuseAdjacentText(token);
    return condition(field, text === "" ? { kind: "absent" } : { kind: "phrase", text });
  }

  #operator(field: string, expected: string): FilterNode {
    const token = this.#next();
    const operator = this.#textOf(token);
    switch (operator) {
      case "!":
        this.#refuseLooseNegation(token);
        return this.#nested(token, () => ({ kind: "not", node: this.#match(field, "a value after `!`") }));
      case "=":
        return condition(field, { kind: "exact", text: this.#operand(operator) });
      case "!=":
        return this.#nested(token, () => ({
          kind: "not",
          node: condition(field, { kind: "exact", text: this.#operand(operator) }),
        }));
      case "~":
        return condition(field, this.#regexp());
      case "!~":
        return this.#nested(token, () => ({ kind: "not", node: condition(field, this.#regexp()) }));
      case ">":
      case ">=":
      case "<":
      case "<=":
        return condition(field, this.#compare(field, operator));
      default:
        return this.#throwExpected(expected, token);
    }
  }

  #operand(operator: string): string {
    const token = this.#peek();
    if (token === undefined) throw this.#missing(`a value after \`${operator}\``);
    if (token.kind !== "word" && token.kind !== "phrase")
      this.#throwExpected(`a value after \`${operator}\``, token);
    this.#index++;
    const star = this.#peek();
    if (star?.kind === "star" && star.start === token.end) {
      throw this.#fault(
        `no \`*\` after \`${operator}\`; write \`field:${this.#textOf(token)}*\` or put it in quotes`,
        star,
      );
    }
    this.#refuseAdjacentText(token);
    return unquote(this.#textOf(token));
  }

  #compare(field: string, operator: CompareOperator): FieldMatch {
    const text = this.#operand(operator);
    const token = this.#tokens[this.#index - 1];
    const known = field === "level" ? severityOf(text) > 0 : parseComparable(text) !== undefined;
    if (known || token === undefined) return { kind: "compare", operator, text };
    const expected =
      field === "level"
        ? "expected a level such as trace, debug, info, warn, error or fatal"
        : "expected a number, a duration such as 1.5s or a size such as 10KiB";
    throw this.#fault(`\`${text}\` can't be compared; ${expected}`, token);
  }

  #regexp(): FieldMatch {
    const token = this.#peek();
    if (token === undefined || token.kind === "paren") {
      throw this.#missing("a regular expression in quotes after `~`");
    }
    if (token.kind !== "regexp") throw this.#unexpected(token);
    this.#index++;
    this.#refuseAdjacentText(token);
    if (++this.#regexpCount > limits.filterRegexpsMax) {
      const reason = `more regular expressions than the limit of ${limits.filterRegexpsMax}; join some with \`|\``;
      throw this.#fault(reason, token);
    }
    const pattern = unquote(this.#textOf(token));
    this.#checkRegexp(pattern, token);
    return { kind: "regexp", pattern };
  }

  #checkRegexp(pattern: string, token: FilterToken): void {
    try {
      compileRegexp(pattern);
    } catch (error) {
      if (!(error instanceof RegexpSyntaxError)) throw error;
      const raw = this.#textOf(token);
      const start = token.start + quotedOffset(raw, error.start);
      const end = token.start + quotedOffset(raw, error.end);
      throw new FilterSyntaxError(`in the regular expression: ${error.message}`, start, end);
    }
    this.#regexpSize += regexpSize(pattern);
    if (this.#regexpSize > limits.filterRegexpSizeMax) {
      const reason = `the filter's regular expressions have about ${this.#regexpSize} steps together, the limit is ${limits.filterRegexpSizeMax}`;
      throw this.#fault(reason, token);
    }
  }

  #in(field: string): FilterNode {
    const keyword = this.#next();
    const open = this.#next();
    if (this.#isNext(")"))
      throw this.#fault("`in()` is empty; expected at least one value in it", keyword, this.#peek());
    const texts: string[] = [];
    for (;;) {
      const token = this.#peek();
      if (token === undefined)
        throw this.#fault("the parenthesis of `in(` is not closed; expected `)`", open);
      if (token.kind !== "word" && token.kind !== "phrase") this.#throwExpected("a value in `in( )`", token);
      this.#index++;
      texts.push(unquote(this.#textOf(token)));
      const after = this.#peek();
      if (after === undefined)
        throw this.#fault("the parenthesis of `in(` is not closed; expected `)`", open);
      this.#index++;
      if (this.#textOf(after) === ")") return condition(field, { kind: "in", texts });
      if (after.kind !== "comma") this.#throwExpected("`,` or `)` after a value in `in( )`", after);
    }
  }

  /** Goes one level down: every way the parser calls itself passes here. */
  #nested(token: FilterToken, parse: () => FilterNode): FilterNode {
    if (this.#depth === limits.filterDepthMax) {
      throw this.#fault(
        `parentheses and negations nest deeper than the limit of ${limits.filterDepthMax}`,
        token,
      );
    }
    this.#depth++;
    const node = parse();
    this.#depth--;
    return node;
  }

  #peek(): FilterToken | undefined {
    return this.#tokens[this.#index];
  }

  /** The next token, which the lexer or a look at it before guarantees. */
  #next(): FilterToken {
    const token = this.#tokens[this.#index];
    if (token === undefined) throw this.#missing("more");
    this.#index++;
    return token;
  }

  #isNext(text: string): boolean {
    const token = this.#peek();
    return token !== undefined && this.#textOf(token) === text;
  }

  #takeKeyword(keyword: string): boolean {
    const token = this.#peek();
    if (token?.kind !== "keyword" || this.#textOf(token).toLowerCase() !== keyword) return false;
    this.#index++;
    return true;
  }

  #takeNegation(): boolean {
    const token = this.#peek();
    if (token?.kind === "operator" && ["-", "!"].includes(this.#textOf(token))) {
      this.#index++;
      return true;
    }
    return this.#takeKeyword("not");
  }

  #textOf(token: FilterToken): string {
    return this.#text.slice(token.start, token.end);
  }

  /** Whether the next token follows this one without space. */
  #isAdjacent(token: FilterToken): boolean {
    return this.#peek()?.start === token.end;
  }

  #refuseAdjacent(token: FilterToken, reason: string): void {
    const next = this.#peek();
    if (next === undefined || next.start !== token.end || this.#textOf(next) === ")") return;
    throw this.#fault(`${reason}; put text that holds it in quotes`, token);
  }

  #refuseAdjacentText(token: FilterToken): void {
    const next = this.#peek();
    if (next === undefined || next.start !== token.end || next.kind === "error") return;
    const text = this.#textOf(next);
    if (text === ")") return;
    const reason =
      text === "("
        ? "is not a function; the only one is `in( )`"
        : "is followed by other text without a space";
    throw this.#fault(
      `\`${this.#textOf(token)}\` ${reason}; put text that holds such characters in quotes`,
      token,
      next,
    );
  }

  #missing(expected: string): FilterSyntaxError {
    const last = this.#tokens[this.#index - 1];
    return new FilterSyntaxError(`expected ${expected}`, last?.start ?? 0, last?.end ?? this.#text.length);
  }

  #throwExpected(expected: string, found: FilterToken): never {
    if (found.kind === "error") throw this.#unexpected(found);
    throw this.#fault(`expected ${expected}, found \`${this.#textOf(found)}\``, found);
  }

  #unexpected(token: FilterToken): FilterSyntaxError {
    const text = this.#textOf(token);
    if (text === ")") return this.#fault("`)` without a `(` before it", token);
    if (text === "|") return this.#fault("there are no pipes; put a `|` to search for in quotes", token);
    if (token.kind === "error") return this.#fault(`the quote is not closed; expected ${text[0]}`, token);
    return this.#fault(`unexpected \`${text}\``, token);
  }

  #fault(reason: string, first: FilterToken, last: FilterToken = first): FilterSyntaxError {
    return new FilterSyntaxError(reason, first.start, last.end);
  }
}

function condition(field: string, match: FieldMatch): FilterNode {
  return { kind: "field", field, match };
}

function join(kind: "and" | "or", nodes: FilterNode[]): FilterNode {
  const flat = nodes.flatMap((node) => (node.kind === kind ? node.nodes : [node]));
  const [first] = flat;
  return first !== undefined && flat.length === 1 ? first : { kind, nodes: flat };
}
