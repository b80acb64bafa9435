const marker = Symbol.for("slipway.buildkit.connection-lost");

/**
 * The stream under the connection ended. Why is known only to who opened it: a pod deleted, a network cut, `close()` called.
 */
export class ConnectionLostError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ConnectionLostError";
    Object.defineProperty(this, marker, { value: true });
  }
}

/** Whether a call failed because the connection to BuildKit is gone. Holds across copies of this package. */
export function isConnectionLost(error: unknown): error is ConnectionLostError {
  return error instanceof Error && marker in error;
}
