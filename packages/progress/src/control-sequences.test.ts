import { expect, it } from "vitest";

import { oneLine, stripControlSequences } from "./control-sequences.ts";

it.each([
  ["colours", "\u001b[1;31mred\u001b[0m text", "red text"],
  ["colours of 24 bits with colons", "\u001b[38:2::1:2:3mrgb", "rgb"],
  ["cursor movement", "a\u001b[10Ab\u001b[2Kc\u001b[?25ld", "abcd"],
  ["a title", "a\u001b]0;owned\u0007b", "ab"],
  ["a hyperlink", "\u001b]8;;https://example.com\u001b\\here\u001b]8;;\u001b\\", "here"],
  ["a device control string", "a\u001bP1$r0m\u001b\\b", "ab"],
  ["a title that never ends, whose text stays", "a\u001b]0;b", "a0;b"],
  ["a sequence that is cut off", "a\u001b[", "a"],
  ["a full reset and a charset", "\u001bca\u001b(0b", "ab"],
  ["controls of one byte", "a\u0007b\bc\u0000d\u007fe", "abcde"],
  ["C1 controls", "a\u009b5Ab\u0085c\u009d0;t\u009cd", "abcd"],
  ["tabs, to the next stop", "a\tb\t\tc", "a       b               c"],
  ["nothing else", "größe 日本 👍🏽", "größe 日本 👍🏽"],
])("strips %s", (_title, text, expected) => {
  expect(stripControlSequences(text)).toBe(expected);
});

it("makes one line of a heredoc", () => {
  expect(oneLine("[2/2] RUN <<EOF\n\tmake\r\nEOF\n")).toBe("[2/2] RUN <<EOF make EOF");
});

it("takes linear time for sequences that never end", () => {
  const startedMs = performance.now();
  stripControlSequences("\u001b]".repeat(100_000));
  expect(performance.now() - startedMs).toBeLessThan(2000);
});
