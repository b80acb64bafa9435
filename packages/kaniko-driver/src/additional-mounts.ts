import type { OptionsShape } from "@slipway/core";
import * as z from "zod/mini";

import { instructionTargets } from "./instruction-targets.ts";
import type { PodVolumes } from "./pod-volumes.ts";

/** A key of a Secret or ConfigMap, and the file that it becomes. */
export interface MountedItem {
  readonly key: string;
  /** Below `mountPath`. */
  readonly path: string;
  /** Permissions of the file, as a number. @defaultValue the volume's */
  readonly mode?: number | undefined;
}

/** A Secret or ConfigMap of the build's namespace. */
export interface MountedObject {
  readonly name: string;
  /** Permissions of the files, as a number. @defaultValue 0o644 */
  readonly defaultMode?: number | undefined;
  /** @defaultValue every key, as a file of its name */
  readonly items?: readonly MountedItem[] | undefined;
}

/** Files for the executor, and for the `RUN`s of the Dockerfile: exactly one of `secret` and `configMap`. */
export interface AdditionalMount {
  /** Where they are. What a build writes there, or below, is not in the image. */
  readonly mountPath: string;
  /** @defaultValue `true` */
  readonly readOnly?: boolean | undefined;
  /** One file of the volume in place of all. */
  readonly subPath?: string | undefined;
  readonly secret?: MountedObject | undefined;
  readonly configMap?: MountedObject | undefined;
}

const text = z.string().check(z.minLength(1));
const mode = z.optional(z.int().check(z.minimum(0), z.maximum(0o777)));
const itemSchema = z.strictObject({ key: text, path: text, mode } satisfies OptionsShape<MountedItem>);
const objectSchema = z.strictObject({
  name: text,
  defaultMode: mode,
  items: z.optional(z.readonly(z.array(itemSchema))),
} satisfies OptionsShape<MountedObject>);

/** The schema of {@link AdditionalMount}. */
export const additionalMountSchema = z
  .strictObject({
    mountPath: z.string().check(z.startsWith("/", "needs an absolute path")),
    readOnly: z._default(z.boolean(), true),
    subPath: z.optional(text),
    secret: z.optional(objectSchema),
    configMap: z.optional(objectSchema),
  } satisfies OptionsShape<AdditionalMount>)
  .check(
    z.refine(({ secret, configMap }) => (secret === undefined) !== (configMap === undefined), {
      error: "needs exactly one of secret and configMap",
    }),
  );

/** A mount with its defaults filled in. */
export type ResolvedMount = z.output<typeof additionalMountSchema>;

/** The volume and the mount of each, by position. */
export function mountVolumes(mounts: readonly ResolvedMount[]): PodVolumes {
  const name = (index: number): string => `additional-${index}`;
  return {
    volumes: mounts.map(({ secret, configMap }, index) => ({ name: name(index), ...volumeSource(secret, configMap) })),
    volumeMounts: mounts.map(({ mountPath, readOnly, subPath }, index) => ({
      ...{ name: name(index), mountPath, readOnly },
      ...(subPath === undefined ? {} : { subPath }),
    })),
  };
}

function volumeSource(secret: MountedObject | undefined, configMap: MountedObject | undefined): object {
  if (secret === undefined) return { configMap };
  const { name, ...rest } = secret;
  return { secret: { secretName: name, ...rest } };
}

/**
 * Mounts that hide what the Dockerfile makes: kaniko leaves every mount point out of the image, so that what `COPY` or `WORKDIR` puts at or below one
 * is lost without a word.
 */
export function shadowedTargets(
  dockerfile: string,
  mounts: readonly ResolvedMount[],
  buildArgs: Readonly<Record<string, string>> = {},
): readonly string[] {
  return instructionTargets(dockerfile, buildArgs).flatMap((target) =>
    mounts
      .filter(({ mountPath }) => isBelow(target, mountPath))
      .map(
        ({ mountPath }) =>
          `The mount at ${mountPath} hides ${target}, which the Dockerfile writes to: kaniko leaves mounted folders out of the image. Mount it elsewhere.`,
      ),
  );
}

function isBelow(target: string, mountPath: string): boolean {
  const root = mountPath.replace(/\/+$/, "");
  return target === root || target.replace(/\/+$/, "") === root || target.startsWith(`${root}/`);
}
