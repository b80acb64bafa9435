import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { BuilderError, type BuildRequest, type BuilderDriver, type DriverBuildResult, type DriverCall } from "slipway";

import { authFile } from "./auth-file.ts";
import { podmanBuildOptions } from "./podman-options.ts";
import { PodmanSteps } from "./podman-steps.ts";
import { runPodman } from "./run-podman.ts";

type PodmanRequest = BuildRequest<typeof podmanBuildOptions>;

// #region driver
/** Builds with the podman of this machine. */
export function podmanDriver({ program = "podman" }: { readonly program?: string } = {}) {
  return {
    specificationVersion: "v1",
    name: "podman",
    // Named after the options that need them. A build that asks for anything else is refused before `build` is called.
    features: ["network", "addHosts", "shmSizeBytes"],
    buildOptions: podmanBuildOptions,
    build: (request, call) => inFolder((folder) => build(program, folder, request, call)),
  } satisfies BuilderDriver<typeof podmanBuildOptions>;
}

async function build(
  program: string,
  folder: string,
  request: PodmanRequest,
  call: DriverCall,
): Promise<DriverBuildResult> {
  const [digestFile, auth] = [join(folder, "digest"), join(folder, "auth.json")];
  await writeFile(auth, await authFile(request, call), { mode: 0o600 });
  const steps = new PodmanSteps(call.emit);
  const built = await runPodman(program, ["build", "--authfile", auth, ...buildArguments(request)], {
    signal: call.signal,
    input: request.dockerfileInline,
    onLine: (line) => steps.line(line),
  });
  // The process is gone by now: only then may an aborted build settle.
  call.signal.throwIfAborted();
  const failed = steps.end(built.exitCode === 0 ? undefined : built.stderr);
  if (built.exitCode !== 0) throw buildFailed(failed, built.stderr);
  for (const reference of pushedTags(request)) {
    const pushed = await runPodman(program, ["push", "--authfile", auth, "--digestfile", digestFile, reference], call);
    call.signal.throwIfAborted();
    if (pushed.exitCode !== 0) throw pushFailed(reference, pushed.stderr);
  }
  return { digest: (await readFile(digestFile, "utf8")).trim() };
}
// #endregion driver

function buildArguments(request: PodmanRequest): readonly string[] {
  const { context, dockerfile, dockerfileInline, target, platforms, podman } = request;
  if (context.type !== "directory") throw new Error(`a ${context.type} context is not among the features`);
  const pairs = (option: string, values: Readonly<Record<string, string>>, separator = "=") =>
    Object.entries(values).map(([name, value]) => `${option}=${name}${separator}${value}`);
  return [
    `--file=${dockerfileInline === undefined ? join(context.path, dockerfile) : "-"}`,
    ...(target === undefined ? [] : [`--target=${target}`]),
    ...(platforms[0] === undefined ? [] : [`--platform=${platforms[0]}`]),
    ...pairs("--build-arg", request.buildArgs),
    ...pairs("--label", request.labels),
    ...pairs("--add-host", request.addHosts, ":"),
    ...request.tags.map((tag) => `--tag=${tag}`),
    `--network=${request.network}`,
    ...(request.shmSizeBytes === undefined ? [] : [`--shm-size=${request.shmSizeBytes}b`]),
    ...(request.noCache === false ? [] : ["--no-cache"]),
    ...(request.pull ? ["--pull=always"] : []),
    ...(podman.squash ? ["--squash"] : []),
    context.path,
  ];
}

function pushedTags({ outputs, tags }: PodmanRequest): readonly string[] {
  const byDigest = outputs.some((output) => output.type === "push" && output.byDigest === true);
  if (!byDigest) return tags;
  const message = "podman pushes only by tag";
  throw new BuilderError({ code: "INVALID_OPTIONS", message, details: { issues: [{ path: "outputs", message }] } });
}

function buildFailed(step: string | undefined, logTail: string): BuilderError {
  const message = `${step ?? "The build"} failed: ${logTail.trim().split("\n").at(-1) ?? ""}`;
  return new BuilderError({
    code: "BUILD_FAILED",
    message,
    details: { ...(step === undefined ? {} : { step }), logTail },
  });
}

function pushFailed(reference: string, stderr: string): BuilderError {
  const registry = reference.slice(0, reference.indexOf("/"));
  const message = `${reference} could not be pushed: ${stderr.trim()}. Check the credentials for ${registry}.`;
  return new BuilderError({
    code: "REGISTRY_REFUSED",
    message,
    details: { registry, diagnostics: [stderr], triedCredentials: [] },
  });
}

async function inFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), "podman-driver-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
