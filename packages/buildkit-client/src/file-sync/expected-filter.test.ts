import { expect, it } from "vitest";

import { expectedFilter } from "./expected-filter.ts";

it.each<[string, string, string[]]>([
  ["a folder", "FROM a\nCOPY src /src", ["src"]],
  ["several, sorted and once", "FROM a\nCOPY b a /x/\nADD ./b /y", ["a", "b"]],
  ["over several lines, with flags", "FROM a\nCOPY --chown=1:1 --link \\\n  package.json \\\n  ./", ["package.json"]],
  ["a path that leaves the context", "FROM a\nCOPY ../b/../c /", ["c"]],
  ["everything", "FROM a\nCOPY a b\nCOPY . .", []],
  ["nothing of other stages and comments", "FROM a\n# COPY x y\nCOPY --from=b /x /y\ncopy src /", ["src"]],
  ["nothing remote", "FROM a\nADD https://example.com/x /x\nADD y /y", ["y"]],
  ["beside caches", "FROM a\nRUN --mount=type=cache,target=/c make\nCOPY src /", ["src"]],
])("expects BuildKit to ask for what the Dockerfile copies: %s", (_what, dockerfile, followPaths) => {
  expect(expectedFilter({ dockerfile, dockerignore: "" })).toEqual({ include: [], exclude: [], followPaths });
});

it("expects the patterns of .dockerignore as the frontend passes them on", () => {
  const filter = expectedFilter({ dockerfile: "FROM a\nCOPY . .", dockerignore: "# no\n/node_modules/\n!x\n" });
  expect(filter?.exclude).toEqual(["node_modules", "!x"]);
});

it.each([
  ["nothing is copied", "FROM a\nRUN true"],
  ["a variable decides", "FROM a\nARG dir\nCOPY $dir /"],
  ["the operands are quoted", 'FROM a\nCOPY ["a b", "/"]'],
  ["the content is in the Dockerfile", "FROM a\nCOPY <<EOF /x\nEOF"],
  ["the context is mounted", "FROM a\nRUN --mount=type=bind,target=/src make"],
  ["the escape character is another", "# escape=`\nFROM a\nCOPY a b"],
])("expects nothing where %s", (_what, dockerfile) => {
  expect(expectedFilter({ dockerfile, dockerignore: "" })).toBeUndefined();
});
