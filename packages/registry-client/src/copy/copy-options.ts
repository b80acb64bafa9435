import type { DriverEvent, PublishOptions } from "@slipway/core";

import type { ImageReference } from "../image-reference.ts";
import { parseImageReference } from "../image-reference.ts";
import type { RegistryClient } from "../registry-client.ts";

/** What `copyImage` takes: what `publish` takes, and how to reach registries. */
export interface CopyImageOptions extends PublishOptions {
  /** The client for a registry, asked for once for each; whoever has made it closes it. */
  readonly connect: (registry: string) => RegistryClient;
  /** Told what each repository has received: under its destination as it was given, or the first of them where it gets several tags. */
  readonly onProgress?: ((event: DriverEvent<"push-progress">) => void) | undefined;
  /** Told of what was left as it is at a destination: signatures there that cannot be joined with those of the source. */
  readonly warn?: ((message: string) => void) | undefined;
  /** Blobs that travel at a time. Each takes 3 MiB of memory, or three times `chunkBytes` once it travels in chunks. @defaultValue 6 */
  readonly concurrency?: number | undefined;
  /**
   * Where a blob cannot be sent in one request, or a connection has ended within that: the size of the chunks in which it travels, in bytes, so that
   * a further cut costs no more than one. A registry that demands larger ones (`OCI-Chunk-Min-Length`) gets these. @defaultValue 5 MiB, the least that Amazon ECR takes
   */
  readonly chunkBytes?: number | undefined;
}

/** A repository that an image goes to, under one or several tags. */
export interface DestinationName {
  readonly registry: string;
  readonly repository: string;
  /** As it was asked for. */
  readonly names: readonly string[];
  readonly tags: readonly string[];
}

/** The options with references parsed. */
export interface ParsedCopyOptions {
  readonly source: ImageReference;
  readonly destinations: readonly DestinationName[];
  /** For each of `destinations` of the options, where in the parsed ones it is. */
  readonly order: readonly number[];
}

/** Parses the references of options that have been checked, and completes tags. */
export function parseCopyOptions({ source, destinations, versionTag }: PublishOptions): ParsedCopyOptions {
  const byRepository = new Map<string, { position: number; names: string[]; tags: Set<string> } & ImageReference>();
  const order = destinations.map((name) => {
    const { registry, repository, tag = versionTag } = parseImageReference(name);
    const key = `${registry}/${repository}`;
    const known = byRepository.get(key) ?? {
      position: byRepository.size,
      registry,
      repository,
      names: [],
      tags: new Set(),
    };
    byRepository.set(key, known);
    known.names.push(name);
    if (tag !== undefined) known.tags.add(tag);
    return known.position;
  });
  return {
    source: parseImageReference(source),
    destinations: [...byRepository.values()].map(({ registry, repository, names, tags }) => {
      return { registry, repository, names, tags: [...tags] };
    }),
    order,
  };
}
