import type { Cluster } from "@slipway/cluster";
import type { Keychain, KeychainCall, PullableOptions, PullableResult } from "@slipway/core";

import type { RegistryAccess } from "./buildkitd-config.ts";

/** What bringing pull secrets in step takes. */
export interface PullableCall {
  readonly cluster: Cluster;
  readonly credentials: Keychain;
  readonly keychainCall: KeychainCall;
}

/** The ServiceAccounts that pull what a builder builds. */
export class PullableTargets {
  readonly #registries: Readonly<Record<string, RegistryAccess>>;
  readonly #targets = new Map<string, PullableOptions>();

  constructor(registries: Readonly<Record<string, RegistryAccess>>) {
    this.#registries = registries;
  }

  /** Gives an account what it needs, and remembers it. */
  async ensure(options: PullableOptions, call: PullableCall): Promise<PullableResult> {
    const result = await this.#apply(options, options.images ?? [], call);
    this.#targets.set(`${options.namespace}/${options.serviceAccount ?? "default"}`, options);
    return result;
  }

  /** Brings every account in step with credentials that may have changed, and with images that are new. */
  async bringInStep(images: readonly string[], call: PullableCall): Promise<void> {
    await Promise.all(
      [...this.#targets.values()].map(async (target) => {
        const { warnings } = await this.#apply(target, [...(target.images ?? []), ...images], call);
        for (const warning of warnings) call.keychainCall.warn?.(warning);
      }),
    );
  }

  async #apply(
    { namespace, serviceAccount }: PullableOptions,
    images: readonly string[],
    { cluster, credentials, keychainCall }: PullableCall,
  ): Promise<PullableResult> {
    const { ensurePullable } = await import("@slipway/secret-merging");
    const account = serviceAccount === undefined ? {} : { serviceAccount };
    const options = { namespace, ...account, images: await this.#known(images), keychain: credentials };
    return ensurePullable(cluster, { ...options, aliases: this.#aliases() }, keychainCall);
  }

  /** Without images, every registry that the builder was told about. */
  async #known(images: readonly string[]): Promise<readonly string[]> {
    if (images.length === 0) return Object.keys(this.#registries);
    const { formatImageReference, parseImageReference } = await import("@slipway/registry-client");
    return images.map((image) => formatImageReference(parseImageReference(image)));
  }

  #aliases(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      Object.entries(this.#registries).flatMap(([registry, { nodeAddress }]) =>
        nodeAddress === undefined ? [] : [[nodeAddress, registry]],
      ),
    );
  }
}
