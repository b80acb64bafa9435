import { posix } from "node:path";

import * as z from "zod/mini";
import { cacheSchema } from "./cache.ts";
import type { Cache } from "./cache.ts";
import { contextSchema } from "./context.ts";
import type { Context } from "./context.ts";
import { outputSchema } from "./output.ts";
import type { ArchiveSink, Output } from "./output.ts";
import { tagSchema } from "./reference-schema.ts";
import { secretSchema } from "./secret.ts";
import type { SecretReader, SecretSource } from "./secret.ts";

/** Values by name. */
export type Named<Value> = Readonly<Record<string, Value>>;

/** What to build. */
export interface BuildOptions {
  /** Shown in progress and listings. @defaultValue the first tag */
  name?: string | undefined;
  /** What `COPY` and `ADD` see. */
  context: string | Context;
  /** Further contexts, by their name in `FROM` and `COPY --from`. */
  contexts?: Named<string | Context> | undefined;
  /**
   * Path inside the context; `dockerfileInline` is the text instead. As with docker, one that ends in `Dockerfile` may mean `dockerfile`, where only that is there.
   *
   * @defaultValue `"Dockerfile"`
   */
  dockerfile?: string | undefined;
  dockerfileInline?: string | undefined;
  /** Stage to build. @defaultValue the last */
  target?: string | undefined;
  buildArgs?: Named<string> | undefined;
  labels?: Named<string> | undefined;
  /** Keys as in buildx: `[level[platform]:]key`. */
  annotations?: Named<string> | undefined;
  /** `registry/repository:tag`. */
  tags?: readonly string[] | undefined;
  /** `os/architecture[/variant]`. @defaultValue what the builder runs on */
  platforms?: readonly string[] | undefined;
  /** By the id in `RUN --mount=type=secret`. */
  secrets?: Named<SecretSource> | undefined;
  /** By the id in `RUN --mount=type=ssh`; `{}` is the agent at `SSH_AUTH_SOCK`. */
  ssh?: Named<{ socket?: string | undefined; keys?: readonly string[] | undefined }> | undefined;
  cacheFrom?: readonly (string | Cache)[] | undefined;
  cacheTo?: readonly (string | Cache)[] | undefined;
  /** `true`, or the names of the stages that must run again. @defaultValue `false` */
  noCache?: boolean | readonly string[] | undefined;
  /** Look base images up again even where the builder has them. @defaultValue `false` */
  pull?: boolean | undefined;
  /** @defaultValue `[{ type: "push" }]` */
  outputs?: readonly Output<string | ArchiveSink>[] | undefined;
  /**
   * Ask the registries of the tags and of `cacheTo` for permission before the build, not after it. Credentials that contradict each other are refused
   * in any case.
   *
   * @defaultValue `true`
   */
  preflight?: boolean | undefined;
  /** Create a repository that does not exist, where the registry wants that (Amazon ECR). @defaultValue `false` */
  createRepository?: boolean | undefined;
  /**
   * Build nothing if every tag stands for one image already that an earlier build with this option has made from the same inputs: the files that
   * `.dockerignore` leaves over, the Dockerfile, and the options that change the image. Only the registry is asked; no pod starts. What an image was built
   * from is recorded beside it in the registry, bound to its digest, so a tag that somebody else has moved is never taken for it.
   *
   * Not among the inputs: what a base image's tag or an address in `ADD` leads to today (name base images by digest), secrets, and the platform of the
   * builder where `platforms` are not given. Contexts from elsewhere have to name a commit or a digest. What is skipped writes no cache to `cacheTo` either.
   * @defaultValue `false`
   */
  skipIfPresent?: boolean | undefined;
  /**
   * `"image"`: gives up the builds of the same `name` that this builder has queued or under way, and begins when they are dead, so that none of them moves a
   * tag afterwards. They fail with `ABORTED`, whose details say `supersededBy`. Builds whose tags differ each time need a `name` for it.
   * @defaultValue none is given up
   */
  supersedes?: "image" | undefined;
  /** @defaultValue `"default"` */
  network?: "default" | "host" | "none" | undefined;
  /** Address by host name. */
  addHosts?: Named<string> | undefined;
  shmSizeBytes?: number | undefined;
  ulimits?: Named<{ soft: number; hard: number }> | undefined;
  /** Attestations. @defaultValue `false` */
  provenance?: boolean | { mode: "min" | "max" } | undefined;
  sbom?: boolean | { generator: string } | undefined;
}

/** {@link BuildOptions} with notations expanded and defaults filled in. @interface */
export type ResolvedBuildOptions = Filled<Omit<BuildOptions, keyof Expanded | Undefaulted>> &
  Pick<BuildOptions, Undefaulted> &
  Expanded;

/** Options that stay absent when they are not given. */
export type Undefaulted = "name" | "dockerfileInline" | "target" | "supersedes" | "shmSizeBytes";

/** Options whose notations are expanded. */
export type Expanded = Readonly<{ context: Context; contexts: Named<Context>; secrets: Named<SecretReader> }> &
  Readonly<{ cacheFrom: readonly Cache[]; cacheTo: readonly Cache[]; outputs: readonly Output[] }>;

