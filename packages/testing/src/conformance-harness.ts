import type { BuilderDriver, Keychain } from "@slipway/core";

/** Dockerfile texts that the driver under test can build. */
export interface ConformanceDockerfiles {
  /** Succeeds quickly, with at least one `RUN`. */
  readonly simple: string;
  /** Has a `RUN` that takes ten minutes. */
  readonly slow: string;
  /** Has a `RUN` that ends with an exit code other than 0. */
  readonly failing: string;
  /** Mounts the secret with the id `conformance` in a `RUN`, and succeeds. Needed if the driver declares `secrets`. */
  readonly secret?: string;
  /** Mounts the secret with the id `conformance` in a `RUN` that fails. Needed if the driver declares `secrets`. */
  readonly failingSecret?: string;
}

/** What the suite needs to know about a driver, and the probes with which it looks past the driver at what is really there. */
export interface ConformanceHarness {
  /** In the titles of the tests. */
  readonly name: string;
  /** A driver for one requirement. Each is disposed with its builder; what they have in the cluster may be shared. */
  createDriver(): BuilderDriver | Promise<BuilderDriver>;
  readonly dockerfiles: ConformanceDockerfiles;
  /**
   * A tag in a registry that the builder reaches: `registry.example.com/conformance:<name>`. It names its registry (`docker.io/team/conformance:<name>`, not
   * `team/conformance:<name>`), as drivers do in their references, and its repository is the same for every name. Names differ from run to run.
   */
  tag(name: string): string;
  /**
   * As `tag`, in another repository, which the builder may push to as well. Without it the suite does not check how images get to another repository, and what `beforeTag`
   * is told of those that have the image already.
   */
  otherTag?(name: string): string;
  /** Whether anything of the build still runs where it was built. Not asked of the driver, but of the cluster. */
  isBuildAlive(buildId: string): Promise<boolean>;
  /** The digest under which the registry serves a reference; undefined if it has none. Not asked of the driver. */
  resolveDigest(reference: string): Promise<string | undefined>;
  /** Added to the options of every build: the driver's own keys. */
  readonly buildOptions?: Readonly<Record<string, unknown>>;
  readonly credentials?: readonly Keychain[];
  /** Two platforms that the driver builds for, if it declares `platforms:many`. @defaultValue linux/amd64 and linux/arm64 */
  readonly platforms?: readonly string[];
  /** How long the builder may take until the slow build is in its slow step, and any other build until it ends. @defaultValue 60,000 */
  readonly buildMs?: number;
  /** How long a build may take to die. @defaultValue 10,000 */
  readonly abortMs?: number;
  /** Deadline of the build that must not finish in time. @defaultValue 1,000 */
  readonly deadlineMs?: number;
  /** How long a driver is listened to after a build has ended. @defaultValue 50 */
  readonly silenceMs?: number;
}
