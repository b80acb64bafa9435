import type { Credential } from "@slipway/core";

/** Somebody may do what was asked for. */
export interface AccessCheck {
  /** Name of the source whose credentials were accepted; `anonymous access` where the registry asks for none. */
  readonly source: string;
  /** What was accepted; `undefined` where that was nothing. It is a secret, and not enumerable, so that neither logs nor JSON show it. */
  readonly credential?: Credential | undefined;
  /** Where nobody's credentials were accepted, and those of some were refused: the names of their sources. */
  readonly refused?: readonly string[] | undefined;
}

/** What somebody outside is told of who may do something. */
export function accessCheck({ source, credential, refused }: AccessCheck): AccessCheck {
  const shown = { source, ...(refused === undefined ? {} : { refused }) };
  return Object.defineProperty(shown, "credential", { value: credential });
}
