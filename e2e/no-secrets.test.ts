import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { createBuilder, type BuildRun, type DriverEvent } from "slipway";
import { buildkitDriver } from "slipway/buildkit";
import { kanikoDriver } from "slipway/kaniko";
import { pullSecret, staticCredentials } from "slipway/secrets";
import { expect, it } from "vitest";

import { createKanikoNamespace } from "./kaniko/kaniko-namespace.ts";
import { listApiObjects } from "./no-secrets/api-objects.ts";
import {
  buildingPods,
  endProcesses,
  readLogs,
  readProcesses,
  runIn,
  type BuildingContainer,
} from "./no-secrets/pod-contents.ts";
import { printedForms, renderedForms } from "./no-secrets/printed-forms.ts";
import type { RejectingOrder } from "./no-secrets/rejecting-child.ts";
import { createSecretSearch, type SecretSearch } from "./no-secrets/secret-search.ts";
import { createContextFolder } from "./support/context-folder.ts";
import { observeBuild, resultOf } from "./support/observed-build.ts";
import { deployRegistry, type ClusterRegistry } from "./support/registries/deploy-registry.ts";
import { applyPullSecret } from "./support/registries/pull-secret-object.ts";
import { downloadImage, uploadImage, type RegistryUser } from "./support/registries/registry-access.ts";
import { registryDriverOptions } from "./support/registries/registry-names.ts";
import { createTestNamespace, type TestNamespace } from "./support/test-namespace.ts";

const waiting = "sleep 600";
const childTimeoutMs = 60_000;
const rights = { "*": ["pull", "push"] } as const;

it.each([
  ["token", (user: RegistryUser) => ({ tokens: { users: { [user.name]: { password: user.password, rights } } } })],
  ["Basic", (user: RegistryUser) => ({ htpasswd: { [user.name]: user.password } })],
])("NO-SECRETS: with %s auth passwords are nowhere but in the Secrets that hold them", async (kind, authOf) => {
  await using namespace = await createTestNamespace();
  await using fresh = await createTestNamespace();
  const user = { name: "app", password: randomPassword() };
  const stranger = { name: "app", password: randomPassword() };
  const buildSecret = randomPassword();
  const search = createSecretSearch({
    password: user.password,
    "wrong password": stranger.password,
    "build secret": buildSecret,
  });
  const registry = await deployRegistry(namespace, { auth: authOf(user) });
  await uploadImage(registry, user, { repository: "base/app", tag: "1", files: { marker: "from the base\n" } });
  await applyPullSecret(namespace, "regcred", { [registry.host]: user });
  await using secretFolder = await createContextFolder({ token: buildSecret });
  await using context = await createContextFolder({
    Dockerfile: [
      `FROM ${registry.host}/base/app:1 AS base`,
      `FROM ${namespace.testCluster.bases.busybox}`,
      "COPY --from=base /marker /marker",
      `RUN --mount=type=secret,id=token test -s /run/secrets/token; ${waiting} || true`,
      "",
    ].join("\n"),
  });
  const options = {
    context: context.path,
    tags: [`${registry.host}/team/app:1`],
    secrets: { token: { file: join(secretFolder.path, "token") } },
  } as const;
  const credentials = [pullSecret({ name: "regcred" })];
  const driver = buildkitDriver(registryDriverOptions(namespace));
  await using builder = createBuilder({ driver, credentials });
  const holders = kind === "token" ? ["regcred", "token-server"] : ["regcred"];
  const secrets = new Set(holders.map((name) => `secrets ${namespace.name}/${name}`));
  const lookAround = () => lookAtCluster(search, namespace, secrets, "buildkitd");
  const reported: DriverEvent[] = [];
  const onEvent = (event: DriverEvent): void => void reported.push(event);

  // A build that succeeds: while its step runs, and afterwards.
  const run = builder.build(options);
  const observed = observeBuild(run);
  await observed.waitFor("step-start", ({ name }) => name.includes(waiting));
  await lookAround();
  await endProcesses(namespace, "buildkitd", waiting);
  const result = await resultOf(observed);
  await lookAround();
  const reference = result.image?.digest ?? "";
  await lookAtImage(search, registry, user, { repository: "team/app", reference });
  search.look("events", renderedForms(observed.events));
  const objects = { result, run, options, credentials, driver, builder };
  for (const [name, value] of Object.entries(objects)) search.look(name, printedForms(value));

  // What goes with the image: copies, and the Secrets of those who run it.
  const { secrets: copied } = await builder.ensurePullable(
    { namespace: fresh.name, images: options.tags },
    { onEvent },
  );
  expect(copied.length).toBeGreaterThan(0);
  for (const name of copied) secrets.add(`secrets ${fresh.name}/${name}`);
  const publication = await builder.publish(
    { source: `${registry.host}/team/app@${reference}`, destinations: [`${registry.host}/released/app:1`] },
    { onEvent },
  );
  search.look("publication", printedForms(publication));
  expect(reported.map(({ type }) => type)).toContain("push-progress");
  search.look("events of operations", printedForms(reported));
  await lookAround();

  const login = { registry: registry.host, username: stranger.name, password: stranger.password };
  const wrong = staticCredentials(login);
  await using locked = createBuilder({
    driver: buildkitDriver(registryDriverOptions(namespace)),
    credentials: [wrong],
  });
  await lookAtRefusals(search, (preflight) => locked.build({ ...options, preflight }));
  search.look("explicit credentials", printedForms(wrong));
  search.look("options that do not parse", printedForms(refusalOf({ pasword: stranger.password })));
  const order = { driver: registryDriverOptions(namespace), context: context.path, tag: options.tags[0] };
  const printed = await rejectInChild({ ...order, ...login });
  expect(printed).toContain("REGISTRY_UNAUTHORIZED");
  search.look("unhandled rejection", printed);
  await lookAround();

  console.log(`searched ${Math.round(search.seenBytes / 1000)} kB`);
  expect(search.findings).toEqual([]);
});

