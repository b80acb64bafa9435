import { createServer, type AddressInfo } from "node:net";

/** A server that answers nothing, and counts who comes. */
export interface IdleServer extends AsyncDisposable {
  readonly url: string;
  readonly connectionCount: number;
}

/** Listens on loopback in the place of an API server that must not be asked. */
export async function startIdleServer(): Promise<IdleServer> {
  let connectionCount = 0;
  const server = createServer((socket) => {
    connectionCount += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connectionCount() {
      return connectionCount;
    },
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
