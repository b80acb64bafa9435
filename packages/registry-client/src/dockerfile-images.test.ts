import { expect, test } from "vitest";

import { dockerfileImages } from "./dockerfile-images.ts";

const cases: readonly (readonly [string, string, readonly string[]])[] = [
  ["a base", "FROM busybox:1\nRUN true", ["busybox:1"]],
  ["stages are no images", "FROM golang AS Build\nFROM scratch\nCOPY --from=build /a /b", ["golang"]],
  ["stages by number are no images", "FROM golang\nFROM scratch\nCOPY --from=0 /a /b", ["golang"]],
  [
    "COPY --from an image",
    "FROM scratch\nCOPY --from=r.example.com/team/tools:2 /a /b",
    ["r.example.com/team/tools:2"],
  ],
  [
    "a mount from an image",
    "FROM scratch\nRUN --mount=type=bind,from=r.example.com/x,target=/x true",
    ["r.example.com/x"],
  ],
  ["an image twice", "FROM a/b AS x\nFROM a/b", ["a/b"]],
  ["a platform", "FROM --platform=$BUILDPLATFORM golang:1 AS x", ["golang:1"]],
  ["an argument with a default", "ARG tag=1\nFROM a/b:${tag}", ["a/b:1"]],
  ["an argument that is given", "ARG base=a/b\nFROM $base", ["r.example.com/given"]],
  ["a default in place", "ARG none\nFROM a/b:${none:-9}", ["a/b:9"]],
  ["a value that nobody has given", "ARG none\nFROM a/$none", []],
  ["a further context", "FROM extra", []],
  ["a heredoc is no instruction", "FROM a/b\nRUN <<EOF\nFROM c/d\nEOF", ["a/b"]],
];

test.each(cases)("%s", async (_title, dockerfile, images) => {
  const options = { buildArgs: { base: "r.example.com/given" }, contexts: ["extra"] };
  expect(await dockerfileImages(dockerfile, options)).toEqual(images);
});
