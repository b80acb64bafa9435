import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

/** Which bytes are meant: those that the client sends, or those that it gets. */
export type Direction = "up" | "down";

/** A TCP proxy on loopback that counts bytes, and resets connections at one of them. */
export interface ByteProxy extends AsyncDisposable {
  /** `127.0.0.1:<port>` */
  readonly host: string;
  /** Bytes so far. */
  count(direction: Direction): number;
  /** Resets the connection that carries the byte with this number from now on, or with it all that are open. */
  cutAt(direction: Direction, byte: number, scope: "connection" | "all"): void;
  /** How many connections it has reset. */
  readonly cutConnections: number;
}

/** Starts a proxy in front of `127.0.0.1:<port>`. */
export async function startByteProxy(target: string): Promise<ByteProxy> {
  const port = Number(new URL(`http://${target}`).port);
  const counts: Record<Direction, number> = { up: 0, down: 0 };
  const open = new Set<() => void>();
  let planned: { direction: Direction; at: number; scope: "connection" | "all" } | undefined;
  let cutConnections = 0;
  const server = createServer((client) => {
    const upstream = connect(port, "127.0.0.1");
    const reset = (): void => {
      if (!open.delete(reset)) return;
      cutConnections += 1;
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    };
    open.add(reset);
    const end = (): void => {
      open.delete(reset);
      client.destroy();
      upstream.destroy();
    };
    const pass = (from: Socket, to: Socket, direction: Direction): void => {
      from.on("data", (bytes: Buffer) => {
        const due =
          planned?.direction === direction && counts[direction] + bytes.length > planned.at ? planned : undefined;
        counts[direction] += bytes.length;
        if (due === undefined) {
          if (!to.write(bytes)) from.pause();
          return;
        }
        planned = undefined;
        // What comes before the byte still goes through, so that cuts lie at every point of a request.
        const before = bytes.subarray(0, bytes.length - (counts[direction] - due.at));
        to.write(before, () => {
          if (due.scope === "all") for (const each of [...open]) each();
          else reset();
        });
        from.pause();
      });
      to.on("drain", () => from.resume());
      from.on("end", () => to.end());
    };
    for (const socket of [client, upstream]) socket.on("error", end).on("close", end).setNoDelay(true);
    pass(client, upstream, "up");
    pass(upstream, client, "down");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    count: (direction) => counts[direction],
    cutAt: (direction, byte, scope) => {
      planned = { direction, at: counts[direction] + byte, scope };
    },
    get cutConnections() {
      return cutConnections;
    },
    [Symbol.asyncDispose]: async () => {
      for (const each of [...open]) each();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
