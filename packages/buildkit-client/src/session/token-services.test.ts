import { createPublicKey, verify } from "node:crypto";

import { expect, test } from "vitest";

import { buildOf } from "../__fixtures__/requests.ts";
import type { GrpcAnswer } from "../__fixtures__/scripted-daemon.ts";
import { scriptedDaemon, type DaemonSession } from "../__fixtures__/scripted-daemon.ts";
import { connectBuildkit } from "../buildkit-client.ts";
import * as messages from "../messages.ts";
import type { TokenAuthority, TokenRequest } from "../solve/solve-request.ts";

const service = "/moby.filesync.v1.Auth";
const salt = Buffer.from("salt");

async function duringBuild<Value>(tokens: TokenAuthority, ask: (session: DaemonSession) => Promise<Value>) {
  const answers: Value[] = [];
  const daemon = scriptedDaemon(async (session) => {
    answers.push(await ask(session));
    return {};
  });
  await using client = await connectBuildkit(daemon.stream);
  const request = buildOf("/nowhere");
  await client.solve({ ...request, session: { ...request.session, tokens } });
  return answers[0] as Value;
}

const authority = (identity: string): TokenAuthority => ({
  identify: (host) => Promise.resolve(host === "scoped.test" ? Buffer.from(identity) : undefined),
  fetch: () => Promise.reject(new Error("not asked")),
});

async function publicKey(session: DaemonSession, host: string): Promise<Uint8Array> {
  const request = messages.encode(messages.GetTokenAuthorityRequest, { host, salt });
  const response = await session.unary(`${service}/GetTokenAuthority`, request);
  return messages.decode(messages.GetTokenAuthorityResponse, response).publicKey;
}

test("a daemon that knows the public key can tell who signs", async () => {
  const payload = Buffer.from("payload");
  const [key, signed] = await duringBuild(authority("a"), async (session) => {
    const request = messages.encode(messages.VerifyTokenAuthorityRequest, { host: "scoped.test", salt, payload });
    const response = await session.unary(`${service}/VerifyTokenAuthority`, request);
    const { signed } = messages.decode(messages.VerifyTokenAuthorityResponse, response);
    return [await publicKey(session, "scoped.test"), signed] as const;
  });
  expect(key).toHaveLength(32);
  const spki = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), key]);
  const verifier = createPublicKey({ key: spki, format: "der", type: "spki" });
  expect(verify(null, signed.subarray(64), verifier, signed.subarray(0, 64))).toBe(true);
  expect(Buffer.from(signed.subarray(64)).toString()).toBe("payload");
});

test("other credentials are another authority", async () => {
  const keys = await Promise.all(
    ["a", "a", "b"].map((identity) =>
      duringBuild(authority(identity), async (session) =>
        Buffer.from(await publicKey(session, "scoped.test")).toString("hex"),
      ),
    ),
  );
  expect(keys[0]).toBe(keys[1]);
  expect(keys[0]).not.toBe(keys[2]);
});

test("a host that is left to the daemon is not offered", async () => {
  const refusal = await duringBuild(authority("a"), (session) =>
    publicKey(session, "other.test").catch((error: unknown) => error),
  );
  expect((refusal as GrpcAnswer).status).toBe(12);
});

test("a token is fetched for the scopes that the daemon names", async () => {
  const asked: TokenRequest[] = [];
  const tokens: TokenAuthority = {
    ...authority("a"),
    fetch: (request) => {
      asked.push(request);
      return Promise.resolve({ token: "t", expiresInSeconds: 59.6, issuedAtSeconds: 1_700_000_000.4 });
    },
  };
  const wanted = { host: "scoped.test", realm: "https://auth.test/token", service: "s", scopes: ["repository:a:pull"] };
  const answer = await duringBuild(tokens, async (session) =>
    messages.decode(
      messages.FetchTokenResponse,
      await session.unary(`${service}/FetchToken`, messages.encode(messages.FetchTokenRequest, wanted)),
    ),
  );
  expect(asked).toMatchObject([wanted]);
  expect(answer).toEqual({ token: "t", expiresIn: 60n, issuedAt: 1_700_000_000n });
});
