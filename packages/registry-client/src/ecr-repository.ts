import { BuilderError, isMissingPackage } from "@slipway/core/errors";

const ecrHost =
  /^\d{12}\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws|on\.amazonwebservices\.com\.cn|sc2s\.sgov\.gov|c2s\.ic\.gov)$/;

/** Whether a registry is Amazon ECR, where repositories must be made before the first push. */
export function isEcrRegistry(registry: string): boolean {
  return ecrHost.test(registry);
}

/** The part of `@aws-sdk/client-ecr` that is used here. Whoever wants it installs it. */
interface EcrSdk {
  readonly ECRClient: new (options: { region: string }) => {
    send(command: object, options: { abortSignal: AbortSignal }): Promise<unknown>;
    destroy(): void;
  };
  readonly CreateRepositoryCommand: new (input: { repositoryName: string; registryId: string }) => object;
}

/**
 * Makes a repository in Amazon ECR, with the credentials that the AWS SDK finds. One that somebody else has made meanwhile will do.
 *
 * @param load - Loads the SDK. @defaultValue the one that is installed
 */
export async function createEcrRepository(
  { registry, repository }: { readonly registry: string; readonly repository: string },
  { signal }: { readonly signal: AbortSignal },
  load: LoadModule = importModule,
): Promise<void> {
  const region = ecrHost.exec(registry)?.[1];
  if (region === undefined) throw failed(registry, repository, "only repositories of Amazon ECR can be created here");
  const { ECRClient, CreateRepositoryCommand } = await loadSdk(registry, repository, load);
  const client = new ECRClient({ region });
  try {
    const [registryId = ""] = registry.split(".");
    await client.send(new CreateRepositoryCommand({ repositoryName: repository, registryId }), { abortSignal: signal });
  } catch (error) {
    if (error instanceof Error && error.name === "RepositoryAlreadyExistsException") return;
    throw failed(
      registry,
      repository,
      error instanceof Error ? `${error.name}: ${error.message}` : String(error),
      error,
    );
  } finally {
    client.destroy();
  }
}

/** Loads a package that may not be installed; for tests to replace. */
type LoadModule = (name: string) => Promise<unknown>;

/** Loads by name, so that no bundler wants the package, and none puts an import in its place that always fails. */
const importModule: LoadModule = (name) => import(/* webpackIgnore: true */ /* @vite-ignore */ name);

const sdkName = "@aws-sdk/client-ecr";

async function loadSdk(registry: string, repository: string, load: LoadModule): Promise<EcrSdk> {
  try {
    return (await load(sdkName)) as EcrSdk;
  } catch (error) {
    const message = (error instanceof Error ? error.message : String(error)).replace(/\.$/, "");
    const reason = isMissingPackage(error, sdkName)
      ? `it takes ${sdkName}, which is not installed: npm install ${sdkName}`
      : `it takes ${sdkName}, which cannot be loaded: ${message}`;
    throw failed(registry, repository, reason, error);
  }
}

function failed(registry: string, repository: string, reason: string, cause?: unknown): BuilderError {
  return new BuilderError({
    code: "REPOSITORY_NOT_FOUND",
    message: `Cannot create the repository ${registry}/${repository}: ${reason}.`,
    details: { registry, repository, diagnostics: [reason], triedCredentials: [] },
    cause,
  });
}
