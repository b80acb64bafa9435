import { randomBytes } from "node:crypto";

import type { GrpcChannel } from "../grpc/grpc-channel.ts";
import * as messages from "../messages.ts";
import { openSession } from "../session/session-server.ts";
import { authServices, healthService } from "../session/session-services.ts";
import type { BuildCredentials, TokenAuthority } from "./solve-request.ts";

/** As whom registries are asked. */
export interface ImageResolverOptions {
  readonly credentials: BuildCredentials;
  /** @defaultValue the daemon gets the token */
  readonly tokens?: TokenAuthority | undefined;
  /** Ends it, with the questions that are open. */
  readonly signal?: AbortSignal | undefined;
}

/** Which image to look for. */
export interface ResolveImageRequest {
  /** With a tag: what the daemon has under a digest it takes from its own store. */
  readonly reference: string;
  /** As `linux/arm64/v8`; of an image for several, one that it has. @defaultValue the daemon's own */
  readonly platform?: string | undefined;
}

/** Asks registries by way of the daemon. */
export interface ImageResolver extends Disposable {
  /**
   * The digest that a registry serves under a tag, as the daemon sees it.
   *
   * @throws `GrpcStatusError` with the daemon's words if there is none, or the registry refuses
   */
  resolve(request: ResolveImageRequest): Promise<string>;
}

const solveMethod = "/moby.buildkit.v1.Control/Solve";
const resolveMethod = "/moby.buildkit.v1.frontend.LLBBridge/ResolveImageConfig";
const returnMethod = "/moby.buildkit.v1.frontend.LLBBridge/Return";

/**
 * Makes ready to ask registries. The daemon answers such questions only within a build; this one does nothing else, and is not recorded. It is
 * open when the first question comes if it was begun a little before.
 */
export function openImageResolver(
  channel: GrpcChannel,
  { credentials, tokens, signal }: ImageResolverOptions,
): ImageResolver {
  const build = randomBytes(16).toString("hex");
  const session = openSession(channel, {
    id: build,
    sharedKey: "",
    handlers: new Map([healthService(), ...authServices(credentials, tokens)]),
  });
  const solve = messages.encode(messages.SolveRequest, { ref: build, session: build, internal: true });
  const given = new AbortController();
  const solved = channel.unary(solveMethod, solve, {
    signal: signal ? AbortSignal.any([signal, given.signal]) : given.signal,
  });
  // Whoever asks learns of it; if nobody does, it does not matter.
  solved.catch(() => undefined);
  const inBuild = { signal, metadata: { "buildkit-controlapi-buildid": build } };
  return {
    resolve: async ({ reference, platform }) => {
      const message = messages.encode(messages.ResolveImageConfigRequest, {
        ref: reference,
        resolveMode: "pull",
        ...(platform === undefined ? {} : { platform: read(platform) }),
      });
      const asked = channel.unary(resolveMethod, message, inBuild);
      // A build that is refused leaves the question waiting.
      const response = await Promise.race([asked, solved.then(() => asked)]);
      return messages.decode(messages.ResolveImageConfigResponse, response).digest;
    },
    [Symbol.dispose]: () => {
      const end = channel.unary(returnMethod, messages.encode(messages.ReturnRequest, { result: {} }), inBuild);
      // Nobody waits for the end; a build that was not told of it is given up.
      end.catch(() => given.abort());
      void Promise.allSettled([end, solved]).then(() => session.close());
    },
  };
}

function read(platform: string): { os: string; architecture: string; variant: string } {
  const [os = "", architecture = "", variant = ""] = platform.split("/");
  return { os, architecture, variant };
}
