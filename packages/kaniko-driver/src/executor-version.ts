/** Who has released an executor; each has flags that the others do not have. */
export type ExecutorFlavour = "google" | "osscontainertools" | "chainguard";

/** What decides which flags an executor has. */
export interface Executor {
  readonly flavour: ExecutorFlavour;
  /** Absent where nobody knows; then it is taken for a current one. */
  readonly version?: readonly [major: number, minor: number, patch: number];
}

/** What the options say of an executor. */
export interface DeclaredExecutor {
  readonly flavour?: ExecutorFlavour | undefined;
  readonly version?: string | undefined;
}

/** Finds out which executor an image has: by what is declared, else by the image's name and tag. */
export function executorOf(image: string, declared: DeclaredExecutor): Executor {
  const [, name = image, tag = ""] = /^(.*?)(?::([\w][\w.-]*))?(?:@.*)?$/.exec(image) ?? [];
  const flavour = declared.flavour ?? flavourOf(name);
  const version = parseVersion(declared.version ?? tag);
  return version === undefined ? { flavour } : { flavour, version };
}

function flavourOf(name: string): ExecutorFlavour {
  if (/osscontainertools|martizih/.test(name)) return "osscontainertools";
  return /chainguard|cgr\.dev/.test(name) ? "chainguard" : "google";
}

function parseVersion(text: string): Executor["version"] {
  const [, major, minor, patch] = /^v?(\d+)\.(\d+)\.(\d+)/.exec(text) ?? [];
  if (major === undefined || minor === undefined || patch === undefined) return undefined;
  return [Number(major), Number(minor), Number(patch)];
}

/** Whether an executor is at least of this version; one of unknown version is. */
export function isAtLeast({ version }: Executor, minimum: readonly [number, number, number]): boolean {
  if (version === undefined) return true;
  for (const [index, part] of minimum.entries()) {
    const own = version[index] ?? 0;
    if (own !== part) return own > part;
  }
  return true;
}

/** Who has released an executor, and as what: `google v1.24.0`. */
export function executorTitle({ flavour, version }: Executor): string {
  return version === undefined ? flavour : `${flavour} v${version.join(".")}`;
}
