import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";

import type { Job, Pod } from "@slipway/cluster";
import { afterAll, expect, test } from "vitest";

import { hashScript } from "./context-hash.ts";
import { createKanikoNamespace } from "./kaniko-namespace.ts";
import type { ClientOptions, ClientReport, ClientTask } from "./workspace-client.ts";

const kaniko = await createKanikoNamespace();
afterAll(() => kaniko[Symbol.asyncDispose]());

const { cluster, name: namespace, repository, testCluster } = kaniko.namespace;
const workspace = { name: "shared", size: "1Gi" };
const rounds = 50;
const buildEvery = Number(process.env["SLIPWAY_BUILD_EVERY"] ?? 10);

/** A client in a process of its own. */
interface Client extends AsyncDisposable {
  perform(task: ClientTask): Promise<ClientReport>;
}

function startClient(id: string): Client {
  const from = `FROM ${testCluster.bases.busybox}\n`;
  const options: ClientOptions = {
    id,
    workspace,
    from,
    tag: `${repository}/client:${id}`,
    driver: kaniko.driverOptions,
  };
  const program = join(import.meta.dirname, "workspace-client.ts");
  const argv = ["--conditions=@slipway/source", program, JSON.stringify(options)];
  const child = spawn(process.execPath, argv, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    perform: async (task) => {
      child.stdin.write(`${JSON.stringify(task)}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`Client ${id} has ended.`);
      return JSON.parse(value) as ClientReport;
    },
    [Symbol.asyncDispose]: async () => {
      child.stdin.end();
      if (child.exitCode === null) await once(child, "exit");
    },
  };
}

/** A pod that mounts the volume as builds do, read-only and on the same node, but all of it, so that it sees each version. */
async function startReader(): Promise<void> {
  const job = await cluster.get<Job>({ apiVersion: "batch/v1", kind: "Job", name: workspace.name });
  const claimName = job?.spec?.template.spec?.volumes?.[0]?.persistentVolumeClaim?.claimName ?? "";
  const term = {
    labelSelector: { matchLabels: { "slipway.dev/workspace": workspace.name } },
    topologyKey: "kubernetes.io/hostname",
  };
  await cluster.create<Pod>({
    ...{ apiVersion: "v1", kind: "Pod", metadata: { name: "reader" } },
    spec: {
      terminationGracePeriodSeconds: 0,
      affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } },
      volumes: [{ name: "context", persistentVolumeClaim: { claimName } }],
      containers: [
        {
          ...{ name: "reader", image: testCluster.images.busybox, command: ["sleep", "3600"] },
          volumeMounts: [{ name: "context", mountPath: "/volume", readOnly: true }],
        },
      ],
    },
  });
  await cluster.waitForPod({ namespace, name: "reader" });
}

async function hashOnVolume(subPath: string): Promise<string> {
  const command = ["sh", "-c", `cd "/volume/$0" || exit 1; ${hashScript}`, subPath];
  const stream = await cluster.exec({ namespace, pod: "reader", command, stdin: false });
  return (await text(stream.stdio)).trim();
}

/**
 * Every tenth round (`SLIPWAY_BUILD_EVERY=1`: each) is a whole build of each client, whose Dockerfile prints the hash of what it got; ten builds take a
 * minute. In the other rounds each client syncs, under the same name as the other one, and a pod with the mount of a build reads the hash of the version: what a build would have
 * copied. Older versions, which nobody has released, are read again at the end: nothing of the later rounds may have changed them.
 */
test(
  `TWO-CLIENTS: two processes that sync different contexts to one workspace ${rounds} times at once have each their own`,
  { timeout: 30 * 60_000 },
  async () => {
    await using one = startClient("one");
    await using two = startClient("two");
    const clients = [one, two];
    const versions = new Map<string, string>();
    let builds = 0;
    for (let round = 0; round < rounds; round += 1) {
      const kind = round % buildEvery === 0 ? "build" : "sync";
      const reports = await Promise.all(clients.map((client) => client.perform({ round, kind })));
      // Both have found no workspace, and made one.
      if (round === 0) await startReader();
      const [first, second] = reports;
      expect(first?.hash).not.toBe(second?.hash);
      for (const { hash, subPath, printed } of reports) {
        if (subPath === undefined) {
          builds += 1;
          expect(printed, `build ${round}`).toBe(hash);
        } else {
          versions.set(subPath, hash);
          expect(await hashOnVolume(subPath), `sync ${round}`).toBe(hash);
        }
      }
    }
    for (const [subPath, hash] of [...versions].filter((_, index) => index % 9 === 0))
      expect(await hashOnVolume(subPath), subPath).toBe(hash);
    expect([versions.size, builds]).toEqual([2 * (rounds - rounds / buildEvery), 2 * (rounds / buildEvery)]);
  },
);
