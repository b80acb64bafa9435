import { BuilderError } from "@slipway/core";
import type { BuildRequest, DriverCall, DriverEvent, DriverMiddleware } from "@slipway/core";

import type { FakeCluster } from "../fake-cluster.ts";

/** A fake driver that does one thing wrong. */
export interface Saboteur {
  /** Completes the sentence "a saboteur that …". */
  readonly name: string;
  /** The one requirement that finds it out. */
  readonly requirement: string;
  readonly sabotage: (cluster: FakeCluster) => DriverMiddleware;
}

/** What a saboteur puts in the place of what core asks for. */
export type BuildChange = (request: BuildRequest, call: DriverCall) => { request?: BuildRequest; call?: DriverCall };

/** Builds something else than it was asked to, or with something else. */
export function changed(change: BuildChange): DriverMiddleware {
  return (next) => ({
    build(request, call) {
      const replaced = change(request, call);
      return next.build(replaced.request ?? request, replaced.call ?? call);
    },
  });
}

/** Passes events on as `change` makes them. */
export function withEvents(change: (event: DriverEvent) => readonly unknown[]): DriverMiddleware {
  return changed((_, call) => ({
    call: { ...call, emit: (event) => change(event).forEach((emitted) => call.emit(emitted as DriverEvent)) },
  }));
}

/** A signal that never fires. */
export const deaf = new AbortController().signal;

/** The values of all secrets of a build. */
export async function secretText(request: BuildRequest): Promise<string> {
  const values = await Promise.all(Object.values(request.secrets).map((read) => read()));
  return values.map((value) => new TextDecoder().decode(value)).join(" ");
}

/** An error of the infrastructure that is not tried again. */
export function lost(): BuilderError<"POD_LOST"> {
  return new BuilderError({
    code: "POD_LOST",
    message: "The pod was lost. Look at its node.",
    details: { namespace: "builds", events: [] },
    retryable: false,
  });
}
