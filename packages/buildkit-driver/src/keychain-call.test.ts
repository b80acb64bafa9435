import type { Cluster } from "@slipway/cluster";
import { expect, it } from "vitest";

import { keychainCall, sleepingKeychainCall } from "./keychain-call.ts";

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

it("looks for a pod when the first helper is to run, and once", async () => {
  const asked: string[] = [];
  const exec = (target: { readonly pod: string }) => Promise.reject(new Error(`in ${target.pod}`));
  const cluster = { server: "https://staging:6443", namespace: "builds", exec } as unknown as Cluster;
  const findPod = (): Promise<string> => {
    asked.push("pod");
    return Promise.resolve("slipway-a");
  };
  const keys = sleepingKeychainCall(cluster, { name: "slipway", findPod }, call);
  expect(asked).toEqual([]);
  await expect(keys.runCredentialHelper?.("ecr-login", "https://a.example")).rejects.toThrow("in slipway-a");
  await expect(keys.runCredentialHelper?.("ecr-login", "https://b.example")).rejects.toThrow("in slipway-a");
  expect(asked).toEqual(["pod"]);
});