it("NO-SECRETS: with kaniko a password is nowhere but in the Secrets that hold it, one of them for the time of the build", async () => {
  await using kaniko = await createKanikoNamespace();
  const { namespace } = kaniko;
  const user = { name: "app", password: randomPassword() };
  const stranger = { name: "app", password: randomPassword() };
  const search = createSecretSearch({ password: user.password, "wrong password": stranger.password });
  const registry = await deployRegistry(namespace, { auth: { htpasswd: { [user.name]: user.password } } });
  await uploadImage(registry, user, { repository: "base/app", tag: "1", files: { marker: "from the base\n" } });
  await applyPullSecret(namespace, "regcred", { [registry.host]: user });
  await using context = await createContextFolder({
    Dockerfile: [
      `FROM ${registry.host}/base/app:1 AS base`,
      `FROM ${namespace.testCluster.bases.busybox}`,
      "COPY --from=base /marker /marker",
      // The folder of the executor's image, in which exec starts; it goes with the first stage.
      "WORKDIR /workspace",
      `RUN ${waiting} || true`,
      "",
    ].join("\n"),
  });
  const options = { context: context.path, tags: [`${registry.host}/team/app:1`] };
  const credentials = [pullSecret({ name: "regcred" })];
  const registries = { ...kaniko.driverOptions.registries, [registry.host]: { http: true } };
  const driverOptions = { ...kaniko.driverOptions, registries };
  const driver = kanikoDriver(driverOptions);
  await using builder = createBuilder({ driver, credentials });
  const secrets = [`secrets ${namespace.name}/regcred`];

  const run = builder.build(options);
  const observed = observeBuild(run);
  await observed.waitFor("step-start", ({ name }) => name.includes(waiting));
  await expect.poll(() => kaniko.isBuildAlive(run.id), { timeout: 30_000 }).toBe(true);
  const [pod] = await kaniko.pods(run.id);
  const job = pod?.metadata?.labels?.["batch.kubernetes.io/job-name"] ?? "";
  await lookAtCluster(search, namespace, new Set([...secrets, `secrets ${namespace.name}/${job}`]), "executor");
  await endProcesses(namespace, "executor", waiting);
  const result = await resultOf(observed);
  await lookAtCluster(search, namespace, new Set(secrets), undefined);
  const reference = result.image?.digest ?? "";
  await lookAtImage(search, registry, user, { repository: "team/app", reference });
  search.look("events", renderedForms(observed.events));
  const objects = { result, run, options, credentials, driver, builder };
  for (const [name, value] of Object.entries(objects)) search.look(name, printedForms(value));

  const wrong = staticCredentials({ registry: registry.host, username: stranger.name, password: stranger.password });
  await using locked = createBuilder({ driver: kanikoDriver(driverOptions), credentials: [wrong] });
  await lookAtRefusals(search, (preflight) => locked.build({ ...options, preflight }));
  await lookAtCluster(search, namespace, new Set(secrets), undefined);
  expect(search.findings).toEqual([]);
});

