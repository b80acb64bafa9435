import { expect, test } from "vitest";

import { pulledImages } from "../index.ts";

const read = (image: string, registries?: readonly string[]): string => {
  const [{ host, repository } = { host: "nothing" }] = pulledImages({ images: [image], registries });
  return repository === undefined ? host : `${host} ${repository}`;
};

test.each([
  ["ghcr.io", "ghcr.io"],
  ["ghcr.io:443", "ghcr.io:443"],
  ["GHCR.io", "GHCR.io"],
  ["localhost", "localhost"],
  ["localhost:5000", "localhost:5000"],
  ["127.0.0.1:30500", "127.0.0.1:30500"],
  ["[::1]:5000", "[::1]:5000"],
  ["registry-1.docker.io", "registry-1.docker.io"],
  ["nginx", "docker.io library/nginx"],
  ["nginx:1", "docker.io library/nginx"],
  ["nginx:1.25", "docker.io library/nginx"],
  ["redis:7", "docker.io library/redis"],
  ["my.app:v1", "docker.io library/my.app"],
  [`ghcr.io@sha256:${"a".repeat(64)}`, "docker.io library/ghcr.io"],
  ["team/app", "docker.io team/app"],
  ["ghcr.io/team/api", "ghcr.io team/api"],
  [`ghcr.io/team/api:v1@sha256:${"a".repeat(64)}`, "ghcr.io team/api"],
  ["registry:5000/app", "registry:5000 app"],
  ["[::1]/app", "[::1] app"],
])("%s is read as %s", (name, expected) => {
  expect(read(name)).toBe(expected);
});

test("what is known to be a registry is one, whatever it looks like", () => {
  expect(read("registry:5000")).toBe("docker.io library/registry");
  expect(read("registry:5000", ["registry:5000"])).toBe("registry:5000");
  expect(read("registry:2", ["registry:5000"])).toBe("docker.io library/registry");
  const aliases = { nodes: "registry:5000" };
  expect(pulledImages({ images: ["nodes"], aliases })).toEqual(
    ["nodes"].map((host) => ({ image: "nodes", host, resource: { registry: "registry:5000", actions: ["pull"] } })),
  );
  expect(pulledImages({ images: ["registry:5000"], aliases }).map(({ host }) => host)).toEqual([
    "nodes",
    "registry:5000",
  ]);
});

test.each([
  ["ann:hunter2@r.io/app:v1", '"r.io/app:v1" has a user before it; leave that out, and give it as credentials'],
  ["ann:x/hunter2@r.io/app", '"r.io/app" has a user before it'],
  ["ann:x/hunter2@r.io", '"r.io" has a user before it'],
  ["https://ann:x/hunter2@r.io", '"https://r.io" has a user before it'],
  [`ann:hunter2@r.io/app@sha256:${"a".repeat(64)}`, `"r.io/app@sha256:${"a".repeat(64)}" has a user before it`],
  ["ann:hunter2@registry", '"…@registry" is neither an image'],
  ["ann:x/hunter2@registry", '"…@registry" is neither an image'],
  ["busybox@md5:abc", '"busybox@md5:abc" is neither an image'],
  ["x".repeat(400), `"${"x".repeat(300)}…" has a repository of more than 255 characters`],
])("%s is refused without its password", (name, message) => {
  const ask = (): unknown => pulledImages({ images: [name] });
  expect(ask).toThrow(/^(?!.*hunter2)/);
  expect(ask).toThrow(message);
});
