/** When to ask whether the other side is still there. */
export interface KeepAliveOptions {
  /** Between pings: less than the idle limits of load balancers, which begin at 60 s. @defaultValue 25000 */
  readonly pingIntervalMs: number;
  /** Without an answer for so long, the connection is taken for lost. @defaultValue 80000 */
  readonly deadAfterMs: number;
}

export const defaultKeepAlive: KeepAliveOptions = { pingIntervalMs: 25_000, deadAfterMs: 80_000 };

/** What is asked of a WebSocket. */
export interface PingSocket {
  readonly OPEN: number;
  readonly readyState: number;
  ping(data: string): void;
  on(event: "pong", listener: (data: Buffer) => void): unknown;
  off(event: "pong", listener: (data: Buffer) => void): unknown;
}

export interface KeepAlive {
  /** A frame was sent. */
  sent(): void;
  /** Anything came in. */
  heard(): void;
  stop(): void;
}

/**
 * Pings, and says when the other side is silent.
 *
 * Behind stdin that the process does not read, the API server answers no ping (it reads frames one after the other), so that
 * silence proves nothing unless an answer has come since the last write. While we do not read ourselves it proves nothing at all.
 *
 * @param isPaused - whether reading has been stopped on our side
 * @param onSilent - with `proven`: the connection is dead, else it may be
 */
export function startKeepAlive(
  socket: PingSocket,
  options: KeepAliveOptions,
  isPaused: () => boolean,
  onSilent: (proven: boolean) => void,
): KeepAlive {
  let heardAtMs = performance.now();
  let unconfirmed = false;
  let written = 0;
  const onPong = (data: Buffer): void => {
    heardAtMs = performance.now();
    if (data.toString("latin1") === String(written)) unconfirmed = false;
  };
  socket.on("pong", onPong);
  const timer = setInterval(() => {
    if (socket.readyState !== socket.OPEN) return;
    if (isPaused()) heardAtMs = performance.now();
    else if (performance.now() - heardAtMs > options.deadAfterMs) onSilent(!unconfirmed);
    // The payload tells which writes an answer confirms.
    socket.ping(String(written));
  }, options.pingIntervalMs);
  timer.unref();
  return {
    sent: () => {
      written += 1;
      unconfirmed = true;
    },
    heard: () => (heardAtMs = performance.now()),
    stop: () => {
      clearInterval(timer);
      socket.off("pong", onPong);
    },
  };
}
