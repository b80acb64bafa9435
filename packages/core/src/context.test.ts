import { expect, test } from "vitest";

import { contextSchema } from "./context.ts";
import type { Context } from "./context.ts";

test.each<[string, Context]>([
  [".", { type: "directory", path: "." }],
  ["./api", { type: "directory", path: "./api" }],
  ["/srv/a b", { type: "directory", path: "/srv/a b" }],
  ["C:/sources", { type: "directory", path: "C:/sources" }],
  ["https://github.com/team/api.git", { type: "git", url: "https://github.com/team/api.git" }],
  [
    "https://github.com/team/api.git#v1.2:cmd/api",
    { type: "git", url: "https://github.com/team/api.git", ref: "v1.2", subdirectory: "cmd/api" },
  ],
  [
    "https://github.com/team/api.git#:cmd",
    { type: "git", url: "https://github.com/team/api.git", subdirectory: "cmd" },
  ],
  ["github.com/team/api", { type: "git", url: "https://github.com/team/api" }],
  ["git@github.com:team/api.git#main", { type: "git", url: "git@github.com:team/api.git", ref: "main" }],
  ["ssh://git@example.com/api.git", { type: "git", url: "ssh://git@example.com/api.git" }],
  ["git://example.com/api", { type: "git", url: "git://example.com/api" }],
  ["https://example.com/context.tar.gz", { type: "http", url: "https://example.com/context.tar.gz" }],
  ["docker-image://registry.example.com/sources:v1", { type: "image", reference: "registry.example.com/sources:v1" }],
  ["oci-layout://./layout", { type: "oci-layout", path: "./layout" }],
  ["oci-layout://./layout:v1", { type: "oci-layout", path: "./layout", reference: "v1" }],
  [
    `oci-layout:///srv/layout@sha256:${"0".repeat(64)}`,
    { type: "oci-layout", path: "/srv/layout", reference: `@sha256:${"0".repeat(64)}` },
  ],
])("reads %s", (notation, context) => {
  expect(contextSchema.parse(notation)).toEqual(context);
});

test.each(["", "-", "docker-image://", "ftp://example.com/x", "oci-layout://"])(
  "refuses %j with a reason",
  (notation) => {
    const { error } = contextSchema.safeParse(notation);
    expect(error?.issues[0]?.message).toMatch(/empty|tar|no image|unknown scheme|no directory/);
  },
);
