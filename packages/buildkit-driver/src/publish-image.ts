import type { DriverCall, PublishOptions, PublishResult } from "@slipway/core";
import { copyImage } from "@slipway/registry-client";

import type { PodRegistries } from "./pod-registries.ts";

/** Copies an image between registries as the builder's pod reaches them; nothing is stored on the way. */
export function publishImage(
  options: PublishOptions,
  registries: PodRegistries,
  { signal, emit }: Pick<DriverCall, "signal" | "emit">,
): Promise<PublishResult> {
  return copyImage({ ...options, connect: (registry) => registries.client(registry), onProgress: emit }, { signal });
}
