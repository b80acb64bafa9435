import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";

import type { Deployment, Pod } from "@slipway/cluster";
import { expect } from "vitest";

import type { TestNamespace } from "../support/test-namespace.ts";

const removalTimeoutMs = 20_000;

/** What makes a builder the one that it is. */
export interface BuilderObjects {
  readonly deployments: readonly { readonly uid: string | undefined; readonly spec: unknown }[];
  readonly pods: readonly (string | undefined)[];
}

/** The builder's objects in a test's namespace, without what is on its way out. */
export async function builderObjects({ cluster }: TestNamespace): Promise<BuilderObjects> {
  const [deployments, pods] = await Promise.all([
    cluster.list<Deployment>({ apiVersion: "apps/v1", kind: "Deployment" }),
    cluster.list<Pod>({ apiVersion: "v1", kind: "Pod" }),
  ]);
  return {
    deployments: deployments.items.map(({ metadata, spec }) => ({ uid: metadata?.uid, spec })),
    pods: pods.items
      .filter(({ metadata }) => metadata?.deletionTimestamp === undefined)
      .map(({ metadata }) => metadata?.uid),
  };
}

/** Checks that the objects are these, as soon as the cluster has removed what was deleted. */
export async function expectBuilderObjects(namespace: TestNamespace, objects: BuilderObjects): Promise<void> {
  const deadlineMs = performance.now() + removalTimeoutMs;
  let found = await builderObjects(namespace);
  while (!isDeepStrictEqual(found, objects) && performance.now() < deadlineMs) {
    await delay(200);
    found = await builderObjects(namespace);
  }
  expect(found).toEqual(objects);
}

export const noBuilder: BuilderObjects = { deployments: [], pods: [] };
