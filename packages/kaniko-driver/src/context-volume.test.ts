import { describe, expect, it } from "vitest";

import { besideWorkspace, contextVolume } from "./context-volume.ts";

const context = { claimName: "claim", subPath: "versions/1/context", beside: { "slipway.dev/workspace": "w" } };
const term = {
  labelSelector: { matchLabels: { "slipway.dev/workspace": "w" } },
  topologyKey: "kubernetes.io/hostname",
};

describe("the volume of a context", () => {
  it("is mounted read-only, only what the build is of, where kaniko takes nothing into an image", () => {
    expect(contextVolume(context)).toEqual({
      volumes: [{ name: "context", persistentVolumeClaim: { claimName: "claim" } }],
      volumeMounts: [{ name: "context", mountPath: "/kaniko/context", subPath: "versions/1/context", readOnly: true }],
    });
  });

  it("is none where the context comes through stdin", () => {
    expect(contextVolume(undefined)).toEqual({ volumes: [], volumeMounts: [] });
  });
});

describe("a pod that mounts a context", () => {
  it.each([
    [undefined, { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } }],
    [
      { nodeAffinity: { x: 1 }, podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ a: 1 }], y: 2 } },
      {
        nodeAffinity: { x: 1 },
        podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ a: 1 }, term], y: 2 },
      },
    ],
  ])("goes where the volume is, besides %j", (affinity, expected) => {
    expect(besideWorkspace(affinity, context)).toEqual(expected);
  });

  it("goes anywhere if the volume can be mounted anywhere, or there is none", () => {
    const affinity = { nodeAffinity: {} };
    expect(besideWorkspace(affinity, { ...context, beside: undefined })).toBe(affinity);
    expect(besideWorkspace(affinity, undefined)).toBe(affinity);
  });
});
