import type { DriverEvent } from "@slipway/core";
import { expect, it } from "vitest";

import { keychainCall } from "./keychain-call.ts";
import type { ObjectReference } from "./rest/kubernetes-object.ts";

const objects: Readonly<Record<string, object>> = {
  "Secret builds/regcred": { type: "kubernetes.io/dockerconfigjson", data: { a: Buffer.from("b").toString("base64") } },
  "Secret other/plain": {},
  "ServiceAccount builds/default": { imagePullSecrets: [{ name: "regcred" }, {}] },
};
const cluster = {
  namespace: "builds",
  get: <Kind>({ kind, namespace = "", name }: ObjectReference) =>
    Promise.resolve(objects[`${kind} ${namespace}/${name}`] as Kind | undefined),
};

it("reads of the namespace of builds, unless another one is named", async () => {
  const call = keychainCall(cluster, { signal: new AbortController().signal, emit: () => undefined });
  expect(await call.readSecret?.({ name: "regcred" })).toEqual({
    ...{ namespace: "builds", name: "regcred", type: "kubernetes.io/dockerconfigjson" },
    data: { a: Buffer.from("b") },
  });
  expect(await call.readSecret?.({ name: "plain", namespace: "other" })).toMatchObject({ type: "Opaque", data: {} });
  expect(await call.readSecret?.({ name: "none" })).toBeUndefined();
  expect(await call.readServiceAccount?.({ name: "default" })).toEqual({
    ...{ namespace: "builds", name: "default", imagePullSecrets: ["regcred"] },
  });
  expect(await call.readServiceAccount?.({ name: "none" })).toBeUndefined();
});

it("tells each warning once", () => {
  const events: DriverEvent[] = [];
  const call = keychainCall(cluster, { signal: new AbortController().signal, emit: (event) => events.push(event) });
  for (const message of ["one", "two", "one"]) call.warn?.(message);
  expect(events).toEqual([
    { type: "warning", message: "one" },
    { type: "warning", message: "two" },
  ]);
});
