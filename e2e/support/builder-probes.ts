import { createHash } from "node:crypto";
import { buffer, text } from "node:stream/consumers";

import type { Pod } from "@slipway/cluster";
import { parseImageReference } from "@slipway/registry-client";

import type { TestNamespace } from "./test-namespace.ts";

const manifestTypes = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json";

/** Looks past the driver at what is in the builder's pod, with the programs that are there. */
export class BuilderProbes {
  readonly #namespace: TestNamespace;

  constructor(namespace: TestNamespace) {
    this.#namespace = namespace;
  }

  /** The command lines of all processes in the builder's pods. */
  async processes(): Promise<string> {
    const outputs = await this.#inEachPod(["ps", "-o", "args"]);
    return outputs.join("\n");
  }

  /** Whether the daemon still works on a build, or leaves the process of one behind. */
  async isBuildAlive(buildId: string): Promise<boolean> {
    const histories = (await this.#inEachPod(["buildctl", "debug", "histories"])).join("\n");
    const started = histories.split("\n").filter((line) => line.startsWith("STARTED"));
    if (started.some((line) => line.includes(buildId))) return true;
    return started.length === 0 && (await this.processes()).includes("sleep 600");
  }

  /** The digest of the manifest that the registry serves for a reference. */
  async resolveDigest(reference: string): Promise<string | undefined> {
    const { registry, repository, tag, digest } = parseImageReference(reference);
    const url = `http://${registry}/v2/${repository}/manifests/${digest ?? tag ?? "latest"}`;
    const [pod] = await this.#pods();
    const stream = await this.#exec(pod ?? "", ["wget", "-q", "-O", "-", "--header", `Accept: ${manifestTypes}`, url]);
    const manifest = await buffer(stream.stdio);
    return manifest.length === 0 ? undefined : `sha256:${createHash("sha256").update(manifest).digest("hex")}`;
  }

  async #inEachPod(command: readonly string[]): Promise<readonly string[]> {
    return Promise.all((await this.#pods()).map(async (pod) => text((await this.#exec(pod, command)).stdio)));
  }

  #exec(pod: string, command: readonly string[]) {
    const { cluster, name: namespace } = this.#namespace;
    return cluster.exec({ namespace, pod, container: "buildkitd", command, stdin: false });
  }

  async #pods(): Promise<readonly string[]> {
    const { cluster, name: namespace } = this.#namespace;
    const pods = await cluster.list<Pod>({ apiVersion: "v1", kind: "Pod", namespace });
    const running = pods.items.filter(
      ({ metadata, status }) => status?.phase === "Running" && !metadata?.deletionTimestamp,
    );
    return running.map(({ metadata }) => metadata?.name ?? "");
  }
}
