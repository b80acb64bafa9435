import { expect, test } from "vitest";

import { nearestName } from "./nearest-name.ts";

test.each([
  ["usrname", "username"],
  ["user", "username"],
  ["Dest", "destinations"],
  ["use", undefined],
  ["userid", undefined],
  ["name", undefined],
])("%s is meant as %s", (name, expected) => {
  expect(nearestName(name, ["password", "username", "destinations"])).toBe(expected);
});
