import { BuilderError, invalidOptions } from "@slipway/core";
import type { KeychainCall } from "@slipway/core";
import { expect, it, vi } from "vitest";

import { keychainCall, withSleepingBuilder } from "./keychain-call.ts";

const call = { signal: new AbortController().signal, emit: () => undefined };

type Place = readonly [server: string, namespace: string, pod: string];

function clusterAt(server: string, namespace: string) {
  const exec = (target: { readonly pod: string }) => Promise.reject(new Error(`in ${target.pod}`));
  return { server, namespace, exec, get: () => Promise.resolve(undefined) };
}

function siteOf([server, namespace, pod]: Place): string | undefined {
  return keychainCall(clusterAt(server, namespace), pod, call).helperSite;
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

function builderIn(findPod: () => Promise<string>) {
  const cluster = clusterAt("https://staging:6443", "builds");
  return <Result>(work: (keys: KeychainCall) => Promise<Result>): Promise<Result> =>
    withSleepingBuilder(cluster, { name: "slipway", findPod }, call, work);
}

it("looks for a pod when the first helper is to run, and once", async () => {
  const findPod = vi.fn<() => Promise<string>>(() => Promise.resolve("slipway-a"));
  const withBuilder = builderIn(findPod);
  expect(await withBuilder(() => Promise.resolve("done"))).toBe("done");
  expect(findPod).not.toHaveBeenCalled();
  await withBuilder(async (keys) => {
    await expect(keys.runCredentialHelper?.("ecr-login", "https://a.example")).rejects.toThrow("in slipway-a");
    await expect(keys.runCredentialHelper?.("ecr-login", "https://b.example")).rejects.toThrow("in slipway-a");
  });
  expect(findPod).toHaveBeenCalledTimes(1);
});

/** Asks a helper as keychains do: what is wrong with an option is passed over. */
async function askHelper(keys: KeychainCall): Promise<string> {
  try {
    await keys.runCredentialHelper?.("ecr-login", "https://a.example");
    return "asked";
  } catch (error) {
    if (BuilderError.isInstance(error) && error.code === "INVALID_OPTIONS") return "passed over";
    throw error;
  }
}

it("tells why there is no pod, before anything is done without its helpers", async () => {
  const foreign = invalidOptions("the builder", [{ path: "name", message: "the Deployment is somebody else's" }]);
  const withBuilder = builderIn(() => Promise.reject(foreign));
  const written: string[] = [];
  const writing = withBuilder(async (keys) => {
    written.push(await askHelper(keys));
  });
  await expect(writing).rejects.toBe(foreign);
  expect(written).toEqual([]);
});

it("what fails meanwhile does not wait for the pod", async () => {
  const withBuilder = builderIn(() => new Promise(() => undefined));
  const failing = withBuilder(async (keys) => {
    void askHelper(keys);
    await Promise.reject(new Error("the Secret may not be read"));
  });
  await expect(failing).rejects.toThrow("the Secret may not be read");
});

it("tells why there is no pod to whoever has passed over everything", async () => {
  const withBuilder = builderIn(() => Promise.reject(new Error("the Deployment is somebody else's")));
  const writing = withBuilder(async (keys) => {
    await askHelper(keys).catch(() => "passed over");
  });
  await expect(writing).rejects.toThrow("the Deployment is somebody else's");
});
