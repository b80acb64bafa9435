import type { DriverEvent } from "./build-event.ts";
import type { DriverCall } from "./builder-driver.ts";
import { callError, createCallScope } from "./call-scope.ts";
import type { CallScope } from "./call-scope.ts";
import { stamped } from "./event-journal.ts";
import type { Keychain } from "./keychain.ts";
import { chainKeychains } from "./keychain-chain.ts";
import type { Logger } from "./logger.ts";
import { ProgressMerger } from "./progress-merger.ts";
import { describeThrown } from "./redaction.ts";

/** What all calls of one builder share. */
export interface CallServices {
  readonly driver: string;
  readonly credentials: readonly Keychain[];
  readonly logger: Logger;
}

/** A call's own options, parsed. */
export interface ParsedCall {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
  readonly credentials: readonly Keychain[];
  readonly onEvent?: ((event: DriverEvent) => void) | undefined;
}

/** The bag that a driver gets. */
export function driverCall(
  services: CallServices,
  call: ParsedCall,
  scope: CallScope,
  emit: DriverCall["emit"],
): DriverCall {
  const timeoutMs = scope.remainingMs();
  return {
    signal: scope.signal,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    credentials: chainKeychains([...call.credentials, ...services.credentials]),
    logger: services.logger,
    emit,
  };
}

/** The operations under way, so that closing a builder can end them. */
export class OperationCalls {
  readonly #services: CallServices;
  readonly #running = new Map<CallScope, Promise<void>>();

  constructor(services: CallServices) {
    this.#services = services;
  }

  /** Calls the driver, once, and turns whatever it throws into a `BuilderError`. */
  async run<Result>(what: string, call: ParsedCall, work: (call: DriverCall) => Promise<Result>): Promise<Result> {
    const scope = createCallScope(what, call.signal, call.timeoutMs);
    const result = this.#work(call, scope, work);
    const settled = result.then(
      () => undefined,
      () => undefined,
    );
    this.#running.set(scope, settled);
    try {
      return await result;
    } finally {
      this.#running.delete(scope);
    }
  }

  /** Ends what is under way, and waits for it. */
  async close(reason: string): Promise<void> {
    for (const scope of this.#running.keys()) scope.abort(reason);
    await Promise.all(this.#running.values());
  }

  async #work<Result>(
    call: ParsedCall,
    scope: CallScope,
    work: (call: DriverCall) => Promise<Result>,
  ): Promise<Result> {
    const merger = new ProgressMerger((event) => this.#listen(call, event));
    let ended = false;
    const emit = (event: DriverEvent) => {
      if (!ended) merger.add(stamped(event));
    };
    try {
      scope.signal.throwIfAborted();
      scope.startDeadline();
      return await work(driverCall(this.#services, call, scope, emit));
    } catch (thrown) {
      throw callError(thrown, scope, this.#services.driver);
    } finally {
      merger.flush();
      ended = true;
      scope[Symbol.dispose]();
    }
  }

  #listen(call: ParsedCall, event: DriverEvent): void {
    try {
      call.onEvent?.(event);
    } catch (error) {
      this.#services.logger.error(`onEvent has thrown: ${describeThrown(error)}`, { event: event.type });
    }
  }
}
