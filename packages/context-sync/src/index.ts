/**
 * Build contexts: `.dockerignore` patterns and the scan with the exact semantics of moby/patternmatcher and tonistiigi/fsutil, tar archives,
 * manifests and identities.
 *
 * @packageDocumentation
 */
export type { ArchiveSummary, ContextArchive, PackOptions } from "./archive/pack-context.ts";
export { packContext } from "./archive/pack-context.ts";
export type { UnpackOptions } from "./archive/unpack-archive.ts";
export { unpackArchive } from "./archive/unpack-archive.ts";
export type { PrependedFile } from "./archive/tar-chunks.ts";
export { removeForgottenFiles, replaceCacheFile } from "./cache-files.ts";
export { cacheFolder } from "./cache-folder.ts";
export type { ClientPlatform } from "./client-platform.ts";
export { parseDockerignore } from "./dockerignore.ts";
export type { IdentifyOptions } from "./identify.ts";
export { identify } from "./identify.ts";
export type { ContextManifest, ManifestEntry, ManifestOptions } from "./manifest/context-manifest.ts";
export { contextManifest } from "./manifest/context-manifest.ts";
export { resolveFollowPaths } from "./follow-paths.ts";
export type { Pattern } from "./pattern.ts";
export type { DirectoryMatch, PatternMatcher } from "./pattern-matcher.ts";
export { createPatternMatcher } from "./pattern-matcher.ts";
export { dockerignoreNames, readDockerignore } from "./read-dockerignore.ts";
export { scanContext } from "./scan-context.ts";
export type { InodeState, ScanEntry } from "./scan-entry.ts";
export type { ScanOptions } from "./scan-filter.ts";
export type { ContextChange, ContextWatcher, WatchOptions } from "./watch/watch-context.ts";
export { watchContext } from "./watch/watch-context.ts";
export type { Workspace, WorkspaceOptions } from "./workspace/open-workspace.ts";
export { openWorkspace } from "./workspace/open-workspace.ts";
export type { SyncOptions, WorkspaceVersion } from "./workspace/sync-context.ts";
export { unusedMsOf } from "./workspace/workspace-use.ts";
export type { OwnerReference, WorkspaceVolume } from "./workspace/workspace-job.ts";
