import { parseOptions } from "@slipway/core";
import type { Credential, Keychain, OptionsShape } from "@slipway/core";
import * as z from "zod/mini";

import { cloudKeychain } from "./cloud-keychain.ts";
import { cloudFailure, importModule, loadOptional } from "./optional-module.ts";
import type { LoadModule } from "./optional-module.ts";

/** How to ask Amazon ECR. */
export interface EcrCredentialsOptions {
  /** AWS profile of the shared configuration. @defaultValue the default chain of the AWS SDK: variables, profile, role of the pod or machine */
  readonly profile?: string | undefined;
}

const optionsSchema = z.strictObject({
  profile: z.optional(z.string().check(z.minLength(1))),
} satisfies OptionsShape<EcrCredentialsOptions>);

const packageName = "@aws-sdk/client-ecr";
const source = "Amazon ECR";
const hosts =
  /^\d{12}\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws|on\.amazonwebservices\.com\.cn|sc2s\.sgov\.gov|c2s\.ic\.gov)$/;

interface EcrModule {
  readonly ECRClient: new (options: { region: string; profile?: string }) => {
    send(
      command: object,
      options: { abortSignal: AbortSignal },
    ): Promise<{ authorizationData?: { authorizationToken?: string; expiresAt?: Date }[] }>;
    destroy?(): void;
  };
  readonly GetAuthorizationTokenCommand: new (input: object) => object;
}

/**
 * Credentials of Amazon ECR (`<account>.dkr.ecr.<region>.amazonaws.com`), which are valid for 12 hours. Needs the package
 * `@aws-sdk/client-ecr`, and the permission `ecr:GetAuthorizationToken`.
 *
 * @throws `INVALID_OPTIONS` at once for wrong options; later if the package is not installed, AWS refuses, or does not answer within 30 seconds
 */
export function ecrCredentials(options: EcrCredentialsOptions = {}): Keychain {
  return createEcrCredentials(options, importModule);
}

/** {@link ecrCredentials} with another way to load the SDK. */
export function createEcrCredentials(options: EcrCredentialsOptions, load: LoadModule): Keychain {
  const { profile } = parseOptions(optionsSchema, options, "ecrCredentials");
  return cloudKeychain({
    source,
    hosts,
    examples: ["*.dkr.ecr.*.amazonaws.com"],
    ask: async (host, abortSignal) => {
      const { ECRClient, GetAuthorizationTokenCommand } = await loadOptional<EcrModule>(packageName, source, load);
      const region = hosts.exec(host)?.[1] ?? "";
      const client = new ECRClient({ region, ...(profile === undefined ? {} : { profile }) });
      try {
        const answer = await client.send(new GetAuthorizationTokenCommand({}), { abortSignal });
        return readAnswer(answer.authorizationData?.[0]);
      } finally {
        client.destroy?.();
      }
    },
  });
}

function readAnswer(data: { authorizationToken?: string; expiresAt?: Date } | undefined): Credential {
  const decoded = Buffer.from(data?.authorizationToken ?? "", "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  if (colon <= 0) throw cloudFailure(source, new Error("its answer has no token"));
  const expiresAtMs = data?.expiresAt?.getTime();
  return {
    ...{ source, type: "basic", username: decoded.slice(0, colon), password: decoded.slice(colon + 1) },
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
  };
}
