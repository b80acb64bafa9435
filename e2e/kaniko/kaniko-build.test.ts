import type { KubernetesObject, Secret } from "@slipway/cluster";
import { createBuilder, type Keychain } from "slipway";
import { kanikoDriver, type KanikoDriverOptions } from "slipway/kaniko";
import { afterAll, describe, expect, test } from "vitest";

import { createKanikoNamespace } from "./kaniko-namespace.ts";
import { KanikoTrials } from "./kaniko-trial.ts";

const kaniko = await createKanikoNamespace();
afterAll(() => kaniko[Symbol.asyncDispose]());

const trials = new KanikoTrials(kaniko);
const { from } = trials;
const { namespace } = kaniko;
const { cluster, testCluster } = namespace;
const { registry } = testCluster;

/** Whatever a namespace has that somebody must have made. */
async function objects(): Promise<readonly KubernetesObject[]> {
  const kinds = [
    ...["Pod", "Secret", "ConfigMap", "ServiceAccount", "Service", "PersistentVolumeClaim"].map((kind) => ["v1", kind]),
    ...["Job", "CronJob"].map((kind) => ["batch/v1", kind]),
    ...["Deployment", "StatefulSet", "DaemonSet"].map((kind) => ["apps/v1", kind]),
    ...["Role", "RoleBinding"].map((kind) => ["rbac.authorization.k8s.io/v1", kind]),
    ["networking.k8s.io/v1", "NetworkPolicy"],
  ];
  const lists = await Promise.all(
    kinds.map(async ([apiVersion = "", kind = ""]) =>
      (await cluster.list<KubernetesObject>({ apiVersion, kind })).items.map((object) => ({ ...object, kind })),
    ),
  );
  return lists.flat();
}

describe("a build with kaniko", () => {
  test.concurrent("sends the context without what .dockerignore names, and the Dockerfile even so", async () => {
    const files = { "a.txt": "a", "b.log": "b", "sub/c": "c", ".dockerignore": "Dockerfile\n*.log\n" };
    const { output, result } = await trials.succeed(
      `${from}WORKDIR /app\nCOPY . .\nRUN find . | sort && stat -c %a .\n`,
      {
        files,
      },
    );
    expect(output).toBe(".\n./.dockerignore\n./a.txt\n./sub\n./sub/c\n755\n");
    // Three files, a folder, and the folder that they are in.
    expect(result.context).toMatchObject({ files: 5, sentFiles: 5, totalBytes: 19 });
    expect(result.context.sentBytes).toBeGreaterThan(100);
  });

  test.concurrent("takes --destination and --dockerfile for the options that they stand for", async () => {
    const further = `${namespace.repository}/further:1`;
    const { output, result, warnings } = await trials.succeed(`${from}RUN exit 9\n`, {
      files: { "docker/app": `${from}RUN echo of the flag\n` },
      kaniko: { args: [`--destination=${further}`, "-f", "docker/app"] },
    });
    expect(output).toBe("of the flag\n");
    expect(result.image?.tags).toHaveLength(2);
    expect(result.image?.tags).toContain(further);
    for (const tag of result.image?.tags ?? []) expect(await kaniko.resolveDigest(tag)).toBe(result.image?.digest);
    expect(warnings.filter((warning) => warning.includes("contradicts"))).toEqual([]);
  });

  test.concurrent("takes --no-push for a build without an image", async () => {
    const tag = `${namespace.repository}/unpushed:1`;
    let args: readonly string[] = [];
    const { result } = await trials.succeed(`${from}RUN echo hello\n`, {
      ...{ build: { tags: [tag] }, kaniko: { args: ["--no-push"] } },
      whileRunning: (pod) => {
        args = pod.spec?.containers[0]?.args ?? [];
        return Promise.resolve();
      },
    });
    expect(args.filter((argument) => argument.startsWith("--no-push"))).toEqual(["--no-push"]);
    expect(result.image).toBeUndefined();
    expect(await kaniko.resolveDigest(tag)).toBeUndefined();
  });

  test.concurrent(
    "LEAST-CREDS: the Secret of a build holds its own registries and no others, and belongs to its Job",
    async () => {
      const hosts = [registry.clusterHost, "registry.example.com", "other.example.com"];
      const credentials: readonly Keychain[] = [
        {
          resolve: ({ registry: host }) =>
            Promise.resolve(
              hosts.includes(host) ? [{ type: "basic", source: "test", username: "user", password: `of ${host}` }] : [],
            ),
        },
      ];
      let secret: Secret | undefined;
      await trials.succeed(`${from}RUN echo hello\n`, {
        credentials,
        whileRunning: async (pod) => {
          const name = pod.metadata?.labels?.["batch.kubernetes.io/job-name"] ?? "";
          secret = await cluster.get<Secret>({ apiVersion: "v1", kind: "Secret", name });
        },
      });
      const config = JSON.parse(Buffer.from(secret?.data?.["config.json"] ?? "", "base64").toString()) as {
        auths: object;
      };
      const repositories = ["base/busybox", "trial", "trial/cache"];
      expect(Object.keys(config.auths).length).toBeGreaterThan(1);
      for (const key of Object.keys(config.auths))
        expect(
          [registry.clusterHost, ...repositories].some((part) => key.includes(part)),
          key,
        ).toBe(true);
      expect(JSON.stringify(config)).not.toContain("example.com");
      expect(secret?.metadata?.ownerReferences).toMatchObject([{ kind: "Job", controller: true }]);
      const left = await cluster.list<Secret>({ apiVersion: "v1", kind: "Secret" });
      expect(left.items.filter(({ metadata }) => metadata?.name === secret?.metadata?.name)).toEqual([]);
    },
  );

  test.concurrent("BASELINE: builds in a namespace that enforces Pod Security baseline", async () => {
    const { metadata } = (await cluster.get({ apiVersion: "v1", kind: "Namespace", name: namespace.name })) ?? {};
    expect(metadata?.labels?.["pod-security.kubernetes.io/enforce"]).toBe("baseline");
    await trials.succeed(`${from}RUN echo hello > /a && chown 1:2 /a && su user -s /bin/sh -c id\n`);
  });

  test("bootstrap makes no object at all, but for a workspace if one is wanted", async () => {
    const before = new Set((await objects()).map(({ metadata }) => metadata?.uid));
    const made = async (options: KanikoDriverOptions): Promise<readonly string[]> => {
      await using builder = createBuilder({ driver: kanikoDriver({ ...kaniko.driverOptions, ...options }) });
      await builder.bootstrap();
      return (await objects()).filter(({ metadata }) => !before.has(metadata?.uid)).map(({ kind = "" }) => kind);
    };
    expect(await made({})).toEqual([]);
    expect(await made({ pullSecret: "regcred", serviceAccount: "builder", cache: { enabled: true } })).toEqual([]);
    expect((await made({ workspace: { size: "64Mi" } })).toSorted()).toEqual(["Job", "PersistentVolumeClaim", "Pod"]);
  });

  test("says at once what a namespace of a stricter level has against the pod", async () => {
    const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
    const reference = { apiVersion: "v1", kind: "Namespace", name: namespace.name };
    await cluster.patch(reference, { metadata: { labels } });
    try {
      const error = await trials.fail(`${from}RUN echo hello\n`);
      expect(error).toMatchObject({ code: "FORBIDDEN", details: { resource: "pods", namespace: namespace.name } });
      expect(error.message).toMatch(/violates PodSecurity/);
    } finally {
      await cluster.patch(reference, { metadata: { labels: { "pod-security.kubernetes.io/enforce": "baseline" } } });
    }
  });
});
