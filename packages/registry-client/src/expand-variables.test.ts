import { expect, test } from "vitest";

import { expandVariables } from "./expand-variables.ts";

const values = { a: "1", empty: "", unknown: undefined };

test.each([
  ["$a/${a}", "1/1"],
  ['"$a"', "1"],
  ["${none-x}${none:-y}${empty-z}${empty:-0}", "xy0"],
  ["${a+x}${none+y}${empty+z}${empty:+0}", "xz"],
  ["$none", undefined],
  ["$unknown", undefined],
  ["${unknown:-x}", undefined],
  ["$constructor", undefined],
])("%s is %s", (text, expanded) => {
  expect(expandVariables(text, values)).toBe(expanded);
});
