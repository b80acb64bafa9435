import type { Cluster } from "@slipway/cluster";
import { expect, it } from "vitest";

import { keychainCall } from "./keychain-call.ts";

const call = { signal: new AbortController().signal, emit: () => undefined };

type Place = readonly [server: string, namespace: string, pod: string];

function siteOf([server, namespace, name]: Place): string | undefined {
  const cluster = { server, namespace } as Cluster;
  return keychainCall(cluster, { namespace, name }, call).helperSite;
}

it("says where helpers run, the same in each call and another for each cluster, namespace and pod", () => {
  const places: readonly Place[] = [
    ["https://staging:6443", "builds", "slipway-a"],
    ["https://production:6443", "builds", "slipway-a"],
    ["https://staging:6443", "team", "slipway-a"],
    ["https://staging:6443", "builds", "slipway-b"],
  ];
  const sites = places.map(siteOf);
  expect(new Set(sites).size).toBe(places.length);
  expect(places.map(siteOf)).toEqual(sites);
});
