import type { ArchiveSink } from "@slipway/core";

import type { PreparedContext } from "../prepare-context.ts";
import type { ReceivedFilesStore } from "./received-files.ts";
import type { StatusUpdate } from "./status-update.ts";

/** A build, in BuildKit's own terms. */
export interface SolveRequest {
  /** Id of the build in the daemon; must not contain a colon. @defaultValue a random one */
  readonly ref?: string;
  /** `"dockerfile.v0"`, or `"gateway.v0"` with a `source` attribute. */
  readonly frontend: string;
  /** Under the names that BuildKit documents: `filename`, `target`, `build-arg:<key>`, … */
  readonly frontendAttributes: Readonly<Record<string, string>>;
  readonly exporters: readonly Exporter[];
  /** @defaultValue none */
  readonly cacheImports?: readonly CacheEntry[];
  /** @defaultValue none */
  readonly cacheExports?: readonly CacheEntry[];
  /** `"network.host"`, `"security.insecure"`. @defaultValue none */
  readonly entitlements?: readonly string[];
  readonly session: BuildSession;
}

/** Where the result goes. */
export interface Exporter {
  /** `"image"`, `"oci"`, `"docker"`, `"tar"`. */
  readonly type: string;
  /** Under the names that BuildKit documents: `name`, `push`, … */
  readonly attributes: Readonly<Record<string, string>>;
  /** Takes the archive of `oci`, `docker` and `tar`. */
  readonly sink?: ArchiveSink;
}

/** A cache to read or to write, for example `{ type: "registry", attributes: { ref: "…" } }`. */
export interface CacheEntry {
  readonly type: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Files that exist only in memory, by relative path with `/`. */
export type InMemoryFiles = Readonly<Record<string, string | Uint8Array>>;

/** User name and password; an identity token has the empty user name. */
export type BuildCredentials = (
  host: string,
) => Promise<{ readonly username: string; readonly secret: string } | undefined>;

/** What a token is wanted for: the registry's host, its token service, and scopes such as `repository:team/app:pull,push`. */
export interface TokenRequest {
  readonly host: string;
  readonly realm: string;
  readonly service: string;
  readonly scopes: readonly string[];
}

/** A token for a registry; `expiresInSeconds` counts from `issuedAtSeconds`, which is in seconds since the epoch. */
export interface BuildToken {
  readonly token: string;
  readonly expiresInSeconds: number;
  readonly issuedAtSeconds: number;
}

/**
 * Gets the tokens for some registries, in place of the daemon. Credentials are per host, tokens per repository: where two repositories of a
 * registry need different ones, only this way serves both.
 */
export interface TokenAuthority {
  /**
   * Names whoever asks for tokens: the daemon shares them among builds of the same name. `undefined` leaves the host to the daemon, which asks for
   * credentials then.
   */
  identify(host: string): Promise<Uint8Array | undefined>;
  /** Gets one token for all of the scopes. What it throws ends the build. */
  fetch(request: TokenRequest): Promise<BuildToken>;
}

/** The value of a secret, or undefined when there is none with that id. */
export type SecretLookup = (id: string) => Promise<Uint8Array | undefined>;

/** What the daemon may ask of this process while it builds. */
export interface BuildSession {
  /**
   * Names the context across builds. With the same key the daemon asks only for files whose metadata changed since; two
   * contexts under one key send everything each time.
   */
  readonly sharedKey: string;
  /** By the name that the frontend uses: `context`, `dockerfile`. A string is a folder. */
  readonly localDirectories: Readonly<Record<string, string | InMemoryFiles | PreparedContext>>;
  /** Until it resolves the daemon sees no file; if it rejects, the build fails with that. @defaultValue it sees them at once */
  readonly allowed?: Promise<void> | undefined;
  /**
   * Lets builds without changes be asked for nothing; one for each daemon and shared key. Not for builds that export their cache: what they find through
   * a session they do not export under the digest of its content. @defaultValue every build shows all its files
   */
  readonly received?: ReceivedFilesStore | undefined;
  /** Asked per host, again every few seconds while a push needs it. `registry-1.docker.io` is Docker Hub. */
  readonly credentials: BuildCredentials;
  /** @defaultValue the daemon gets all tokens, next to the registry */
  readonly tokens?: TokenAuthority | undefined;
  /** @defaultValue no secrets */
  readonly secrets?: SecretLookup;
}

/** What a build may be given besides its request. */
export interface SolveCall {
  /** Cancels the build in the daemon. */
  readonly signal?: AbortSignal | undefined;
  /** Called with what the daemon reports, as it comes. */
  readonly onStatus?: ((status: StatusUpdate) => void) | undefined;
  /** Called while files travel. */
  readonly onTransfer?: ((progress: TransferProgress) => void) | undefined;
}

/**
 * One walk of the daemon through one of `localDirectories`. A build makes several: the Dockerfile, `.dockerignore`
 * (`paths` is `[".dockerignore"]`), then what the Dockerfile copies.
 */
export interface TransferProgress {
  /** Tells the walks of a build apart; counts from 0. */
  readonly id: number;
  /** The key in `localDirectories`. */
  readonly name: string;
  /** What the daemon wants to see; empty when that is everything. */
  readonly paths: readonly string[];
  /** Regular files shown to the daemon, and their size. */
  readonly files: number;
  readonly totalBytes: number;
  /** Regular files that the daemon asked for, and the bytes of their content that were sent. */
  readonly sentFiles: number;
  readonly sentBytes: number;
  /** All that was written to the stream: metadata, content and their framing. */
  readonly wireBytes: number;
  readonly done: boolean;
}

/** What a finished build reports. */
export interface SolveResponse {
  readonly ref: string;
  /** Under BuildKit's names: `containerimage.digest`, … */
  readonly exporterResponse: Readonly<Record<string, string>>;
  readonly transfers: readonly TransferProgress[];
}
