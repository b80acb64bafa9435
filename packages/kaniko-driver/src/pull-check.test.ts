import { BuilderError, type Credential, type Logger } from "@slipway/core";
import type { AccessCheck, RegistryClient } from "@slipway/registry-client";
import { expect, it } from "vitest";

import { askForPull } from "./pull-check.ts";

const login = (username: string): Credential => ({ source: username, type: "basic", username, password: "p" });
const [stale, good] = [login("stale"), login("good")];
const unreachable = new BuilderError({
  code: "REGISTRY_UNAVAILABLE",
  message: "no route",
  details: { registry: "r", diagnostics: [], triedCredentials: [] },
});

function setUp(candidates: readonly Credential[], answer: () => Promise<Partial<AccessCheck> | undefined>) {
  const asked: string[] = [];
  const stop = new AbortController();
  const client: Pick<RegistryClient, "checkPull"> = {
    checkPull: async (reference) => {
      asked.push(typeof reference === "string" ? reference : reference.repository);
      const found = await answer();
      return found && { source: "somebody", ...found };
    },
  };
  const silent: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: () => undefined,
  };
  const call = { signal: stop.signal, logger: silent };
  const access = { credentials: { resolve: () => Promise.resolve(candidates) }, keychainCall: call };
  const ask = (image: string) =>
    askForPull([image], { registries: { client: () => client as RegistryClient }, access, namespace: "builds", call });
  return { ask, asked, stop };
}

const image = "r.example.com/base:1";

it("asks with which of several credentials an image can be pulled", async () => {
  const { ask, asked } = setUp([stale, good], () => Promise.resolve({ credential: good }));
  expect(await ask(image)).toEqual(new Map([["r.example.com/base", good]]));
  expect(asked).toEqual([image]);
});

it("knows what anybody may pull though some are refused, and nothing of those that nobody asked", async () => {
  const refused = setUp([stale, good], () => Promise.resolve({ refused: ["stale", "good"] }));
  expect(await refused.ask(image)).toEqual(new Map([["r.example.com/base", "anonymous"]]));
  expect(await setUp([stale, good], () => Promise.resolve({})).ask(image)).toEqual(new Map());
});

it("asks nobody about a single credential, nor a registry that is another one here", async () => {
  const answer = () => Promise.resolve({ credential: good });
  for (const [candidates, name] of [[[good], image] as const, [[stale, good], "localhost:5000/base"] as const]) {
    const { ask, asked } = setUp(candidates, answer);
    expect(await ask(name)).toEqual(new Map());
    expect(asked).toEqual([]);
  }
});

it("leaves an image as it is that is not there, or whose registry does not answer", async () => {
  for (const answer of [() => Promise.resolve(undefined), () => Promise.reject(unreachable)])
    expect(await setUp([stale, good], answer).ask(image)).toEqual(new Map());
});

it("ends with the build", async () => {
  const { ask, stop } = setUp([stale, good], () => {
    stop.abort(new Error("stopped"));
    return Promise.reject(unreachable);
  });
  await expect(ask(image)).rejects.toBe(unreachable);
});
