/** A part of a pod, merged into what Slipway makes: `metadata` and `spec` as Kubernetes documents them. */
export interface PodTemplate {
  readonly metadata?: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: Readonly<Record<string, unknown>>;
}

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * The keys by which lists of a pod are merged; other lists are replaced.
 * Source: the `patchMergeKey` of these fields in the Kubernetes API types.
 */
const mergeKeys: Readonly<Record<string, string>> = {
  containers: "name",
  initContainers: "name",
  ephemeralContainers: "name",
  volumes: "name",
  imagePullSecrets: "name",
  env: "name",
  ports: "containerPort",
  volumeMounts: "mountPath",
  volumeDevices: "devicePath",
  hostAliases: "ip",
  topologySpreadConstraints: "topologyKey",
};

/**
 * Merges a patch into a pod template as Kubernetes' strategic merge does: objects key by key, `null` deletes, the lists above item
 * by item (`{ name: "x", $patch: "delete" }` removes one), every other list is replaced.
 */
export function mergePodTemplate<Base extends object>(base: Base, patch: PodTemplate): Base {
  return mergeObjects(base as JsonObject, patch as JsonObject) as Base;
}

function mergeObjects(base: JsonObject, patch: JsonObject): JsonObject {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined) continue;
    if (value === null) Reflect.deleteProperty(merged, key);
    else merged[key] = mergeValues(key, merged[key], value);
  }
  return merged;
}

function mergeValues(key: string, base: unknown, patch: unknown): unknown {
  const mergeKey = mergeKeys[key];
  if (Array.isArray(base) && Array.isArray(patch) && mergeKey !== undefined) return mergeLists(mergeKey, base, patch);
  if (isObject(base) && isObject(patch)) return mergeObjects(base, patch);
  return patch;
}

function mergeLists(mergeKey: string, base: readonly unknown[], patch: readonly unknown[]): readonly unknown[] {
  const merged = [...base];
  for (const item of patch) {
    const index = merged.findIndex((known) => isObject(known) && isObject(item) && known[mergeKey] === item[mergeKey]);
    const known = merged[index];
    if (isObject(item) && item["$patch"] === "delete") {
      if (index >= 0) merged.splice(index, 1);
    } else if (isObject(known) && isObject(item)) {
      merged[index] = mergeObjects(known, item);
    } else {
      merged.push(item);
    }
  }
  return merged;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
