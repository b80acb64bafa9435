import { expect, test } from "vitest";

import { parseChallenges } from "./challenge.ts";

test.each([
  ["Basic", [{ scheme: "basic", parameters: {} }]],
  ['Basic realm="a, b"', [{ scheme: "basic", parameters: { realm: "a, b" } }]],
  [
    'Bearer realm="https://t/x?a=b",service=reg,scope="repository:a/b:pull,push" , Basic Realm="q\\"q"',
    [
      { scheme: "bearer", parameters: { realm: "https://t/x?a=b", service: "reg", scope: "repository:a/b:pull,push" } },
      { scheme: "basic", parameters: { realm: 'q"q' } },
    ],
  ],
  ["", []],
  ["=;", []],
])("the header %j holds its challenges", (header, challenges) => {
  expect(parseChallenges(header)).toEqual(challenges);
});
