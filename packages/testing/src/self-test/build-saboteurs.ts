import { BuilderError } from "@slipway/core";

import { changed, deaf, lost, secretText, withEvents } from "./saboteur.ts";
import type { Saboteur } from "./saboteur.ts";

/** What can be wrong with `build`. */
export const buildSaboteurs: readonly Saboteur[] = [
  {
    name: "swallows aborts",
    requirement: "abort-kills",
    sabotage: () => changed((_, call) => ({ call: { ...call, signal: deaf } })),
  },
  {
    name: "settles while the remote build lives",
    requirement: "abort-kills",
    sabotage: () => (next) => ({
      build(request, call) {
        const aborted = new Promise<never>((_, reject) => {
          call.signal.addEventListener("abort", () => reject(call.signal.reason as Error));
        });
        return Promise.race([next.build(request, { ...call, signal: deaf }), aborted]);
      },
    }),
  },
  {
    name: "reports something after the end",
    requirement: "silent-after-end",
    sabotage: () => (next) => ({
      async build(request, call) {
        setTimeout(() => call.emit({ type: "warning", message: "by the way" }), 10);
        return next.build(request, call);
      },
    }),
  },
  {
    name: "reports a terminal event of its own",
    requirement: "events-known",
    sabotage: () =>
      withEvents((event) =>
        event.type === "pod-phase" ? [event, { type: "build-end", outcome: "succeeded" }] : [event],
      ),
  },
  {
    name: "reports events that JSON changes",
    requirement: "events-plain",
    sabotage: () => withEvents((event) => (event.type === "pod-phase" ? [{ ...event, at: new Date() }] : [event])),
  },
  {
    name: "does not end its steps",
    requirement: "steps-end",
    sabotage: () => withEvents((event) => (event.type === "step-end" ? [] : [event])),
  },
  {
    name: "calls a failing Dockerfile a lost pod",
    requirement: "failure-typed",
    sabotage: () => (next) => ({
      build: (request, call) => next.build(request, call).catch(() => Promise.reject(lost())),
    }),
  },
  {
    name: "forgets the digest when there are two tags",
    requirement: "digest-served",
    sabotage: () => (next) => ({
      build: async (request, call) => {
        const result = await next.build(request, call);
        return request.tags.length > 1 ? {} : result;
      },
    }),
  },
  {
    name: "returns a digest that no registry serves",
    requirement: "digest-served",
    sabotage: () => (next) => ({
      build: async (request, call) => {
        const result = await next.build(request, call);
        return request.tags.length > 1 ? { ...result, digest: `sha256:${"0".repeat(64)}` } : result;
      },
    }),
  },
  {
    name: "serves images with several tags under these alone",
    requirement: "digest-served",
    sabotage:
      ({ images }) =>
      (next) => ({
        build: async (request, call) => {
          const before = new Set(images.keys());
          const result = await next.build(request, call);
          const references = [...images.keys()].filter((name) => name.includes("@") && !before.has(name));
          if (request.tags.length > 1) for (const reference of references) images.delete(reference);
          return result;
        },
      }),
  },
  {
    name: "builds only the first platform",
    requirement: "platforms-built",
    sabotage: () => changed((request) => ({ request: { ...request, platforms: request.platforms.slice(0, 1) } })),
  },
  {
    name: "ignores the destination of an archive",
    requirement: "archives-written",
    sabotage: () =>
      changed((request) => ({
        request: {
          ...request,
          outputs: request.outputs.map((output) =>
            "destination" in output ? { ...output, destination: async () => {} } : output,
          ),
        },
      })),
  },
  {
    name: "takes any key among its own options",
    requirement: "own-options-strict",
    sabotage: () => () => ({
      buildOptions: {
        fake: { "~standard": { version: 1, vendor: "fake", validate: (value: unknown) => ({ value }) } },
      },
    }),
  },
  {
    name: "declares a feature twice",
    requirement: "declaration",
    sabotage: () => (next) => ({ features: [...next.features, "secrets"] }),
  },
  {
    name: "ignores secrets",
    requirement: "secrets-read",
    sabotage: () => changed((request) => ({ request: { ...request, secrets: {} } })),
  },
  {
    name: "shows a secret in an event",
    requirement: "secrets-not-in-events",
    sabotage: () => (next) => ({
      async build(request, call) {
        call.emit({ type: "warning", message: `mounting ${await secretText(request)}` });
        return next.build(request, call);
      },
    }),
  },
  {
    name: "logs a secret in base64",
    requirement: "secrets-not-in-events",
    sabotage: () => (next) => ({
      async build(request, call) {
        call.logger.debug("mounting", { value: Buffer.from(await secretText(request)).toString("base64") });
        return next.build(request, call);
      },
    }),
  },
  {
    name: "shows a secret in an error",
    requirement: "secrets-not-in-errors",
    sabotage: () => (next) => ({
      build: (request, call) =>
        next.build(request, call).catch(async (error: unknown) => {
          const data = BuilderError.from(error).toJSON();
          throw BuilderError.from({ ...data, message: `${data.message} ${await secretText(request)}` });
        }),
    }),
  },
];
