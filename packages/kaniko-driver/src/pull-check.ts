import type { Credential, DriverCall } from "@slipway/core";
import { parseImageReference } from "@slipway/registry-client";

import { repositoryName, type AcceptedCredentials } from "./accepted-credentials.ts";
import { isNamedOutside, type BuildRegistries, type RegistryAccessPlan } from "./build-registries.ts";

/** Where the questions go, and who might be let in. */
export interface PullQuestions {
  readonly registries: Pick<BuildRegistries, "client">;
  readonly access: Pick<RegistryAccessPlan, "credentials" | "keychainCall">;
  /** Of Services whose names say none. */
  readonly namespace: string;
  readonly call: Pick<DriverCall, "signal" | "logger">;
}

const checkTimeoutMs = 10_000;

/**
 * Finds out which of several credentials a registry takes for an image: kaniko tries the first alone. Who has a single one is not asked about, and of whom
 * nothing can be learned here, nothing is said.
 *
 * @param images - In full, with their registries.
 */
export async function askForPull(
  images: readonly string[],
  { registries, access, namespace, call }: PullQuestions,
): Promise<AcceptedCredentials> {
  const { signal, logger } = call;
  const accepted = new Map<string, Credential | "anonymous">();
  const limit = AbortSignal.any([signal, AbortSignal.timeout(checkTimeoutMs)]);
  const ask = async (image: string): Promise<void> => {
    const { registry, repository } = parseImageReference(image);
    if (!isNamedOutside(registry, namespace)) return;
    const resource = { registry, repository, actions: ["pull"] as const };
    const candidates = await access.credentials.resolve(resource, { ...access.keychainCall, signal });
    if (candidates.length < 2) return;
    try {
      const check = await registries.client(registry).checkPull(image, { signal: limit });
      const found = check?.credential ?? (check?.refused === undefined ? undefined : "anonymous");
      if (found !== undefined) accepted.set(repositoryName({ registry, repository }), found);
    } catch (error) {
      if (signal.aborted) throw error;
      logger.debug("Which credentials may pull an image is not known before kaniko tries the first.", { image, error });
    }
  };
  await Promise.all(images.map(ask));
  return accepted;
}
