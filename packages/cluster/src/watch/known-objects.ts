import type { KubernetesObject } from "../rest/kubernetes-object.ts";

/** A change of one object. `object` is its last known state, also when it was deleted. */
export interface WatchEvent<T extends KubernetesObject> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: T;
}

/** The state that whoever follows a watch has been told. */
export interface KnownObjects<T extends KubernetesObject> {
  /** An event of the API server; `undefined` if it says nothing new. */
  accept(event: WatchEvent<T>): WatchEvent<T> | undefined;
  /** What has changed between the known state and a fresh list: the events that a gap has swallowed, as far as they left a trace. */
  reconcile(items: readonly T[]): WatchEvent<T>[];
}

function keyOf({ metadata }: KubernetesObject): string {
  return `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`;
}

/** Begins with nothing known. */
export function createKnownObjects<T extends KubernetesObject>(): KnownObjects<T> {
  const known = new Map<string, T>();
  const isSame = (one: T, other: T): boolean =>
    one.metadata?.uid === other.metadata?.uid && one.metadata?.resourceVersion === other.metadata?.resourceVersion;
  const accept = ({ type, object }: WatchEvent<T>): WatchEvent<T> | undefined => {
    const key = keyOf(object);
    const before = known.get(key);
    if (type === "DELETED") {
      known.delete(key);
      return { type, object };
    }
    known.set(key, object);
    if (!before) return { type: "ADDED", object };
    return isSame(before, object) ? undefined : { type: "MODIFIED", object };
  };
  return {
    accept,
    reconcile: (items) => {
      const events: WatchEvent<T>[] = [];
      const listed = new Map(items.map((item) => [keyOf(item), item]));
      for (const [key, object] of known) {
        // A new object of the same name is not the old one changed.
        if (listed.get(key)?.metadata?.uid === object.metadata?.uid) continue;
        known.delete(key);
        events.push({ type: "DELETED", object });
      }
      for (const object of items) {
        const event = accept({ type: "MODIFIED", object });
        if (event) events.push(event);
      }
      return events;
    },
  };
}
