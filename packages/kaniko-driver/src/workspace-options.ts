import type { PodTemplate } from "@slipway/cluster";
import type { OptionsShape } from "@slipway/core";
import * as z from "zod/mini";

import { isAtLeast, type Executor } from "./executor-version.ts";
import { podTemplateSchema } from "./pod-template-schema.ts";

/**
 * Contexts that are kept in the cluster, on a volume that the pods of builds mount: only what has changed is sent, and a build that is tried again
 * needs nothing sent. A small pod, which the cluster removes when nobody has built for a while, takes what is new.
 */
export interface KanikoWorkspace {
  /** `false`: contexts go through the stdin of the executor. @defaultValue `true` where `workspace` is given, and for executors before v0.24.0 */
  readonly enabled?: boolean | undefined;
  /** Builders that name the same workspace share it. @defaultValue `"slipway-kaniko-workspace"` */
  readonly name?: string | undefined;
  /** A PersistentVolumeClaim of the namespace, which stays when the workspace goes. @defaultValue one is made, and goes with the workspace */
  readonly claimName?: string | undefined;
  /** Of the claim that is made, as a quantity. @defaultValue `"10Gi"` */
  readonly size?: string | undefined;
  /** Of the claim that is made. @defaultValue the default class of the cluster */
  readonly storageClass?: string | undefined;
  /** With `ReadWriteOnce`, builds run on the node of the workspace. @defaultValue `"ReadWriteOnce"` */
  readonly accessMode?: "ReadWriteOnce" | "ReadWriteMany" | undefined;
  /** The workspace is removed when nobody has built for so long, or when those who did were killed; in milliseconds, at least 10000. @defaultValue 3600000 */
  readonly idleMs?: number | undefined;
  /** The workspace is removed after so long in any case, in milliseconds. @defaultValue 86400000 */
  readonly lifetimeMs?: number | undefined;
  /** Merged into the pod of the workspace, which runs where builds may run: `nodeSelector`, `tolerations`, `affinity`, `labels`, `annotations` and `serviceAccount` are theirs. */
  readonly podTemplate?: PodTemplate | undefined;
}

const text = z.string().check(z.minLength(1));
const milliseconds = z.int().check(z.minimum(1000));
/** Within this a client that builds has to say that it is there. */
const idleMilliseconds = z.int().check(z.minimum(10_000));
const hourMs = 3_600_000;
const name = z
  .string()
  .check(
    z.regex(/^[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?$/, "needs a name of at most 42 lower-case letters, digits and -"),
  );
const quantity = z.string().check(z.regex(/^\d+(\.\d+)?(Ki|Mi|Gi|Ti|k|M|G|T)?$/, "needs a quantity such as 10Gi"));

/** The schema of {@link KanikoWorkspace}. */
export const workspaceSchema = z.strictObject({
  enabled: z.optional(z.boolean()),
  name: z._default(name, "slipway-kaniko-workspace"),
  claimName: z.optional(text),
  size: z._default(quantity, "10Gi"),
  storageClass: z.optional(text),
  accessMode: z._default(z.enum(["ReadWriteOnce", "ReadWriteMany"]), "ReadWriteOnce"),
  idleMs: z._default(idleMilliseconds, hourMs),
  lifetimeMs: z._default(milliseconds, 24 * hourMs),
  podTemplate: podTemplateSchema,
} satisfies OptionsShape<KanikoWorkspace>);

/** {@link KanikoWorkspace} with the defaults filled in. */
export type ResolvedWorkspace = z.output<typeof workspaceSchema>;

/** The first executor that is trusted with a context from its stdin. */
const firstStreamed = [0, 24, 0] as const;

/** The first executor that reads a context from its stdin at all. */
const firstWithStdin = [0, 20, 0] as const;

/** Why an executor cannot have a context through its stdin; undefined if it can. */
export function stdinProblem(image: string, executor: Executor): string | undefined {
  if (isAtLeast(executor, firstWithStdin)) return undefined;
  return `The executor ${image} is older than v${firstWithStdin.join(".")} and cannot read a context from stdin`;
}

/** The workspace that contexts are kept in; undefined if they are streamed. */
export function workspaceOf(
  workspace: ResolvedWorkspace | undefined,
  executor: Executor,
): ResolvedWorkspace | undefined {
  if (workspace !== undefined) return workspace.enabled === false ? undefined : workspace;
  return isAtLeast(executor, firstStreamed) ? undefined : workspaceSchema.parse({});
}
