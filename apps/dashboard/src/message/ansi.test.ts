import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type AnsiStyle, ansiSpansMax, hasControls, parseAnsi, stripAnsi } from "./ansi.ts";
import { ansiLook, contrast } from "./ansi-look.ts";

const styleOf = (sequence: string): AnsiStyle | undefined => parseAnsi(`\u001b[${sequence}mx`)[0]?.style;

describe("parseAnsi", () => {
  test("leaves plain text alone", () => {
    assert.deepEqual(parseAnsi("GET /api 200\n\tok"), [{ text: "GET /api 200\n\tok" }]);
    assert.deepEqual(parseAnsi(""), []);
    assert.equal(hasControls("zwölf € 日本"), false);
  });

  test("reads the sixteen colours and the styles", () => {
    assert.deepEqual(parseAnsi("a\u001b[31mred\u001b[0m b \u001b[1;92mgo\u001b[39m!"), [
      { text: "a" },
      { text: "red", style: { foreground: 1 } },
      { text: " b " },
      { text: "go", style: { bold: true, foreground: 10 } },
      { text: "!", style: { bold: true } },
    ]);
    assert.deepEqual(styleOf("2;3;4;7;9;41"), {
      dim: true,
      italic: true,
      underline: true,
      inverse: true,
      strike: true,
      background: 1,
    });
  });

  test("reads 256 colours and true colours in both spellings", () => {
    assert.deepEqual(styleOf("38;5;9"), { foreground: 9 });
    assert.deepEqual(styleOf("38;5;196"), { foreground: [255, 0, 0] });
    assert.deepEqual(styleOf("48;5;244"), { background: [128, 128, 128] });
    assert.deepEqual(styleOf("38;2;1;2;3"), { foreground: [1, 2, 3] });
    assert.deepEqual(styleOf("38:2::1:2:3"), { foreground: [1, 2, 3] });
    assert.deepEqual(styleOf("38:2:1:2:3"), { foreground: [1, 2, 3] });
    assert.deepEqual(styleOf("38:5:17;1"), { foreground: [0, 0, 95], bold: true });
    assert.deepEqual(styleOf("38;2;1;2;3;1"), { foreground: [1, 2, 3], bold: true });
  });

  test("ignores values that are none, and what it does not know", () => {
    assert.equal(styleOf("38;5;999"), undefined);
    assert.equal(styleOf("38;2;1;2;300"), undefined);
    assert.equal(styleOf("73"), undefined);
    assert.equal(styleOf("4:0"), undefined);
    assert.deepEqual(styleOf("4:3"), { underline: true });
    assert.equal(styleOf("1;"), undefined, "an empty parameter is 0");
  });

  test("takes out every other sequence", () => {
    assert.equal(stripAnsi("\u001b[2K\u001b[1Gprogress\u001b[?25l"), "progress");
    assert.equal(stripAnsi("\u001b]8;;https://a.example\u0007link\u001b]8;;\u001b\\"), "link");
    assert.equal(stripAnsi("\u001b]0;title\u0007text"), "text");
    assert.equal(stripAnsi("\u001bPq#0\u001b\\text"), "text");
    assert.equal(stripAnsi("\u001b(B\u001b7text\u001b8"), "text");
    assert.equal(stripAnsi("\u009b31mtext"), "text");
  });

  test("keeps the text after a sequence that breaks off", () => {
    assert.equal(stripAnsi("a\u001b[3"), "a");
    assert.equal(stripAnsi("a\u001b["), "a");
    assert.equal(stripAnsi("a\u001b"), "a");
    assert.equal(stripAnsi("a\u001b]0;never ends\nb"), "a0;never ends\nb");
    assert.equal(stripAnsi("\u001b[31\u001b[1mx"), "x");
  });

  test("makes control characters visible, and carriage returns of line ends not", () => {
    assert.equal(stripAnsi("a\u0000b\u0007c\u007fd\u0085"), "a␀b␇c␡d\ufffd");
    assert.equal(stripAnsi("one\r\ntwo\r"), "one\ntwo");
    assert.equal(stripAnsi("10%\r20%"), "10%␍20%");
  });

  test("makes a bounded number of spans, and loses no text", () => {
    const text = "\u001b[31ma\u001b[32mb".repeat(100_000);
    const spans = parseAnsi(text);
    assert.ok(spans.length <= ansiSpansMax, `${spans.length} spans`);
    assert.equal(spans.map((span) => span.text).join(""), "ab".repeat(100_000));
    assert.equal(spans.at(-1)?.style, undefined);
  });

  test("takes linear time for sequences that never end", () => {
    for (const sequence of ["\u001b]", "\u001b[1;", "\u001bP", "\u001b[", "\u001b ("]) {
      const started = performance.now();
      parseAnsi(sequence.repeat(300_000));
      assert.ok(performance.now() - started < 2_000, JSON.stringify(sequence));
    }
  });

  test("for any text: the spans' text is what stripping leaves, and has no escape", () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom("\u001b[", "\u001b]", "31", ";", "m", "\u0007", "\r", "\n"),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = pieces.join("");
        const shown = parseAnsi(text)
          .map((span) => span.text)
          .join("");
        assert.equal(shown, stripAnsi(text));
        assert.equal(hasControls(shown), false);
      }),
    );
  });
});

describe("ansiLook", () => {
  test("gives named colours to the theme, and other colours to be moved into its range", () => {
    assert.deepEqual(ansiLook({ foreground: 1, bold: true }), { className: "ansi-bold ansi-fg-1" });
    assert.deepEqual(ansiLook({ foreground: [1, 2, 3] }), {
      className: "ansi-themed",
      themedColor: "rgb(1 2 3)",
    });
    assert.deepEqual(ansiLook({ inverse: true }), { className: "ansi-inverse" });
  });

  test("keeps a pair of colours that can be read, and mends one that can't", () => {
    assert.deepEqual(ansiLook({ foreground: 0, background: 3 }), {
      className: "ansi-on-background",
      color: "rgb(0 0 0)",
      backgroundColor: "rgb(205 205 0)",
    });
    assert.equal(ansiLook({ foreground: 7, background: 15 }).color, "rgb(0 0 0)");
    assert.equal(ansiLook({ background: 4 }).color, "rgb(255 255 255)");
    assert.equal(ansiLook({ foreground: 1, inverse: true }).backgroundColor, "rgb(205 0 0)");
  });

  test("any text on any background can be read", () => {
    const byte = fc.integer({ min: 0, max: 255 });
    const rgb = fc.tuple(byte, byte, byte);
    fc.assert(
      fc.property(rgb, rgb, (foreground, background) => {
        const { color = "" } = ansiLook({ foreground, background });
        const [red = 0, green = 0, blue = 0] = [...color.matchAll(/\d+/g)].map(Number);
        assert.ok(contrast([red, green, blue], background) >= 4.5);
      }),
    );
  });
});
