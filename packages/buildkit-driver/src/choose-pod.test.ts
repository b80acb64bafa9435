import { describe, expect, it } from "vitest";

import { chooseRandom, chooseSticky } from "./choose-pod.ts";

const pods = ["a", "b", "c", "d"];
const keys = Array.from({ length: 200 }, (_, index) => `/projects/${index}`);

describe("chooseSticky", () => {
  it("gives a key the same pod, in whatever order the pods come", () => {
    for (const key of keys) expect(chooseSticky(pods, key)).toBe(chooseSticky([...pods].reverse(), key));
  });

  it("moves only the keys of a pod that went", () => {
    for (const key of keys) {
      const before = chooseSticky(pods, key);
      if (before !== "b") expect(chooseSticky(["a", "c", "d"], key)).toBe(before);
    }
  });

  it("uses every pod", () => {
    expect(new Set(keys.map((key) => chooseSticky(pods, key)))).toEqual(new Set(pods));
  });

  it("has no pod to choose among none", () => {
    expect(chooseSticky([], "x")).toBeUndefined();
  });
});

it.each([
  [0, "a"],
  [0.5, "c"],
  [0.999, "d"],
])("chooseRandom takes %d as %s", (random, pod) => {
  expect(chooseRandom(pods, random)).toBe(pod);
});
