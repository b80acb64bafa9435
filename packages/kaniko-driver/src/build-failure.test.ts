import type { BuilderError } from "@slipway/core";
import { describe, expect, it } from "vitest";

import { explainEnd, type ExecutorEnd } from "./build-failure.ts";

const end = (changes: Partial<ExecutorEnd> & { readonly error?: string }): ExecutorEnd => ({
  ...{ namespace: "builds", pod: "slipway-kaniko-1-abcde", exitCode: 1, sentBytes: 10 },
  log: {
    step: "RUN make",
    isSnapshotting: false,
    tail: `${changes.error ?? ""}\n`,
    ...(changes.error === undefined ? {} : { error: changes.error }),
  },
  ...changes,
});
const command = "error building image: error building stage: failed to execute command: waiting for process to exit:";

it.each<[string, Parameters<typeof end>[0], string, RegExp]>([
  ["a RUN that fails", { exitCode: 42, error: `${command} exit status 42` }, "BUILD_FAILED", /RUN make.*exit code 42/],
  [
    "an executor killed for its memory",
    { exitCode: 137, reason: "OOMKilled", memoryLimit: "128Mi" },
    "OUT_OF_MEMORY",
    /The executor was killed for its memory, with whatever the step ran, in.*RUN make.*128Mi/,
  ],
  [
    "an executor killed, of which nobody says why",
    { exitCode: 137, reason: "Error", memoryLimit: "128Mi" },
    "OUT_OF_MEMORY",
    /The executor was killed, as the kernel kills, for its memory, with whatever the step ran, in.*128Mi/,
  ],
  ["an executor killed by somebody", { exitCode: 137, reason: "Error" }, "BUILD_FAILED", /exit code 137/],
  [
    "a RUN killed for its memory",
    { exitCode: 255, reason: "OOMKilled", memoryLimit: "128Mi", error: `${command} signal: killed` },
    "OUT_OF_MEMORY",
    /^A process of step "RUN make" was killed for its memory.*128Mi/,
  ],
  [
    "a process of a RUN killed for its memory, whose shell says so",
    { exitCode: 137, reason: "OOMKilled", memoryLimit: "128Mi", error: `${command} exit status 137` },
    "OUT_OF_MEMORY",
    /^A process of step "RUN make" was killed for its memory.*128Mi/,
  ],
  [
    "a RUN killed, of which nobody says why",
    { exitCode: 255, reason: "Error", memoryLimit: "128Mi", error: `${command} signal: killed` },
    "OUT_OF_MEMORY",
    /^A process of step "RUN make" was killed, as the kernel kills, for its memory.*128Mi/,
  ],
  [
    "a RUN that ends with the same code",
    { exitCode: 137, reason: "Error", memoryLimit: "128Mi", error: `${command} exit status 137` },
    "BUILD_FAILED",
    /exit code 137/,
  ],
  [
    "an executor killed while nothing else ran",
    {
      ...{ exitCode: 137, reason: "OOMKilled", memoryLimit: "128Mi" },
      log: { step: "RUN make", tail: "", isSnapshotting: true },
    },
    "OUT_OF_MEMORY",
    /^The executor itself was killed for its memory .* while it kept what step "RUN make" had changed.*128Mi/,
  ],
  ["a RUN that kills itself", { exitCode: 255, error: `${command} signal: killed` }, "BUILD_FAILED", /signal: killed/],
  [
    "a full disk",
    { error: "error building image: write /x: no space left on device" },
    "DISK_FULL",
    /ephemeral storage/,
  ],
  [
    "half a context",
    { error: "error resolving source context: unexpected EOF" },
    "CONTEXT_SYNC_FAILED",
    /did not arrive whole/,
  ],
  [
    "a lost connection, with the log",
    { contextLoss: "The connection to the pod was lost." },
    "CONTEXT_SYNC_FAILED",
    /did not arrive whole.*The connection to the pod was lost\. Build again/,
  ],
  [
    "a lost connection, and a RUN that fails",
    { contextLoss: "lost", error: `${command} exit status 1` },
    "BUILD_FAILED",
    /RUN/,
  ],
  [
    "credentials that may not push",
    {
      error:
        'error checking push permissions -- make sure …: checking push permission for "registry.example.com/a:1": UNAUTHORIZED',
    },
    "REGISTRY_UNAUTHORIZED",
    /registry\.example\.com/,
  ],
  [
    "a registry that is away",
    {
      error:
        'error pushing image: failed to push to destination: Put "https://registry.example.com/v2/": connection refused',
    },
    "REGISTRY_UNAVAILABLE",
    /could not be pushed to registry\.example\.com:/,
  ],
  [
    "credentials that may not pull",
    {
      error:
        "error building image: unable to complete operation after 2 attempts, last error: GET http://r.example.com:5000/v2/base/manifests/1: UNAUTHORIZED: authentication required; [map[Action:pull]]",
    },
    "REGISTRY_UNAUTHORIZED",
    /The registry r\.example\.com:5000 does not let this build pull/,
  ],
  [
    "a token that nobody gets",
    {
      error:
        "error building image: GET https://auth.example.com/token?scope=repository%3Abase%3Apull&service=r: unexpected status code 401 Unauthorized: no",
    },
    "REGISTRY_UNAUTHORIZED",
    /auth\.example\.com does not let/,
  ],
  [
    "a registry of a base image that is away",
    { error: 'error building image: Get "https://r.example.com/v2/": dial tcp: lookup r.example.com: no such host' },
    "REGISTRY_UNAVAILABLE",
    /could not be pulled from r\.example\.com:/,
  ],
  [
    "a registry that is too busy to give a base image",
    { error: "error building image: GET https://r.io/v2/base/manifests/1: TOOMANYREQUESTS: slow down" },
    "REGISTRY_UNAVAILABLE",
    /TOOMANYREQUESTS/,
  ],
  [
    "a base image that is not there",
    { error: "error building image: GET https://r.io/v2/base/manifests/1: MANIFEST_UNKNOWN: manifest unknown" },
    "BUILD_FAILED",
    /MANIFEST_UNKNOWN/,
  ],
  [
    "an address of ADD that is away",
    { error: 'error building image: error building stage: Get "https://example.com/file.tar": dial tcp: no such host' },
    "BUILD_FAILED",
    /file\.tar/,
  ],
])("tells %s", (_what, how, code, message) => {
  const error = explainEnd(end(how));
  expect(error.code).toBe(code);
  expect(error.message).toMatch(message);
});

