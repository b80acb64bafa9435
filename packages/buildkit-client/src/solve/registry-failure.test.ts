import { expect, test } from "vitest";

import { readRegistryFailure } from "./registry-failure.ts";

test.each([
  [
    'failed to push 10.0.0.1:5000/team/app:1: failed to do request: Head "http://10.0.0.1:5000/v2/team/app/blobs/sha256:57": dial tcp 10.0.0.1:5000: connect: connection refused',
    { code: "REGISTRY_UNAVAILABLE", registry: "10.0.0.1:5000" },
  ],
  [
    "alpine:3: failed to resolve source metadata for docker.io/library/alpine:3: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
    { code: "REGISTRY_UNAUTHORIZED", registry: "docker.io" },
  ],
  [
    "failed to push registry.test/team/app:1: unexpected status from POST request to https://registry.test/v2/team/app/blobs/uploads/: 401 Unauthorized",
    { code: "REGISTRY_UNAUTHORIZED", registry: "registry.test", status: 401 },
  ],
  [
    "failed to push registry.test/team/app:1: unexpected status from PUT request to https://registry.test/v2/team/app/manifests/1: 403 Forbidden",
    { code: "REGISTRY_UNAUTHORIZED", registry: "registry.test", status: 403 },
  ],
  [
    "failed to push registry.test/team/app:1: failed to authorize: failed to fetch oauth token: unexpected status from POST request to https://auth.test/token: 503 Service Unavailable",
    { code: "REGISTRY_UNAVAILABLE", registry: "registry.test", status: 503 },
  ],
  [
    "failed to push registry.test/team/app:1: unexpected status from PUT request to https://registry.test/v2/team/app/manifests/1: 405 Method Not Allowed",
    { code: "REGISTRY_REFUSED", registry: "registry.test", status: 405 },
  ],
  ["failed to push 127.0.0.1:5000/x/y:1: denied", { code: "REGISTRY_UNAUTHORIZED", registry: "127.0.0.1:5000" }],
  ["failed to push a.test/y:1: manifest invalid: bad annotation", { code: "REGISTRY_REFUSED", registry: "a.test" }],
  ["failed to push a.test/y:1: TOOMANYREQUESTS: slow down", { code: "REGISTRY_UNAVAILABLE", registry: "a.test" }],
])("%s", (message, failure) => {
  expect(readRegistryFailure(message)).toEqual(failure);
});

test.each([
  "failed to push BAD NAME: invalid reference format: repository name (library/BAD NAME) must be lowercase",
  "docker.io/library/nope:1: failed to resolve source metadata for docker.io/library/nope:1: docker.io/library/nope:1: not found",
  'process "/bin/sh -c make" did not complete successfully: exit code: 2',
  'failed to calculate checksum of ref x: "/nope": not found',
])("is none: %s", (message) => {
  expect(readRegistryFailure(message)).toBeUndefined();
});
