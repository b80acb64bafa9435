import type { Credential } from "@slipway/core";

/** Somebody may do what was asked for. */
export interface AccessCheck {
  /** Name of the source whose credentials were accepted; `anonymous access` where the registry asks for none. */
  readonly source: string;
  /** What was accepted; `undefined` where that was nothing. It is a secret: it belongs into no log, event or error. */
  readonly credential?: Credential | undefined;
}
