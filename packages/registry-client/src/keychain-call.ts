import type { KeychainCall } from "@slipway/core";

type GivenCall = Omit<KeychainCall, "signal">;

/** A call as plain data: what an instance of a class has from its prototype would be lost where the call is copied. */
export function plainCall(call: GivenCall): GivenCall {
  const { helperSite } = call;
  const readSecret = call.readSecret?.bind(call);
  const readServiceAccount = call.readServiceAccount?.bind(call);
  const runCredentialHelper = call.runCredentialHelper?.bind(call);
  const warn = call.warn?.bind(call);
  return {
    ...(readSecret === undefined ? {} : { readSecret }),
    ...(readServiceAccount === undefined ? {} : { readServiceAccount }),
    ...(runCredentialHelper === undefined ? {} : { runCredentialHelper }),
    ...(helperSite === undefined ? {} : { helperSite }),
    ...(warn === undefined ? {} : { warn }),
  };
}