it("knows that no step was to blame where none ran", () => {
  const log = { step: "COPY . .", tail: "", isSnapshotting: false };
  expect(explainEnd(end({ exitCode: 137, reason: "OOMKilled", log })).message).toMatch(
    /^The executor itself was killed/,
  );
});

describe("a RUN that fails", () => {
  const endOf = (printed: string, changes: Partial<ExecutorEnd["log"]> = {}): BuilderError =>
    explainEnd(
      end({
        log: {
          step: "RUN make",
          isSnapshotting: false,
          error: `${command} exit status 1`,
          tail: "",
          printed,
          ...changes,
        },
      }),
    );

  it.each([
    "dd: error writing '/x': No space left on device\n",
    "cp: can't create 'x': Disk quota exceeded\n",
    `E: Write error - write (28: No space left on device)\n${"make: *** [all] Error 1\n".repeat(9)}`,
  ])("says that it has found no disk left: %j", (printed) => {
    const error = endOf(printed);
    expect(error).toMatchObject({ code: "DISK_FULL", retryable: false });
    expect(error.message).toMatch(/during step "RUN make": .*(No space left on device|Disk quota exceeded)/);
  });

  it.each([
    "",
    "test: expected 2, got 3\n",
    `cp: x: No space left on device\nfell back to /tmp\n${"test failed\n".repeat(9)}`,
    "tail: inotify_add_watch: No space left on device\n",
  ])("has not found its disk full: %j", (printed) => {
    expect(endOf(printed)).toMatchObject({ code: "BUILD_FAILED", details: { exitCode: 1 } });
  });

  it("is not the step that has ended before", () => {
    const full = "cp: x: No space left on device\n";
    expect(endOf(full, { isSnapshotting: true }).code).toBe("BUILD_FAILED");
    expect(endOf(full, { step: "COPY . ." }).code).toBe("BUILD_FAILED");
  });
});

it("is tried again only where another attempt may go better", () => {
  expect(explainEnd(end({ error: "error resolving source context: unexpected EOF" })).retryable).toBe(true);
  expect(explainEnd(end({ exitCode: 3, error: `${command} exit status 3` })).retryable).toBe(false);
  expect(explainEnd(end({ exitCode: 137, reason: "OOMKilled" })).retryable).toBe(false);
});