/** Options with every default filled in. */
export type Filled<Options> = { readonly [Key in keyof Options]-?: Exclude<Options[Key], undefined> };

/** `os/architecture[/variant]`. */
export const platformSchema = z
  .string()
  .check(
    z.regex(/^[a-z\d]+\/[a-z\d_]+(?:\/[a-z\d.]+)?$/, "Must be os/architecture[/variant], for example linux/amd64"),
  );

const text = z.string().check(z.minLength(1));
const flag = z._default(z.boolean(), false);
const named = <Value extends z.core.$ZodType>(value: Value) => z._default(z.record(text, value), {});
const list = <Value extends z.core.$ZodType>(value: Value) => z.readonly(z.array(value));
const texts = named(z.string());
const orFlag = <Value extends z.core.$ZodType>(value: Value, error: string) =>
  z._default(z.union([z.boolean(), value], { error }), false);
const sshSchema = z.strictObject({ socket: z.optional(text), keys: z.optional(list(text)) });
const outputsSchema = z
  .array(outputSchema)
  .check(z.minLength(1, 'Is empty; { type: "cache-only" } is a build without an output'));

const shape = {
  name: z.optional(text),
  context: contextSchema,
  contexts: named(contextSchema),
  dockerfile: z._default(text, "Dockerfile"),
  dockerfileInline: z.optional(text),
  target: z.optional(text),
  buildArgs: texts,
  labels: texts,
  annotations: texts,
  tags: z._default(list(tagSchema), []),
  platforms: z._default(list(platformSchema), []),
  secrets: named(secretSchema),
  ssh: named(sshSchema),
  cacheFrom: z._default(list(cacheSchema), []),
  cacheTo: z._default(list(cacheSchema), []),
  noCache: orFlag(list(text), "Must be a boolean or a list of stage names"),
  pull: flag,
  outputs: z._default(z.readonly(outputsSchema), [{ type: "push" }]),
  preflight: z._default(z.boolean(), true),
  createRepository: flag,
  skipIfPresent: flag,
  supersedes: z.optional(z.literal("image")),
  network: z._default(z.enum(["default", "host", "none"]), "default"),
  addHosts: texts,
  shmSizeBytes: z.optional(z.int().check(z.positive())),
  ulimits: named(z.strictObject({ soft: z.int(), hard: z.int() })),
  provenance: orFlag(z.strictObject({ mode: z.enum(["min", "max"]) }), 'Must be a boolean or { mode: "min" | "max" }'),
  sbom: orFlag(z.strictObject({ generator: text }), "Must be a boolean or { generator }"),
} satisfies OptionsShape<BuildOptions>;

/** The keys of {@link BuildOptions}, which a driver cannot take for its own. */
export const buildOptionKeys: readonly string[] = Object.keys(shape);

const plainSchema = z.strictObject(shape);

/**
 * Options as they are parsed: strict, with notations expanded and defaults filled in. It `satisfies` the interface, so what one of the two
 * lacks does not compile.
 */
export const buildOptionsSchema = plainSchema.check(
  z.superRefine((options, call) => {
    if (/^(?:\/|\.\.(?:\/|$))/.test(posix.normalize(options.dockerfile)))
      call.addIssue({
        code: "custom",
        path: ["dockerfile"],
        message: "Must be a path inside the context; pass a text from elsewhere as dockerfileInline",
      });
    if (options.dockerfileInline !== undefined && options.dockerfile !== "Dockerfile")
      call.addIssue({
        code: "custom",
        path: ["dockerfileInline"],
        message: "Cannot be given together with dockerfile; leave one out",
      });
    if (options.tags.length === 0 && options.outputs.some((output) => output.type === "push"))
      call.addIssue({
        code: "custom",
        path: ["tags"],
        message:
          'A push needs a tag: add tags, for example ["registry.example.com/team/api:v1"], or choose other outputs',
      });
    const problem = options.skipIfPresent ? skipProblem(options) : undefined;
    if (problem !== undefined) call.addIssue({ code: "custom", path: ["skipIfPresent"], message: problem });
  }),
) as unknown as z.ZodMiniType<ResolvedBuildOptions, BuildOptions>;

/** Why a build cannot be skipped as it was asked for. */
function skipProblem({
  noCache,
  pull,
  outputs,
}: Pick<z.output<typeof plainSchema>, "noCache" | "pull" | "outputs">): string | undefined {
  if (noCache !== false || pull)
    return `Contradicts ${pull ? "pull" : "noCache"}, which wants the image made anew; leave one out`;
  if (outputs.some((output) => output.type !== "push" || output.byDigest === true))
    return "Looks for the tags in their registry, so the only output can be a push to them; leave it or the other outputs out";
  return undefined;
}

/** The shape of the strict schema of an options interface: one schema of zod or zod/mini for each key. */
export type OptionsShape<Options> = { [Key in keyof Options]-?: z.core.$ZodType<unknown, Options[Key]> };
