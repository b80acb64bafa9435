import { createHmac, createPrivateKey, createPublicKey, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";

import { grpcCode } from "../grpc/grpc-status.ts";
import * as messages from "../messages.ts";
import type { TokenAuthority } from "../solve/solve-request.ts";
import type { SessionHandler } from "./session-server.ts";

/** What comes before the 32 bytes of an Ed25519 seed in PKCS #8 (RFC 8410). */
const pkcs8Prefix = Buffer.from("302e020100300506032b657004220420", "hex");
const publicKeyBytes = 32;

/**
 * Offers to get tokens in the daemon's place. The daemon asks for a public key per host, and takes it as the name under which it may reuse tokens:
 * another session that can sign with the same key gets them too. Where it gets no key it asks for credentials instead.
 */
export function tokenServices(authority: TokenAuthority): [string, SessionHandler][] {
  const keyFor = async (host: string, salt: Uint8Array): Promise<KeyObject | undefined> => {
    const identity = await authority.identify(host);
    return identity && privateKey(createHmac("sha256", salt).update(identity).digest());
  };
  return [
    [
      "/moby.filesync.v1.Auth/GetTokenAuthority",
      async (call) => {
        const { host, salt } = messages.decode(messages.GetTokenAuthorityRequest, await call.readMessage());
        const key = await keyFor(host, salt);
        if (key === undefined) call.end(grpcCode.unimplemented, `tokens for ${host} are not offered`);
        else call.reply(messages.encode(messages.GetTokenAuthorityResponse, { publicKey: rawPublicKey(key) }));
      },
    ],
    [
      "/moby.filesync.v1.Auth/VerifyTokenAuthority",
      async (call) => {
        const { host, salt, payload } = messages.decode(messages.VerifyTokenAuthorityRequest, await call.readMessage());
        const key = await keyFor(host, salt);
        if (key === undefined) call.end(grpcCode.unimplemented, `tokens for ${host} are not offered`);
        else {
          const signed = Buffer.concat([sign(null, payload, key), payload]);
          call.reply(messages.encode(messages.VerifyTokenAuthorityResponse, { signed }));
        }
      },
    ],
    [
      "/moby.filesync.v1.Auth/FetchToken",
      async (call) => {
        const request = messages.decode(messages.FetchTokenRequest, await call.readMessage());
        const { token, expiresInSeconds, issuedAtSeconds } = await authority.fetch(request);
        const response = {
          token,
          expiresIn: BigInt(Math.round(expiresInSeconds)),
          issuedAt: BigInt(Math.round(issuedAtSeconds)),
        };
        call.reply(messages.encode(messages.FetchTokenResponse, response));
      },
    ],
  ];
}

function privateKey(seed: Buffer): KeyObject {
  return createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: "der", type: "pkcs8" });
}

function rawPublicKey(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-publicKeyBytes);
}
