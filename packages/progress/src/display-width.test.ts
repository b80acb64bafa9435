import { expect, it } from "vitest";

import { displayWidth, truncate } from "./display-width.ts";

it.each([
  ["", 0],
  ["make", 4],
  ["größe", 5],
  ["gro\u0308sse", 6],
  ["日本語", 6],
  ["ｆｕｌｌ", 8],
  ["한국어", 6],
  ["👍🏽", 2],
  ["👨‍👩‍👧", 2],
  ["✔ →…│", 5],
  ["❤️", 2],
  ["a\u200bb", 2],
])("counts %j as %d columns", (text, columns) => {
  expect(displayWidth(text)).toBe(columns);
});

it.each([
  ["make all", 8, "make all"],
  ["make all", 7, "make a…"],
  ["make all", 1, "…"],
  ["make all", 0, ""],
  ["日本語", 6, "日本語"],
  ["日本語", 5, "日本…"],
  ["日本語", 4, "日…"],
  ["👨‍👩‍👧👨‍👩‍👧", 3, "👨‍👩‍👧…"],
])("truncates %j to %d columns: %j", (text, columns, expected) => {
  expect(truncate(text, columns)).toBe(expected);
});
