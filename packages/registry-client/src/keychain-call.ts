import type { KeychainCall } from "@slipway/core";
import { withoutUndefined } from "@slipway/core/errors";

type GivenCall = Omit<KeychainCall, "signal">;

/** A call as plain data: what an instance of a class has from its prototype would be lost where the call is copied. */
export function plainCall(call: GivenCall): GivenCall {
  const plain: { readonly [Key in keyof Required<GivenCall>]: GivenCall[Key] } = {
    readSecret: call.readSecret?.bind(call),
    readServiceAccount: call.readServiceAccount?.bind(call),
    runCredentialHelper: call.runCredentialHelper?.bind(call),
    helperSite: call.helperSite,
    warn: call.warn?.bind(call),
  };
  return withoutUndefined(plain);
}
