import type { Cluster } from "@slipway/cluster";
import type { EnsurePullableOptions, PullableCluster } from "@slipway/secret-merging";
import {
  BuilderError,
  type Keychain,
  type KeychainCall,
  type PullableOptions,
  type PullableResult,
} from "@slipway/core";

import type { RegistryAccess } from "./buildkitd-config.ts";

/** What bringing pull secrets in step takes. */
export interface PullableCall {
  readonly cluster: PullableCluster & Pick<Cluster, "namespace">;
  readonly keychainCall: KeychainCall;
}

/** An account, and whose credentials it was promised: a build may have further ones, which are for that build alone. */
interface PullableTarget {
  readonly options: PullableOptions;
  readonly keychain: Keychain;
}

/** Whose pull secrets these are. */
export interface PullableOwner {
  /** Name of the builder. */
  readonly name: string;
  readonly registries: Readonly<Record<string, RegistryAccess>>;
}

/** After a build nobody waits for an account that has yet to be made. */
const accountTimeoutMs = 2_000;

/**
 * The ServiceAccounts that pull what a builder builds, as far as this process knows them: to find those of other processes, each build would have to
 * read the Secrets of all namespaces, and would write its own credentials where somebody else has asked for them.
 */
export class PullableTargets {
  readonly #owner: PullableOwner;
  readonly #targets = new Map<string, PullableTarget>();
  /** Repositories that have been pushed to, also before anybody asked for an account; a set, since a builder may be asked for thousands of tags. */
  readonly #pushed = new Set<string>();

  constructor(owner: PullableOwner) {
    this.#owner = owner;
  }

  /** @throws `INVALID_OPTIONS` for what is neither an image nor a registry */
  async check({ images = [] }: PullableOptions): Promise<void> {
    const { pulledImages } = await import("@slipway/secret-merging");
    pulledImages({ images, ...this.#names() });
  }

  /** Gives an account what it needs, and remembers it. Of images that were named it is told which nobody has credentials for. */
  async ensure(options: PullableOptions, keychain: Keychain, call: PullableCall): Promise<PullableResult> {
    const target = { options, keychain };
    const result = await this.#apply(target, call, { anonymous: options.images === undefined ? "allow" : "warn" });
    this.#targets.set(keyOf(options), target);
    return result;
  }

  /**
   * Brings every account in step with credentials that may have changed, and with what was pushed. The build or the publication is over: what goes
   * wrong here is a warning, and an account that is gone is forgotten.
   *
   * @param pushed - References that were pushed, or published to.
   */
  async bringInStep(pushed: readonly string[], call: PullableCall): Promise<void> {
    const { formatImageReference, parseImageReference } = await import("@slipway/registry-client");
    for (const reference of pushed) {
      const { registry, repository } = parseImageReference(reference);
      this.#pushed.add(formatImageReference({ registry, repository }));
    }
    await Promise.all([...this.#targets.values()].map((target) => this.#bringOneInStep(target, call)));
  }

  async #bringOneInStep(target: PullableTarget, call: PullableCall): Promise<void> {
    const { signal, warn } = call.keychainCall;
    const account = keyOf(target.options);
    try {
      // Who has asked for the account has been told what nodes get anonymously.
      const { warnings } = await this.#apply(target, call, { anonymous: "allow", accountTimeoutMs });
      for (const warning of warnings) warn?.(warning);
    } catch (error) {
      if (signal.aborted) return;
      if (isGone(error)) this.#targets.delete(account);
      const reason = error instanceof Error ? error.message : String(error);
      warn?.(`Pods of ${account} may not be able to pull what was pushed: ${reason}`);
    }
  }

  async #apply(
    { options: of, keychain }: PullableTarget,
    call: PullableCall,
    how: Pick<EnsurePullableOptions, "anonymous" | "accountTimeoutMs">,
  ): Promise<PullableResult> {
    const { namespace, serviceAccount } = of;
    const { cluster, keychainCall } = call;
    const { ensurePullable } = await import("@slipway/secret-merging");
    const images = of.images ?? [...Object.keys(this.#owner.registries), ...this.#pushed];
    const account = { namespace, ...(serviceAccount === undefined ? {} : { serviceAccount }) };
    const owner = `${cluster.namespace}/${this.#owner.name}`;
    return ensurePullable(cluster, { ...account, ...how, owner, images, keychain, ...this.#names() }, keychainCall);
  }

  /** How registries are called: here, and by nodes. */
  #names(): Pick<EnsurePullableOptions, "aliases" | "registries"> {
    return { registries: Object.keys(this.#owner.registries), aliases: this.#aliases() };
  }

  #aliases(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      Object.entries(this.#owner.registries).flatMap(([registry, { nodeAddress }]) =>
        nodeAddress === undefined ? [] : [[nodeAddress, registry]],
      ),
    );
  }
}

function keyOf({ namespace, serviceAccount = "default" }: PullableOptions): string {
  return `${namespace}/${serviceAccount}`;
}

/** The namespace or the account does not exist any more. */
function isGone(error: unknown): boolean {
  if (!BuilderError.isInstance(error)) return false;
  if (error.code === "INVALID_OPTIONS") return error.details.issues.some(({ path }) => path === "serviceAccount");
  return error.code === "NAMESPACE_NOT_FOUND";
}
