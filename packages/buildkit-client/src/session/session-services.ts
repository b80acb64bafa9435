import { grpcCode } from "../grpc/grpc-status.ts";
import * as messages from "../messages.ts";
import type { BuildCredentials, SecretLookup, TokenAuthority } from "../solve/solve-request.ts";
import type { SessionHandler } from "./session-server.ts";
import { tokenServices } from "./token-services.ts";

/** The daemon ends a session whose health it cannot see twice in a row. */
export function healthService(): [string, SessionHandler] {
  const serving = messages.encode(messages.HealthCheckResponse, { status: 1 });
  return [
    "/grpc.health.v1.Health/Check",
    async (call) => {
      await call.readMessage();
      call.reply(serving);
    },
  ];
}

// A push asks a dozen times within seconds; a rotated secret shall still be found.
const credentialsLifetimeMs = 10_000;

/**
 * With credentials the daemon fetches tokens itself, next to the registry, which works for registries that this process cannot
 * reach. {@link tokenServices} is for hosts where one credential is not enough.
 */
export function authServices(credentials: BuildCredentials, tokens?: TokenAuthority): [string, SessionHandler][] {
  return [credentialsService(credentials), ...(tokens === undefined ? [] : tokenServices(tokens))];
}

function credentialsService(credentials: BuildCredentials): [string, SessionHandler] {
  const recent = new Map<string, { readonly untilMs: number; readonly found: ReturnType<BuildCredentials> }>();
  const lookUp = (host: string) => {
    const known = recent.get(host);
    if (known && performance.now() < known.untilMs) return known.found;
    const found = credentials(host);
    const kept = { untilMs: performance.now() + credentialsLifetimeMs, found };
    recent.set(host, kept);
    // What could not be found out is asked again.
    found.catch(() => {
      if (recent.get(host) === kept) recent.delete(host);
    });
    return found;
  };
  return [
    "/moby.filesync.v1.Auth/Credentials",
    async (call) => {
      const { host } = messages.decode(messages.CredentialsRequest, await call.readMessage());
      const found = await lookUp(host);
      call.reply(
        messages.encode(messages.CredentialsResponse, { username: found?.username ?? "", secret: found?.secret ?? "" }),
      );
    },
  ];
}

const maxSecretBytes = 500 * 1024;

/** The daemon also asks on its own for tokens of git and HTTP sources, so an unknown id is normal. */
export function secretsService(secrets: SecretLookup): [string, SessionHandler] {
  return [
    "/moby.buildkit.secrets.v1.Secrets/GetSecret",
    async (call) => {
      const { id } = messages.decode(messages.GetSecretRequest, await call.readMessage());
      const data = await secrets(id);
      if (!data) call.end(grpcCode.notFound, `secret ${id} is not known`);
      else if (data.length > maxSecretBytes)
        throw new Error(`The secret ${id} has ${data.length} bytes; BuildKit takes ${maxSecretBytes}.`);
      else call.reply(messages.encode(messages.GetSecretResponse, { data }));
    },
  ];
}
