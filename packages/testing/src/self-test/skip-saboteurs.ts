import type { Saboteur } from "./saboteur.ts";

/** What can be wrong with what a driver knows of images that are there already. */
export const skipSaboteurs: readonly Saboteur[] = [
  {
    name: "finds an image for every platform",
    requirement: "find",
    sabotage: () => (next) => ({
      find: async (query, call) => next.find?.({ ...query, platforms: [] }, call),
    }),
  },
  {
    name: "records nothing",
    requirement: "skip-unchanged",
    sabotage: () => () => ({ recordIdentity: async () => {} }),
  },
  {
    name: "identifies everything alike",
    requirement: "skip-inputs",
    sabotage: () => () => ({ identify: async () => `sha256:${"0".repeat(64)}` }),
  },
  {
    name: "identifies a folder once",
    requirement: "skip-inputs",
    sabotage: () => (next) => {
      const known = new Map<string, Promise<string>>();
      return {
        identify: async ({ context, ...request }, call) => {
          const key = JSON.stringify([context, request.buildArgs, request.labels]);
          const first = known.get(key) ?? next.identify?.({ ...request, context }, call) ?? Promise.resolve("");
          known.set(key, first);
          return first;
        },
      };
    },
  },
  {
    name: "takes every image for what was asked for",
    requirement: "skip-inputs",
    sabotage: () => (next) => {
      const recorded = new Set<string>();
      return {
        recordIdentity: async (image, call) => {
          recorded.add(image.identity);
          await next.recordIdentity?.(image, call);
        },
        find: async (query, call) => {
          const found = await next.find?.(query, call);
          return found === undefined ? undefined : { ...found, identities: [...recorded] };
        },
      };
    },
  },
];