it("NO-SECRETS: the search finds a secret that was planted, in each place and encoding", async () => {
  await using namespace = await createTestNamespace();
  const user = { name: "app", password: randomPassword() };
  const search = createSecretSearch({ password: user.password });
  const registry = await deployRegistry(namespace, { auth: { htpasswd: { [user.name]: user.password } } });
  await applyPullSecret(namespace, "regcred", { [registry.host]: user });
  const config = JSON.stringify({ auth: Buffer.from(`app:${user.password}`).toString("base64") });
  await namespace.cluster.create({
    ...{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "planted" } },
    data: { hex: Buffer.from(user.password).toString("hex"), twice: Buffer.from(config).toString("base64") },
  });
  await using builder = createBuilder({
    driver: buildkitDriver(registryDriverOptions(namespace)),
    credentials: [pullSecret({ name: "regcred" })],
  });
  await using context = await createContextFolder({
    Dockerfile: `FROM ${namespace.testCluster.bases.busybox}\nARG VALUE\nRUN echo $VALUE | tee /layer; ${waiting} || true\n`,
  });
  const run = observeBuild(
    builder.build({
      context: context.path,
      tags: [`${registry.host}/team/app:1`],
      buildArgs: { VALUE: encodeURIComponent(user.password) },
    }),
  );
  await run.waitFor("step-log");
  await lookAtCluster(search, namespace, new Set([`secrets ${namespace.name}/regcred`]), "buildkitd");
  const [pod = ""] = await buildingPods(namespace, "buildkitd");
  await runIn(namespace, { pod, container: "buildkitd" }, `echo ${user.password} > /proc/1/fd/2`);
  await lookAtCluster(search, namespace, new Set([`secrets ${namespace.name}/regcred`]), "buildkitd");
  await endProcesses(namespace, "buildkitd", waiting);
  const result = await resultOf(run);
  await lookAtImage(search, registry, user, { repository: "team/app", reference: result.image?.digest ?? "" });
  search.look("events", renderedForms(run.events));
  search.look("options", printedForms({ nested: [{ password: user.password }] }));

  const found = search.findings.map(({ place, encoding }) => `${place}: ${encoding}`);
  for (const expected of [
    `configmaps ${namespace.name}/planted: hex`,
    `configmaps ${namespace.name}/planted: base64 twice`,
    "processes: URL",
    `log of ${pod}/buildkitd: raw`,
    "image: URL",
    "events: URL",
    "options: raw",
  ]) {
    expect(found).toContain(expected);
  }
  expect(found.filter((place) => place.startsWith("secrets "))).toEqual([]);
});

/** 32 random bytes with all that encodings change. */
function randomPassword(): string {
  return `+/${randomBytes(32).toString("base64")}`;
}

async function lookAtCluster(
  search: SecretSearch,
  namespace: TestNamespace,
  secrets: ReadonlySet<string>,
  building: BuildingContainer | undefined,
): Promise<void> {
  const objects = await listApiObjects(namespace.cluster);
  for (const place of secrets) expect(objects.map((object) => object.place)).toContain(place);
  for (const { place, text: content } of objects) if (!secrets.has(place)) search.look(place, content);
  if (building !== undefined) {
    const processes = await readProcesses(namespace, building);
    expect(processes).toContain(building);
    search.look("processes", processes);
  }
  for (const [container, log] of await readLogs(namespace)) search.look(`log of ${container}`, log);
}

async function lookAtImage(
  search: SecretSearch,
  registry: ClusterRegistry,
  user: RegistryUser,
  image: { readonly repository: string; readonly reference: string },
): Promise<void> {
  const parts = await downloadImage(registry, user, image);
  expect(parts.length).toBeGreaterThanOrEqual(3);
  for (const part of parts) search.look("image", part);
}

/** A build that the registry refuses: before it starts, and where that is not asked for, in the middle. */
async function lookAtRefusals(search: SecretSearch, build: (preflight: boolean) => BuildRun): Promise<void> {
  for (const preflight of [true, false]) {
    const { outcome, events } = observeBuild(build(preflight));
    const error = await outcome;
    expect(error).toMatchObject({ code: "REGISTRY_UNAUTHORIZED" });
    search.look("error", printedForms(error));
    search.look("events of a failure", renderedForms(events));
  }
}

/** The error for options with a mistake. */
function refusalOf(options: object): unknown {
  try {
    return staticCredentials({ registry: "registry.example.com", username: "app", ...options } as never);
  } catch (error) {
    return error;
  }
}

/** What a program prints when nobody handles the rejection. */
async function rejectInChild(order: RejectingOrder): Promise<string> {
  const script = join(import.meta.dirname, "no-secrets/rejecting-child.ts");
  const argv = ["--conditions=@slipway/source", script];
  const child = spawn(process.execPath, argv, { stdio: "pipe", timeout: childTimeoutMs });
  child.stdin.end(JSON.stringify(order));
  const outputs = await Promise.all([text(child.stdout), text(child.stderr)]);
  return outputs.join("\n");
}
