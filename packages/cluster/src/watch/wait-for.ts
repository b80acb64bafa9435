import { BuilderError } from "@slipway/core";

import type { KubernetesObject, ResourceReference } from "../rest/kubernetes-object.ts";
import type { ListOptions, ResourceClient } from "../rest/resource-client.ts";
import type { WatchEvent, WatchOptions } from "./watch.ts";

/** What to wait for. */
export interface WaitForOptions<T extends KubernetesObject, Result> extends ListOptions {
  /** Looks at all objects that match, at first and after each change. Anything but `undefined` ends the wait; to throw ends it too. */
  readonly until: (objects: readonly T[]) => Result | undefined | Promise<Result | undefined>;
  /** @defaultValue as long as `signal` lets it */
  readonly timeoutMs?: number | undefined;
}

/** What a wait needs of a cluster. */
export interface WaitSource extends Pick<ResourceClient, "list"> {
  watch<T extends KubernetesObject>(
    resource: ResourceReference,
    options?: WatchOptions<T>,
  ): AsyncIterable<WatchEvent<T>>;
}

/** Fires with code TIMEOUT, so that whatever waits rejects with it. */
export function deadlineSignal(
  timeoutMs: number,
  waitedFor: string,
  signal: AbortSignal | undefined,
): { signal: AbortSignal; clear: () => void } {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    const message = `${waitedFor} did not become as expected within ${timeoutMs / 1000} s. Raise the timeout, or look at the object with kubectl describe.`;
    controller.abort(new BuilderError({ code: "TIMEOUT", message, details: { timeoutMs } }));
  }, timeoutMs);
  const signals = signal ? [signal, controller.signal] : [controller.signal];
  return { signal: AbortSignal.any(signals), clear: () => clearTimeout(timer) };
}

/** Lists, and looks again at each change until `until` is content. */
export async function waitForObjects<T extends KubernetesObject, Result>(
  source: WaitSource,
  resource: ResourceReference,
  options: WaitForOptions<T, Result>,
): Promise<Result> {
  const deadline =
    options.timeoutMs === undefined ? undefined : deadlineSignal(options.timeoutMs, resource.kind, options.signal);
  const call = { ...options, signal: deadline?.signal ?? options.signal };
  const keyOf = ({ metadata }: T): string => `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`;
  try {
    const from = await source.list<T>(resource, call);
    const objects = new Map(from.items.map((item) => [keyOf(item), item]));
    const atFirst = await options.until([...objects.values()]);
    if (atFirst !== undefined) return atFirst;
    for await (const { type, object } of source.watch<T>(resource, { ...call, from })) {
      if (type === "DELETED") objects.delete(keyOf(object));
      else objects.set(keyOf(object), object);
      const result = await options.until([...objects.values()]);
      if (result !== undefined) return result;
    }
    throw new Error("a watch ended by itself");
  } finally {
    deadline?.clear();
  }
}
