import { randomBytes } from "node:crypto";

import type { GrpcChannel } from "../grpc/grpc-channel.ts";
import * as messages from "../messages.ts";
import { openSession } from "../session/session-server.ts";
import { authServices, healthService } from "../session/session-services.ts";
import type { BuildCredentials, TokenAuthority } from "./solve-request.ts";

/** Which image to look for. */
export interface ResolveImageRequest {
  /** With a tag: what the daemon has under a digest it takes from its own store. */
  readonly reference: string;
  /** As `linux/arm64/v8`; of an image for several, one that it has. @defaultValue the daemon's own */
  readonly platform?: string | undefined;
  readonly credentials: BuildCredentials;
  /** @defaultValue the daemon gets the token */
  readonly tokens?: TokenAuthority | undefined;
}

const solveMethod = "/moby.buildkit.v1.Control/Solve";
const resolveMethod = "/moby.buildkit.v1.frontend.LLBBridge/ResolveImageConfig";
const returnMethod = "/moby.buildkit.v1.frontend.LLBBridge/Return";

/**
 * Asks the registry, by way of the daemon, which digest a tag has. The daemon answers that only within a build; this one does nothing
 * else, and is not recorded.
 */
export async function resolveImage(
  channel: GrpcChannel,
  { reference, platform, credentials, tokens }: ResolveImageRequest,
  { signal }: { readonly signal?: AbortSignal | undefined },
): Promise<string> {
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
  const inBuild = { signal, metadata: { "buildkit-controlapi-buildid": build } };
  const request = {
    ref: reference,
    resolveMode: "pull",
    ...(platform === undefined ? {} : { platform: read(platform) }),
  };
  try {
    const asked = channel.unary(resolveMethod, messages.encode(messages.ResolveImageConfigRequest, request), inBuild);
    // A build that is refused leaves the question waiting.
    const response = await Promise.race([asked, solved.then(() => asked)]);
    return messages.decode(messages.ResolveImageConfigResponse, response).digest;
  } finally {
    const end = channel.unary(returnMethod, messages.encode(messages.ReturnRequest, { result: {} }), inBuild);
    // Nobody waits for the end; a build that was not told of it is given up.
    end.catch(() => given.abort());
    void Promise.allSettled([end, solved]).then(() => session.close());
  }
}

function read(platform: string): { os: string; architecture: string; variant: string } {
  const [os = "", architecture = "", variant = ""] = platform.split("/");
  return { os, architecture, variant };
}
